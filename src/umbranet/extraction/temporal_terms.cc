#include "umbranet/extraction/temporal_terms.h"

#include <algorithm>
#include <cmath>

namespace umbranet::temporal {
namespace {

constexpr int kYearMin = 1500;
constexpr int kYearMax = 2199;

std::int64_t UnitMs(Unit unit) {
  switch (unit) {
    case Unit::kSecond:
      return kMsPerSecond;
    case Unit::kMinute:
      return kMsPerMinute;
    case Unit::kHour:
      return kMsPerHour;
    case Unit::kDay:
    case Unit::kBusinessDay:
      return kMsPerDay;
    case Unit::kWeekend:
      return 2 * kMsPerDay;
    case Unit::kWeek:
      return 7 * kMsPerDay;
    case Unit::kMonth:
      return 30 * kMsPerDay;
    case Unit::kQuarter:
      return 90 * kMsPerDay;
    case Unit::kYear:
      return 365 * kMsPerDay;
    case Unit::kDecade:
      return 3650 * kMsPerDay;
    case Unit::kCentury:
      return 36500 * kMsPerDay;
  }
  return kMsPerDay;
}

std::string FormatCount(double count) {
  const auto hundredths = static_cast<std::int64_t>(std::llround(count * 100));
  std::string text = std::to_string(hundredths / 100);
  if (const std::int64_t rest = hundredths % 100; rest != 0) {
    text += '.';
    text += std::to_string(rest / 10);
    if (rest % 10 != 0) {
      text += std::to_string(rest % 10);
    }
  }
  return text;
}

// Words of 1 to 99: "seven", "twenty", "twenty-five".
MaybeReading<int> ReadSmallNumberWords(const TokenWindow& w, std::size_t i) {
  const int tens = w.At(i).roles.cardinal;
  if (tens < 0) {
    return std::nullopt;
  }
  if (tens < 20 || tens % 10 != 0) {
    return Reading<int>{tens, i + 1};
  }
  std::size_t next = i + 1;
  if (w.Is(next, "-") && w.IsGlued(next)) {
    ++next;
  }
  const int ones = w.At(next).roles.cardinal;
  if (ones >= 1 && ones <= 9) {
    return Reading<int>{tens + ones, next + 1};
  }
  return Reading<int>{tens, i + 1};
}

MaybeReading<int> ReadYearWords(const TokenWindow& w, std::size_t i) {
  const auto head = ReadSmallNumberWords(w, i);
  if (!head) {
    return std::nullopt;
  }
  if (w.Is(head->next, "thousand") && head->value == 2) {
    std::size_t next = head->next + 1;
    std::size_t tail_at = next;
    if (w.Is(tail_at, "and")) {
      ++tail_at;
    }
    if (const auto tail = ReadSmallNumberWords(w, tail_at); tail && tail->value >= 1) {
      return Reading<int>{2000 + tail->value, tail->next};
    }
    return Reading<int>{2000, next};
  }
  if (head->value < 15 || head->value > 21) {
    return std::nullopt;
  }
  const auto tail = ReadSmallNumberWords(w, head->next);
  if (!tail || tail->value < 10) {
    return std::nullopt;
  }
  return Reading<int>{head->value * 100 + tail->value, tail->next};
}

struct UnitInitial {
  std::string_view text;
  Unit unit;
};

constexpr std::array kGluedUnits = {UnitInitial{"h", Unit::kHour}, UnitInitial{"d", Unit::kDay},
                                    UnitInitial{"w", Unit::kWeek}, UnitInitial{"y", Unit::kYear},
                                    UnitInitial{"yo", Unit::kYear}};

struct Quantity {
  double count = 0;
  bool vague = false;
};

struct VagueCount {
  std::string_view word;
  double count;
};

constexpr std::array kVagueCounts = {VagueCount{"few", 3}, VagueCount{"some", 3},
                                     VagueCount{"several", 5}, VagueCount{"couple", 2}};

// "3", "2.5", "two and a half", "half a", "a few", "a couple of".
MaybeReading<Quantity> ReadQuantity(const TokenWindow& w, std::size_t i) {
  const Token& first = w.At(i);
  if (first.text == "\xC2\xBD") {
    return Reading<Quantity>{{0.5, false}, i + 1};
  }
  if (first.text == "half") {
    const std::size_t next = w.IsAny(i + 1, {"a", "an"}) ? i + 2 : i + 1;
    return Reading<Quantity>{{0.5, false}, next};
  }
  std::size_t at = i;
  if (w.IsAny(at, {"a", "the", "another"})) {
    ++at;
  }
  for (const VagueCount& vague : kVagueCounts) {
    if (!w.Is(at, vague.word)) {
      continue;
    }
    // "some day" is no length of time, "some days" is.
    std::size_t next = at + 1;
    if (w.Is(next, "of")) {
      ++next;
    }
    if (w.Is(next, "more")) {
      ++next;
    }
    return Reading<Quantity>{{vague.count, true}, next};
  }
  if (w.IsAny(i, {"a", "an", "one", "another"}) && !w.IsAny(i + 1, {"and", "."})) {
    if (w.AreWords(i + 1, {"half"})) {
      return Reading<Quantity>{{0.5, false}, i + 2};
    }
    return Reading<Quantity>{{1, false}, i + 1};
  }
  if (first.kind == TokenKind::kNumber) {
    if (first.number < 0 || first.number > 100'000) {
      return std::nullopt;
    }
    // "2.5": one glued decimal point, one or two digits.
    if (w.Is(i + 1, ".") && w.IsGlued(i + 1) && w.At(i + 2).kind == TokenKind::kNumber &&
        w.IsGlued(i + 2) && w.At(i + 2).digits <= 2) {
      const double scale = w.At(i + 2).digits == 1 ? 10.0 : 100.0;
      return Reading<Quantity>{{first.number + w.At(i + 2).number / scale, false}, i + 3};
    }
  }
  const auto whole = ReadCardinal(w, i);
  if (!whole) {
    return std::nullopt;
  }
  Quantity quantity{static_cast<double>(whole->value), false};
  std::size_t next = whole->next;
  if (w.AreWords(next, {"and", "a", "half"})) {
    quantity.count += 0.5;
    next += 3;
  }
  if (w.Is(next, "-") && w.IsGlued(next)) {
    ++next;  // "15-minute"
  }
  return Reading<Quantity>{quantity, next};
}

MaybeReading<Amount> ReadAmount(const TokenWindow& w, std::size_t i, bool* vague) {
  if (w.At(i).kind == TokenKind::kNumber && w.IsGlued(i + 1)) {
    for (const UnitInitial& initial : kGluedUnits) {
      if (w.Is(i + 1, initial.text) && w.At(i).number >= 0 && w.At(i).number <= 1000) {
        return Reading<Amount>{{static_cast<double>(w.At(i).number), initial.unit}, i + 2};
      }
    }
  }
  const auto quantity = ReadQuantity(w, i);
  if (!quantity || quantity->value.count > 100'000) {
    return std::nullopt;
  }
  std::size_t at = quantity->next;
  if (w.IsAny(at, {"full", "whole", "long", "short", "good", "straight"})) {
    ++at;
  }
  const auto unit = ReadUnit(w, at);
  if (!unit) {
    return std::nullopt;
  }
  if (quantity->value.vague && w.Is(i, "some") && !w.At(at).roles.plural) {
    return std::nullopt;
  }
  *vague = *vague || quantity->value.vague;
  Amount amount = unit->value;
  amount.count *= quantity->value.count;
  std::size_t next = unit->next;
  // "one hour and a half", "one year and a quarter".
  for (const auto& [word, part] : {std::pair<std::string_view, double>{"half", 0.5},
                                   std::pair<std::string_view, double>{"quarter", 0.25}}) {
    if (w.AreWords(next, {"and", "a", word})) {
      amount.count += part;
      next += 3;
    } else if (w.AreWords(next, {"and", word}) && w.EndsNounPhrase(next + 2)) {
      amount.count += part;
      next += 2;
    }
  }
  return Reading<Amount>{amount, next};
}

}  // namespace

void TokenWindow::Focus(std::size_t start, std::size_t width) {
  limit_ = std::min(tokens_.size(), start + width);
  for (std::size_t i = start + 1; i < limit_; ++i) {
    if (tokens_[i].boundary) {
      limit_ = i;
      return;
    }
  }
}

const Token& TokenWindow::At(std::size_t i) const {
  static const Token none;
  return i < limit_ ? tokens_[i] : none;
}

const Token& TokenWindow::Before(std::size_t i) const {
  static const Token none;
  if (i == 0 || i > tokens_.size()) {
    return none;
  }
  return i < tokens_.size() && tokens_[i].boundary ? none : tokens_[i - 1];
}

bool TokenWindow::IsAny(std::size_t i, std::initializer_list<std::string_view> texts) const {
  const std::string_view text = At(i).text;
  return !text.empty() && std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool TokenWindow::AreWords(std::size_t i, std::initializer_list<std::string_view> words) const {
  for (const std::string_view word : words) {
    if (!Is(i, word)) {
      return false;
    }
    ++i;
  }
  return true;
}

bool TokenWindow::EndsNounPhrase(std::size_t i) const {
  static constexpr std::array<std::string_view, 48> kFunctionWords = {
      "and",  "or",    "but",   "so",     "then",  "to",       "for",     "with",   "at",    "on",
      "in",   "by",    "from",  "until",  "till",  "because",  "when",    "if",     "this",  "next",
      "last", "the",   "is",    "was",    "were",  "are",      "will",    "would",  "i",     "we",
      "he",   "she",   "they",  "it",     "my",    "our",      "after",   "before", "since", "as",
      "that", "which", "where", "please", "today", "tomorrow", "between", "through"};
  const Token& token = At(i);
  if (token.kind != TokenKind::kWord) {
    return token.kind == TokenKind::kSymbol;
  }
  if (token.roles.weekday >= 0 || token.roles.month > 0) {
    return true;
  }
  return std::find(kFunctionWords.begin(), kFunctionWords.end(), token.text) !=
         kFunctionWords.end();
}

MaybeReading<int> ReadCardinal(const TokenWindow& w, std::size_t i) {
  const Token& token = w.At(i);
  if (token.kind == TokenKind::kNumber) {
    if (token.number < 0) {
      return std::nullopt;
    }
    return Reading<int>{token.number, i + 1};
  }
  if (w.IsAny(i, {"a", "one"}) && w.Is(i + 1, "hundred")) {
    return Reading<int>{100, i + 2};
  }
  return ReadSmallNumberWords(w, i);
}

MaybeReading<int> ReadOrdinal(const TokenWindow& w, std::size_t i) {
  const Token& token = w.At(i);
  if (token.kind == TokenKind::kNumber) {
    const bool suffixed = w.IsGlued(i + 1) && w.IsAny(i + 1, {"st", "nd", "rd", "th"});
    if (!suffixed || token.number < 1 || token.number > 999) {
      return std::nullopt;
    }
    return Reading<int>{token.number, i + 2};
  }
  if (token.roles.ordinal > 0) {
    return Reading<int>{token.roles.ordinal, i + 1};
  }
  const int tens = token.roles.cardinal;
  if (tens != 20 && tens != 30) {
    return std::nullopt;
  }
  const std::size_t ones_at = w.Is(i + 1, "-") && w.IsGlued(i + 1) ? i + 2 : i + 1;
  const int ones = w.At(ones_at).roles.ordinal;
  if (ones < 1 || ones > 9) {
    return std::nullopt;
  }
  return Reading<int>{tens + ones, ones_at + 1};
}

MaybeReading<int> ReadYear(const TokenWindow& w, std::size_t i) {
  const Token& token = w.At(i);
  if (token.kind == TokenKind::kNumber) {
    if (token.digits != 4 || token.number < kYearMin || token.number > kYearMax) {
      return std::nullopt;
    }
    return Reading<int>{token.number, i + 1};
  }
  if (token.text == "'" && w.IsGlued(i + 1) && w.At(i + 1).digits == 2) {
    const int two = w.At(i + 1).number;
    return Reading<int>{two < 50 ? 2000 + two : 1900 + two, i + 2};
  }
  return ReadYearWords(w, i);
}

MaybeReading<Amount> ReadUnit(const TokenWindow& w, std::size_t i) {
  if (w.IsAny(i, {"business", "working", "work"}) && w.IsAny(i + 1, {"day", "days"})) {
    return Reading<Amount>{{1, Unit::kBusinessDay}, i + 2};
  }
  if (w.IsAny(i, {"weekday", "weekdays"})) {
    return Reading<Amount>{{1, Unit::kBusinessDay}, i + 1};
  }
  const WordRoles& roles = w.At(i).roles;
  if (roles.unit < 0) {
    return std::nullopt;
  }
  return Reading<Amount>{{static_cast<double>(roles.multiple), static_cast<Unit>(roles.unit)},
                         i + 1};
}

MaybeReading<Length> ReadLength(const TokenWindow& w, std::size_t i) {
  Length length;
  std::size_t at = i;
  if (w.IsAny(at, {"all", "entire", "whole"})) {
    const auto unit = ReadUnit(w, w.IsAny(at + 1, {"the"}) ? at + 2 : at + 1);
    if (!unit || w.At(unit->next - 1).roles.plural || unit->value.unit < Unit::kDay) {
      return std::nullopt;
    }
    length.amounts[length.size++] = unit->value;
    return Reading<Length>{length, unit->next};
  }
  std::size_t next = at;
  while (length.size < length.amounts.size()) {
    const auto amount = ReadAmount(w, at, &length.vague);
    if (!amount) {
      break;
    }
    // Units fall: "2 weeks and 3 days", never "3 days and 2 weeks".
    if (length.size > 0 && amount->value.unit >= length.amounts[length.size - 1].unit) {
      break;
    }
    length.amounts[length.size++] = amount->value;
    next = amount->next;
    at = next;
    if (w.IsAny(at, {"and", ","})) {
      ++at;
    }
  }
  if (length.size == 0) {
    return std::nullopt;
  }
  return Reading<Length>{length, next};
}

std::int64_t Length::Milliseconds() const {
  double total = 0;
  for (std::size_t i = 0; i < size; ++i) {
    total += amounts[i].count * static_cast<double>(UnitMs(amounts[i].unit));
  }
  return static_cast<std::int64_t>(std::min(total, 4.0e15));
}

std::string Length::Timex() const {
  std::string date = "P";
  std::string time;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string count = FormatCount(amounts[i].count);
    switch (amounts[i].unit) {
      case Unit::kSecond:
        time += count + 'S';
        break;
      case Unit::kMinute:
        time += count + 'M';
        break;
      case Unit::kHour:
        time += count + 'H';
        break;
      case Unit::kDay:
        date += count + 'D';
        break;
      case Unit::kBusinessDay:
        date += count + "BD";
        break;
      case Unit::kWeekend:
        date += count + "WE";
        break;
      case Unit::kWeek:
        date += count + 'W';
        break;
      case Unit::kMonth:
        date += count + 'M';
        break;
      case Unit::kQuarter:
        date += FormatCount(amounts[i].count * 3) + 'M';
        break;
      case Unit::kYear:
        date += count + 'Y';
        break;
      case Unit::kDecade:
        date += FormatCount(amounts[i].count * 10) + 'Y';
        break;
      case Unit::kCentury:
        date += FormatCount(amounts[i].count * 100) + 'Y';
        break;
    }
  }
  return time.empty() ? date : date + 'T' + time;
}

bool Length::IsClockLength() const {
  return std::all_of(amounts.begin(), amounts.begin() + static_cast<std::ptrdiff_t>(size),
                     [](const Amount& a) { return a.unit < Unit::kDay; });
}

Unit Length::Finest() const {
  return size == 0 ? Unit::kDay : amounts[size - 1].unit;
}

std::int64_t MoveBy(std::int64_t ms, const Length& length, int sign) {
  const Day day = DayOfMs(ms);
  std::int64_t of_day = ms - ToMs(day);
  Day moved = day;
  std::int64_t shift = 0;
  for (std::size_t i = 0; i < length.size; ++i) {
    const Amount& amount = length.amounts[i];
    const double count = std::min(amount.count, 1.0e6);
    const auto whole = static_cast<int>(count);
    switch (amount.unit) {
      case Unit::kBusinessDay:
        moved = AddBusinessDays(moved, sign * whole);
        break;
      case Unit::kMonth:
      case Unit::kQuarter:
      case Unit::kYear:
      case Unit::kDecade:
      case Unit::kCentury: {
        const double months = amount.unit == Unit::kMonth     ? count
                              : amount.unit == Unit::kQuarter ? count * 3
                              : amount.unit == Unit::kYear    ? count * 12
                              : amount.unit == Unit::kDecade  ? count * 120
                                                              : count * 1200;
        moved = AddMonths(moved, sign * static_cast<int>(std::min(months, 120000.0)));
        break;
      }
      case Unit::kWeekend:
        shift += sign * whole * 7 * kMsPerDay;
        break;
      default:
        shift += sign * static_cast<std::int64_t>(count * static_cast<double>(UnitMs(amount.unit)));
        break;
    }
  }
  const std::int64_t result = ToMs(moved) + of_day + shift;
  return ToMs(DayOfMs(result)) + (result - ToMs(DayOfMs(result))) % kMsPerDay;
}

TimeGranularity GranularityOf(Unit unit) {
  switch (unit) {
    case Unit::kSecond:
      return TimeGranularity::kSecond;
    case Unit::kMinute:
      return TimeGranularity::kMinute;
    case Unit::kHour:
      return TimeGranularity::kHour;
    case Unit::kDay:
    case Unit::kBusinessDay:
      return TimeGranularity::kDay;
    case Unit::kWeekend:
      return TimeGranularity::kWeekend;
    case Unit::kWeek:
      return TimeGranularity::kWeek;
    case Unit::kMonth:
      return TimeGranularity::kMonth;
    case Unit::kQuarter:
      return TimeGranularity::kQuarter;
    case Unit::kYear:
      return TimeGranularity::kYear;
    case Unit::kDecade:
      return TimeGranularity::kDecade;
    case Unit::kCentury:
      return TimeGranularity::kCentury;
  }
  return TimeGranularity::kDay;
}

}  // namespace umbranet::temporal
