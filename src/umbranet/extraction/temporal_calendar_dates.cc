#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "umbranet/extraction/temporal_dates.h"

// Dates written as the calendar has them: in digits, with a month's name, with a weekday.

namespace umbranet::temporal {
namespace {

bool IsMonthNumber(const Token& token) {
  return token.kind == TokenKind::kNumber && token.digits <= 2 && token.number >= 1 &&
         token.number <= 12;
}

bool IsDayNumber(const Token& token) {
  return token.kind == TokenKind::kNumber && token.digits <= 2 && token.number >= 1 &&
         token.number <= 31;
}

int WidenYear(const Token& token) {
  if (token.kind != TokenKind::kNumber) {
    return 0;
  }
  if (token.digits == 4 && token.number >= 1500 && token.number <= 2199) {
    return token.number;
  }
  if (token.digits == 2) {
    return token.number < 40 ? 2000 + token.number : 1900 + token.number;
  }
  return 0;
}

// The same separator, glued or spaced alike, must stand twice: "2018-7-6", "10/1/2018".
bool IsSeparator(const TokenWindow& w, std::size_t i) {
  return w.IsAny(i, {"-", "/", "."});
}

bool IsSeparated(const TokenWindow& w, std::size_t i) {
  return IsSeparator(w, i) && w.IsGlued(i) && w.IsGlued(i + 1);
}

DateFields Calendar(int year, int month, int day) {
  DateFields fields;
  fields.year = year;
  fields.month = month;
  fields.day = day;
  return fields;
}

bool IsPossible(const DateFields& f) {
  if (f.month == 0 || f.day == 0) {
    return true;
  }
  return f.day <= DaysInMonth(f.year == 0 ? 2000 : f.year, f.month);
}

MaybeReading<DateFields> Made(DateFields fields, std::size_t next) {
  if (!IsPossible(fields)) {
    return std::nullopt;
  }
  return Reading<DateFields>{std::move(fields), next};
}

// "2018-07-06", "2019/aug/01", "2020/23/Sep", "2016 10 16".
MaybeReading<DateFields> ReadYearFirst(const TokenWindow& w, std::size_t i) {
  const Token& year = w.At(i);
  if (year.kind != TokenKind::kNumber || year.digits != 4 || WidenYear(year) == 0) {
    return std::nullopt;
  }
  std::size_t second = i + 1;
  std::size_t third = i + 2;
  if (IsSeparated(w, i + 1) && IsSeparated(w, i + 3) && w.Is(i + 3, w.At(i + 1).text)) {
    second = i + 2;
    third = i + 4;
  } else if (w.At(i + 1).digits != 2 || w.At(i + 2).digits != 2) {
    return std::nullopt;
  }
  const Token& b = w.At(second);
  const Token& c = w.At(third);
  if (b.roles.month > 0 && IsDayNumber(c)) {
    return Made(Calendar(year.number, b.roles.month, c.number), third + 1);
  }
  if (IsDayNumber(b) && c.roles.month > 0) {
    return Made(Calendar(year.number, c.roles.month, b.number), third + 1);
  }
  if (IsMonthNumber(b) && IsDayNumber(c)) {
    return Made(Calendar(year.number, b.number, c.number), third + 1);
  }
  return std::nullopt;
}

// "5/7", "22/04", "10-1-2018", "23.04.2022"; month first unless that cannot be or the options say
// otherwise. Dots put the day first, as the countries that write them do.
MaybeReading<DateFields> ReadNumeric(const TokenWindow& w, std::size_t i,
                                     const ReferencePoint& reference) {
  const Token& a = w.At(i);
  const Token& b = w.At(i + 2);
  if (!IsDayNumber(a) || !IsDayNumber(b) || !IsSeparated(w, i + 1)) {
    return std::nullopt;
  }
  if (w.IsGlued(i) && w.Before(i).kind == TokenKind::kNumber) {
    return std::nullopt;
  }
  const std::string_view separator = w.At(i + 1).text;
  const bool triple = w.Is(i + 3, separator) && IsSeparated(w, i + 3) &&
                      WidenYear(w.At(i + 4)) > 0 &&
                      !(w.IsGlued(i + 5) && w.At(i + 5).kind == TokenKind::kNumber);
  if (!triple) {
    if (separator != "/") {
      return std::nullopt;
    }
    // "1/2/x" and "8/1.5" are no dates.
    if (w.IsGlued(i + 3) && (w.Is(i + 3, "/") || (w.Is(i + 3, ".") && w.IsGlued(i + 4)))) {
      return std::nullopt;
    }
  }
  bool day_first = reference.day_first || separator == ".";
  if (a.number > 12) {
    day_first = true;
  }
  if (b.number > 12) {
    day_first = false;
  }
  if (a.number > 12 && b.number > 12) {
    return std::nullopt;
  }
  const int month = day_first ? b.number : a.number;
  const int day = day_first ? a.number : b.number;
  if (triple) {
    return Made(Calendar(WidenYear(w.At(i + 4)), month, day), i + 5);
  }
  std::size_t next = i + 3;
  int year = 0;
  const std::size_t year_at = w.Is(next, ",") ? next + 1 : next;
  if (const auto read = ReadYear(w, year_at); read && !w.Is(read->next, ":")) {
    year = read->value;
    next = read->next;
  }
  return Made(Calendar(year, month, day), next);
}

// ", 2018", "of 1995", "in 2016", "'98" after a month or a day.
MaybeReading<int> ReadTrailingYear(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.Is(at, ",")) {
    ++at;
  }
  const bool joined = w.IsAny(at, {"of", "in"});
  if (joined) {
    ++at;
  }
  if (joined && w.AreWords(at, {"the", "year"})) {
    at += 2;
  }
  if ((w.IsAny(at, {"-", "/"})) && w.IsGlued(at) && w.IsGlued(at + 1)) {
    ++at;
  }
  if (w.IsAny(at, {"this", "last", "next"}) && w.Is(at + 1, "year")) {
    return std::nullopt;
  }
  if (const auto year = ReadYear(w, at)) {
    // "May 3 1995 people" does not happen; "june 5 2100 hrs" does.
    if (w.IsAny(year->next, {":", "hrs", "hours"}) && w.IsGlued(year->next)) {
      return std::nullopt;
    }
    return year;
  }
  if (joined && w.At(at).digits == 2 && WidenYear(w.At(at)) > 0 && w.EndsNounPhrase(at + 1)) {
    return Reading<int>{WidenYear(w.At(at)), at + 1};
  }
  return std::nullopt;
}

// A day of the month after a month's name: "May 3rd", "May the ninth", "dec31", "Jan/3".
MaybeReading<int> ReadDayAfterMonth(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.Is(at, ".")) {
    ++at;
  }
  if (w.Is(at, "the")) {
    ++at;
  }
  if (w.IsAny(at, {"/", "-"}) && w.IsGlued(at) && w.IsGlued(at + 1)) {
    ++at;
  }
  if (const auto ordinal = ReadOrdinal(w, at); ordinal && ordinal->value <= 31) {
    // "the april first quarter" is rarer than "april first".
    if (w.At(ordinal->next).roles.unit < 0) {
      return ordinal;
    }
    return std::nullopt;
  }
  const Token& number = w.At(at);
  if (!IsDayNumber(number)) {
    return std::nullopt;
  }
  // "June 7pm" and "June 7:30" tell a time, "May 5 times" counts, "March 2.5" measures.
  if (w.IsAny(at + 1, {":", "am", "pm", "%"})) {
    return std::nullopt;
  }
  if (w.Is(at + 1, ".") && w.IsGlued(at + 2) && w.At(at + 2).kind == TokenKind::kNumber) {
    return std::nullopt;
  }
  return Reading<int>{number.number, at + 1};
}

// "may", "march", "mar" and "sun" are verbs and nouns besides: alone they need company.
bool MonthStandsAlone(const TokenWindow& w, std::size_t i) {
  // "Jan-Feb", "May to July".
  if (w.IsAny(i + 1, {"-", "to", "through", "until", "till"}) && w.At(i + 2).roles.month > 0) {
    return true;
  }
  static constexpr std::array<std::string_view, 34> kBeforeMonth = {
      "in",      "of",      "since",  "by",       "until",     "till",    "to",
      "from",    "through", "during", "before",   "after",     "for",     "late",
      "early",   "mid",     "last",   "next",     "this",      "every",   "each",
      "between", "around",  "thru",   "previous", "coming",    "past",    "following",
      "and",     "or",      "-",      "~",        "beginning", "upcoming"};
  const Token& before = w.Before(i);
  std::string_view word = before.text;
  if (word == "the") {
    word = i >= 2 ? w.Before(i - 1).text : std::string_view{};
  }
  if (std::find(kBeforeMonth.begin(), kBeforeMonth.end(), word) == kBeforeMonth.end()) {
    return false;
  }
  const Token& month = w.At(i);
  // "from March on", "to march", "and may": the verbs stand in lower case.
  if (month.text == "may" || month.text == "march") {
    if (word == "and" || word == "or" || word == "to" || word == "this" || word == "that") {
      return month.capital && w.EndsNounPhrase(i + 1);
    }
  }
  return true;
}

MaybeReading<DateFields> ReadMonthFirst(const TokenWindow& w, std::size_t i) {
  const int month = w.At(i).roles.month;
  if (month == 0) {
    return std::nullopt;
  }
  std::size_t after = i + 1;
  if (w.At(i).roles.short_form && w.Is(after, ".") && w.IsGlued(after)) {
    ++after;
  }
  if (const auto day = ReadDayAfterMonth(w, after)) {
    const auto year = ReadTrailingYear(w, day->next);
    return Made(Calendar(year ? year->value : 0, month, day->value), year ? year->next : day->next);
  }
  if (const auto year = ReadTrailingYear(w, after)) {
    return Made(Calendar(year->value, month, 0), year->next);
  }
  if (!MonthStandsAlone(w, i)) {
    return std::nullopt;
  }
  return Made(Calendar(0, month, 0), w.At(i).roles.short_form ? after : i + 1);
}

// "3 May 2023", "the 4th of July", "22/Jan/2019", "twenty third day of September".
MaybeReading<DateFields> ReadDayFirst(const TokenWindow& w, std::size_t i) {
  std::size_t at = w.Is(i, "the") ? i + 1 : i;
  int day = 0;
  bool ordinal = false;
  if (const auto read = ReadOrdinal(w, at); read && read->value <= 31) {
    day = read->value;
    at = read->next;
    ordinal = true;
  } else if (IsDayNumber(w.At(at))) {
    if (w.IsGlued(at) && w.IsAny(at - 1, {"$", "#"})) {
      return std::nullopt;
    }
    if (w.IsGlued(at) && w.Before(at).text == "." && w.IsGlued(at - 1)) {
      // "6,107.31 August" is an amount, "says:30 December" a date.
      if (at >= 2 && w.Before(at - 1).kind == TokenKind::kNumber) {
        at = w.limit();
      }
    }
    day = w.At(at).number;
    at += 1;
  } else if (const auto words = ReadCardinal(w, at);
             words && words->value >= 1 && words->value <= 31) {
    day = words->value;
    at = words->next;
  }
  if (day < 1) {
    return std::nullopt;
  }
  if (ordinal && w.AreWords(at, {"day", "of"})) {
    at += 2;
  }
  if (w.Is(at, "of")) {
    ++at;
  }
  if (IsSeparator(w, at) && w.IsGlued(at) && w.IsGlued(at + 1)) {
    ++at;
  }
  const int month = w.At(at).roles.month;
  if (month == 0) {
    return std::nullopt;
  }
  ++at;
  if (w.At(at - 1).roles.short_form && w.Is(at, ".") && w.IsGlued(at) && ReadYear(w, at + 1)) {
    ++at;
  }
  const auto year = ReadTrailingYear(w, at);
  return Made(Calendar(year ? year->value : 0, month, day), year ? year->next : at);
}

// "the 15th", "on the 3rd", "29th" after "on".
MaybeReading<DateFields> ReadDayOfMonth(const TokenWindow& w, std::size_t i) {
  const bool article = w.Is(i, "the");
  const std::size_t at = article ? i + 1 : i;
  const auto ordinal = ReadOrdinal(w, at);
  if (!ordinal || ordinal->value > 31) {
    return std::nullopt;
  }
  const std::string_view before = w.Before(i).text;
  const bool positioned = before == "on" || before == "by" || before == "until" ||
                          before == "since" || before == "around" || before == "till";
  const bool digits = w.At(at).kind == TokenKind::kNumber;
  // "the first", "the second" count things far more often than days.
  if (!digits && !(positioned && article)) {
    return std::nullopt;
  }
  if (!article && !positioned) {
    return std::nullopt;
  }
  if (!w.EndsNounPhrase(ordinal->next) && w.limit() > ordinal->next) {
    return std::nullopt;
  }
  if (w.Is(ordinal->next, "-") && w.IsGlued(ordinal->next)) {
    return std::nullopt;
  }
  return Made(Calendar(0, 0, ordinal->value), ordinal->next);
}

// "12-2015" and "dec-2018" name months.
MaybeReading<DateFields> ReadMonthYear(const TokenWindow& w, std::size_t i) {
  if (!IsMonthNumber(w.At(i)) || !w.IsAny(i + 1, {"-", "/"}) || !IsSeparated(w, i + 1) ||
      w.At(i + 2).digits != 4 || WidenYear(w.At(i + 2)) == 0) {
    return std::nullopt;
  }
  if (w.IsGlued(i) && w.Before(i).kind != TokenKind::kWord) {
    return std::nullopt;
  }
  if (w.IsGlued(i + 3) && w.At(i + 3).kind == TokenKind::kSymbol && w.IsGlued(i + 4)) {
    return std::nullopt;
  }
  return Made(Calendar(w.At(i + 2).number, w.At(i).number, 0), i + 3);
}

bool WeekdayIsMeant(const TokenWindow& w, std::size_t i) {
  const Token& token = w.At(i);
  if (!token.roles.short_form) {
    return true;
  }
  // "sat", "sun" and "wed" are words of their own.
  const bool verb_like =
      token.text == "sat" || token.text == "sun" || token.text == "wed" || token.text == "mon";
  if (!verb_like) {
    return true;
  }
  const std::string_view before = w.Before(i).text;
  const bool positioned = before == "on" || before == "next" || before == "last" ||
                          before == "this" || before == "every" || before == "by" ||
                          before == "until" || before == "or" || before == "week";
  const Token& after = w.At(i + 1);
  const bool dated = after.kind == TokenKind::kNumber || after.roles.month > 0 ||
                     after.roles.part != PartOfDay::kNone;
  return positioned || (token.capital && dated);
}

// "friday", "tue may 9", "Monday 21", "tuesday the eleventh", "friday (jun-15)".
MaybeReading<DateFields> ReadWeekday(const TokenWindow& w, std::size_t i,
                                     const ReferencePoint& reference) {
  const Token& token = w.At(i);
  if (token.roles.weekday < 0 || token.roles.plural || !WeekdayIsMeant(w, i)) {
    return std::nullopt;
  }
  DateFields fields;
  fields.weekday = token.roles.weekday;
  std::size_t at = i + 1;
  if (token.roles.short_form && w.Is(at, ".") && w.IsGlued(at) && w.At(at + 1).roles.month > 0) {
    ++at;
  }
  const Reading<DateFields> alone{fields, at};
  if (w.IsAny(at, {",", "("})) {
    ++at;
  }
  const bool bracket = w.Is(at - 1, "(");
  if (w.Is(at, "the") && !bracket) {
    if (const auto ordinal = ReadOrdinal(w, at + 1); ordinal && ordinal->value <= 31 &&
                                                     !w.AreWords(ordinal->next, {"of"}) &&
                                                     w.At(ordinal->next).roles.month == 0) {
      fields.day = ordinal->value;
      return Reading<DateFields>{fields, ordinal->next};
    }
  }
  for (const auto& dated : {ReadYearFirst(w, at), ReadNumeric(w, at, reference),
                            ReadDayFirst(w, at), ReadMonthFirst(w, at)}) {
    if (!dated || dated->value.day == 0) {
      continue;
    }
    if (bracket && !w.Is(dated->next, ")")) {
      continue;
    }
    DateFields merged = dated->value;
    merged.weekday = fields.weekday;
    return Reading<DateFields>{merged, bracket ? dated->next + 1 : dated->next};
  }
  if (at != i + 1) {
    return alone;
  }
  // "Friday 7.6", and "Monday 21" or "Tue 13th" when no time can be meant.
  if (IsMonthNumber(w.At(at)) && w.Is(at + 1, ".") && w.IsGlued(at + 1) && w.IsGlued(at + 2) &&
      IsDayNumber(w.At(at + 2)) && w.At(at + 2).digits == 1) {
    fields.month = w.At(at).number;
    fields.day = w.At(at + 2).number;
    return Made(fields, at + 3);
  }
  if (const auto ordinal = ReadOrdinal(w, at);
      ordinal && ordinal->value <= 31 && w.At(at).kind == TokenKind::kNumber) {
    fields.day = ordinal->value;
    return Reading<DateFields>{fields, ordinal->next};
  }
  const Token& number = w.At(at);
  if (IsDayNumber(number) && number.number > 12 &&
      !w.IsAny(at + 1, {":", ".", "-", "am", "pm", "h"}) && w.EndsNounPhrase(at + 1)) {
    fields.day = number.number;
    return Reading<DateFields>{fields, at + 1};
  }
  if (IsDayNumber(number) && number.number > 12 && at + 1 == w.limit()) {
    fields.day = number.number;
    return Reading<DateFields>{fields, at + 1};
  }
  return alone;
}

}  // namespace

MaybeReading<DateFields> ReadCalendarDate(const TokenWindow& w, std::size_t i,
                                          const ReferencePoint& reference) {
  const auto relation = ReadRelation(w, i);
  const std::size_t at = relation ? relation->next : i;
  MaybeReading<DateFields> best;
  const auto keep = [&best](MaybeReading<DateFields> reading) {
    if (reading && (!best || reading->next > best->next)) {
      best = std::move(reading);
    }
  };
  keep(ReadWeekday(w, at, reference));
  keep(ReadMonthFirst(w, at));
  keep(ReadNumeric(w, at, reference));
  if (!relation) {
    keep(ReadYearFirst(w, i));
    keep(ReadDayFirst(w, i));
    keep(ReadMonthYear(w, i));
    if (!best) {
      keep(ReadDayOfMonth(w, i));
    }
  }
  if (best && relation) {
    best->value.relation = relation->value;
  }
  return best;
}

}  // namespace umbranet::temporal
