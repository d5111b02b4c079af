#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/extraction/temporal_dates.h"

// Periods with a name or a number of their own: years, decades, centuries, quarters, seasons.

namespace umbranet::temporal {

// "Q1", "2017 Q1", "2019-H2", "q1-2019", "the first quarter".
MaybeReading<DateFields> ReadFiscalPart(const TokenWindow& w, std::size_t i, Direction direction,
                                        const ReferencePoint& reference) {
  std::size_t at = i;
  int year = 0;
  if (const auto read = ReadYear(w, at)) {
    year = read->value;
    at = w.Is(read->next, "-") ? read->next + 1 : read->next;
  }
  const bool half = w.Is(at, "h");
  if ((!half && !w.Is(at, "q")) || !w.IsGlued(at + 1)) {
    return std::nullopt;
  }
  const Token& number = w.At(at + 1);
  if (number.digits != 1 || number.number < 1 || number.number > (half ? 2 : 4)) {
    return std::nullopt;
  }
  std::size_t next = at + 2;
  if (year == 0) {
    std::size_t year_at = next;
    if (w.IsAny(year_at, {"of", "-", "/", ","})) {
      ++year_at;
    }
    if (const auto read = ReadYear(w, year_at)) {
      year = read->value;
      next = read->next;
    }
  }
  if (half && year == 0) {
    return std::nullopt;
  }
  const int months = half ? 6 : 3;
  const int first = (number.number - 1) * months + 1;
  if (year == 0) {
    const Ymd now = YmdOf(reference.today);
    year = now.year;
    if (direction == Direction::kPast && first > now.month) {
      --year;
    }
    if (direction == Direction::kFuture && first + months <= now.month) {
      ++year;
    }
  }
  const DaySpan span{FirstOfMonth(year, first), FirstOfMonth(year, first + months)};
  return Reading<DateFields>{Settle(span, half ? TimeGranularity::kYear : TimeGranularity::kQuarter,
                                    '(' + FormatDay(span.start) + ',' + FormatDay(span.end) + ')'),
                             next};
}

// "2016", "the year 2008", "cy18", "calendar year 2020".
MaybeReading<DateFields> ReadYearDate(const TokenWindow& w, std::size_t i) {
  const auto made = [](int year, std::size_t next) {
    const DaySpan span{FirstOfMonth(year, 1), FirstOfMonth(year + 1, 1)};
    return Reading<DateFields>{Settle(span, TimeGranularity::kYear, FormatYear(span.start)), next};
  };
  std::size_t at = w.Is(i, "the") ? i + 1 : i;
  if (w.IsAny(at, {"calendar", "school", "fiscal"})) {
    ++at;
  }
  if (w.IsAny(at, {"year", "cy", "fy"})) {
    std::size_t year_at = at + 1;
    if (w.Is(year_at, "of")) {
      ++year_at;
    }
    if (const auto year = ReadYear(w, year_at)) {
      return made(year->value, year->next);
    }
    const Token& two = w.At(at + 1);
    if (!w.Is(at, "year") && two.digits == 2 && w.IsGlued(at + 1)) {
      return made(two.number < 50 ? 2000 + two.number : 1900 + two.number, at + 2);
    }
    return std::nullopt;
  }
  const auto year = ReadYear(w, i);
  if (!year) {
    return std::nullopt;
  }
  static constexpr std::array<std::string_view, 26> kBeforeYear = {
      "in",     "since",   "of",    "from",    "until",  "till", "by",    "before", "after",
      "during", "between", "to",    "through", "around", "late", "early", "mid",    "-",
      "~",      "than",    "circa", "year",    "and",    "back", "thru",  "not"};
  const Token& before = w.Before(i);
  const bool introduced =
      std::find(kBeforeYear.begin(), kBeforeYear.end(), before.text) != kBeforeYear.end();
  const bool modern = year->value >= 1950 && year->value <= 2060;
  if (!introduced && !modern) {
    return std::nullopt;
  }
  // Numbers of other things: "$2000", "#2019", "2,000", "138-2010-2015", "2000 pieces", "2019:".
  if (before.text == "$" || before.text == "#" || before.kind == TokenKind::kNumber) {
    return std::nullopt;
  }
  if (w.IsGlued(i) && before.kind == TokenKind::kSymbol && before.text != "(" &&
      before.text != "\"" && before.text != "~" && i >= 2 &&
      w.Before(i - 1).kind == TokenKind::kNumber && w.Before(i - 1).digits != 4) {
    return std::nullopt;
  }
  const Token& after = w.At(year->next);
  if (w.IsGlued(year->next) && (after.kind == TokenKind::kWord || after.text == "%" ||
                                (w.IsGlued(year->next + 1) && after.text != "-" &&
                                 after.text != "~" && after.text != ")"))) {
    return std::nullopt;
  }
  // "2010-77" and "2015-32" are numbers of something.
  if (after.text == "-" && w.IsGlued(year->next) && w.IsGlued(year->next + 1) &&
      w.At(year->next + 1).kind == TokenKind::kNumber && w.At(year->next + 1).digits != 4) {
    return std::nullopt;
  }
  const bool closed = w.EndsNounPhrase(year->next) || year->next >= w.limit();
  if (!closed && (!introduced || after.roles.unit >= 0)) {
    return std::nullopt;
  }
  if (!closed && (before.text == "and" || before.text == "to" || before.text == "than" ||
                  before.text == "around" || before.text == "of" || before.text == "not")) {
    return std::nullopt;
  }
  return made(year->value, year->next);
}

// "the 1990s", "1980's", "the nineties", "15th century".
MaybeReading<DateFields> ReadDecade(const TokenWindow& w, std::size_t i) {
  static constexpr std::array<std::pair<std::string_view, int>, 8> kDecades = {{{"twenties", 20},
                                                                                {"thirties", 30},
                                                                                {"forties", 40},
                                                                                {"fifties", 50},
                                                                                {"sixties", 60},
                                                                                {"seventies", 70},
                                                                                {"eighties", 80},
                                                                                {"nineties", 90}}};
  const auto made = [](int year, int length, TimeGranularity granularity, std::size_t next) {
    const DaySpan span{FirstOfMonth(year, 1), FirstOfMonth(year + length, 1)};
    return Reading<DateFields>{Settle(span, granularity,
                                      '(' + FormatDay(span.start) + ',' + FormatDay(span.end) +
                                          ",P" + std::to_string(length) + "Y)"),
                               next};
  };
  const bool article = w.Is(i, "the");
  const std::size_t at = article ? i + 1 : i;
  const Token& token = w.At(at);
  if (const auto ordinal = ReadOrdinal(w, at); ordinal && w.Is(ordinal->next, "century")) {
    if (ordinal->value < 1 || ordinal->value > 30) {
      return std::nullopt;
    }
    return made(std::max((ordinal->value - 1) * 100, 1), 100, TimeGranularity::kCentury,
                ordinal->next + 1);
  }
  if (token.kind == TokenKind::kNumber && token.number >= 0 && token.number % 10 == 0 &&
      w.IsAny(at + 1, {"s", "'s"})) {
    if (token.digits == 4 && token.number >= 1500 && token.number <= 2190) {
      return made(token.number, 10, TimeGranularity::kDecade, at + 2);
    }
    if (token.digits == 2 && article && w.IsGlued(at + 1) && token.number >= 20) {
      return made(1900 + token.number, 10, TimeGranularity::kDecade, at + 2);
    }
    return std::nullopt;
  }
  // "in my twenties" is an age.
  if (!article) {
    return std::nullopt;
  }
  for (const auto& [word, value] : kDecades) {
    if (token.text == word) {
      return made(1900 + value, 10, TimeGranularity::kDecade, at + 1);
    }
  }
  return std::nullopt;
}

// "last spring", "the summer of 2019", "in winter".
MaybeReading<DateFields> ReadSeason(const TokenWindow& w, std::size_t i, Direction direction,
                                    const ReferencePoint& reference) {
  static constexpr std::array<std::string_view, 4> kTimex = {"SP", "SU", "FA", "WI"};
  const auto relation = ReadRelation(w, i);
  std::size_t at = relation ? relation->next : i;
  if (!relation && w.Is(at, "the")) {
    ++at;
  }
  if (!relation && w.Is(at, "whole")) {
    ++at;
  }
  const int season = w.At(at).roles.season;
  if (season < 0) {
    return std::nullopt;
  }
  std::size_t next = at + 1;
  int year = 0;
  std::size_t year_at = next;
  if (w.IsAny(year_at, {"of", "in", ","})) {
    ++year_at;
  }
  if (const auto read = ReadYear(w, year_at)) {
    year = read->value;
    next = read->next;
  } else if (!relation) {
    // Alone it is a verb, a source of water or an adjective as often as a season.
    static constexpr std::array<std::string_view, 15> kBeforeSeason = {
        "in",         "during", "over",      "since",  "until", "till",  "by", "through",
        "throughout", "this",   "thoughout", "before", "after", "every", "for"};
    const std::string_view before = w.Before(i).text;
    const bool introduced =
        std::find(kBeforeSeason.begin(), kBeforeSeason.end(), before) != kBeforeSeason.end();
    if (!introduced || (!w.EndsNounPhrase(next) && next < w.limit())) {
      return std::nullopt;
    }
  } else if (!w.EndsNounPhrase(next) && next < w.limit() && w.IsAny(at, {"fall", "spring"})) {
    return std::nullopt;
  }
  if (year == 0) {
    const int now = YmdOf(reference.today).year;
    const int step = relation ? StepOf(relation->value) : 0;
    const bool back = relation ? step < 0 : direction == Direction::kPast;
    year = now;
    if (relation && relation->value == Relation::kThis) {
      // "this winter" in January began last year.
      if (season == 3 && YmdOf(reference.today).month <= 2) {
        --year;
      }
    } else if (back) {
      // The latest one that has begun; "last" asks for one that is over.
      while (SeasonOf(year, season).start > reference.today) {
        --year;
      }
      if (relation && SeasonOf(year, season).end > reference.today) {
        --year;
      }
    } else {
      while (SeasonOf(year, season).start <= reference.today) {
        ++year;
      }
    }
  }
  const DaySpan span = SeasonOf(year, season);
  DateFields fields = Settle(span, TimeGranularity::kSeason,
                             FormatYear(FirstOfMonth(year, 1)) + '-' +
                                 std::string(kTimex.at(static_cast<std::size_t>(season))));
  fields.approximate = true;  // the southern half of the world has it six months apart
  return Reading<DateFields>{std::move(fields), next};
}

}  // namespace umbranet::temporal
