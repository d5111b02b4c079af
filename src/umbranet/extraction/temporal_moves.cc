#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "umbranet/extraction/temporal_dates.h"

// Days named by their distance from today or from another date ("yesterday", "two weeks before 3
// May"), and days named by their feast.

namespace umbranet::temporal {
namespace {

enum class Feast : std::uint8_t {
  kFixed,       // month, day
  kEaster,      // days from Easter Sunday
  kNthWeekday,  // month, weekday, nth
  kBlackFriday,
};

struct Holiday {
  std::array<std::string_view, 4> words;
  Feast feast;
  int month;
  int day;  // of the month, or the nth week, or the days from Easter
  int weekday = 0;
};

// Longer names stand before their own beginnings.
constexpr std::array kHolidays = {
    Holiday{{"christmas", "eve", "", ""}, Feast::kFixed, 12, 24},
    Holiday{{"christmas", "day", "", ""}, Feast::kFixed, 12, 25},
    Holiday{{"christmas", "", "", ""}, Feast::kFixed, 12, 25},
    Holiday{{"xmas", "", "", ""}, Feast::kFixed, 12, 25},
    Holiday{{"boxing", "day", "", ""}, Feast::kFixed, 12, 26},
    Holiday{{"new", "year", "'s", "eve"}, Feast::kFixed, 12, 31},
    Holiday{{"new", "years", "eve", ""}, Feast::kFixed, 12, 31},
    Holiday{{"new", "year", "eve", ""}, Feast::kFixed, 12, 31},
    Holiday{{"new", "year", "'s", "day"}, Feast::kFixed, 1, 1},
    Holiday{{"new", "years", "day", ""}, Feast::kFixed, 1, 1},
    Holiday{{"new", "year", "'s", ""}, Feast::kFixed, 1, 1},
    Holiday{{"new", "years", "", ""}, Feast::kFixed, 1, 1},
    Holiday{{"new", "year", "", ""}, Feast::kFixed, 1, 1},
    Holiday{{"valentine", "'s", "day", ""}, Feast::kFixed, 2, 14},
    Holiday{{"valentines", "day", "", ""}, Feast::kFixed, 2, 14},
    Holiday{{"valentine", "'s", "", ""}, Feast::kFixed, 2, 14},
    Holiday{{"st", "patrick", "'s", "day"}, Feast::kFixed, 3, 17},
    Holiday{{"international", "workers", "'", "day"}, Feast::kFixed, 5, 1},
    Holiday{{"labour", "day", "", ""}, Feast::kFixed, 5, 1},
    Holiday{{"may", "day", "", ""}, Feast::kFixed, 5, 1},
    Holiday{{"independence", "day", "", ""}, Feast::kFixed, 7, 4},
    Holiday{{"halloween", "", "", ""}, Feast::kFixed, 10, 31},
    Holiday{{"veterans", "day", "", ""}, Feast::kFixed, 11, 11},
    Holiday{{"good", "friday", "", ""}, Feast::kEaster, 0, -2},
    Holiday{{"easter", "sunday", "", ""}, Feast::kEaster, 0, 0},
    Holiday{{"easter", "monday", "", ""}, Feast::kEaster, 0, 1},
    Holiday{{"easter", "", "", ""}, Feast::kEaster, 0, 0},
    Holiday{{"black", "friday", "", ""}, Feast::kBlackFriday, 11, 4},
    Holiday{{"thanksgiving", "day", "", ""}, Feast::kNthWeekday, 11, 4, 3},
    Holiday{{"thanksgiving", "", "", ""}, Feast::kNthWeekday, 11, 4, 3},
    Holiday{{"labor", "day", "", ""}, Feast::kNthWeekday, 9, 1, 0},
    Holiday{{"memorial", "day", "", ""}, Feast::kNthWeekday, 5, 5, 0},
    Holiday{{"mother", "'s", "day", ""}, Feast::kNthWeekday, 5, 2, 6},
    Holiday{{"mothers", "day", "", ""}, Feast::kNthWeekday, 5, 2, 6},
    Holiday{{"father", "'s", "day", ""}, Feast::kNthWeekday, 6, 3, 6},
    Holiday{{"fathers", "day", "", ""}, Feast::kNthWeekday, 6, 3, 6}};

Day DayOfFeast(const Holiday& holiday, int year) {
  switch (holiday.feast) {
    case Feast::kFixed:
      return MakeDay(year, holiday.month, holiday.day).value_or(FirstOfMonth(year, holiday.month));
    case Feast::kEaster:
      return AddDays(EasterSunday(year), holiday.day);
    case Feast::kNthWeekday:
      return NthWeekday(year, holiday.month, holiday.weekday, holiday.day);
    case Feast::kBlackFriday:
      return AddDays(NthWeekday(year, 11, 3, 4), 1);
  }
  return FirstOfMonth(year, 1);
}

const Holiday* FindHoliday(const TokenWindow& w, std::size_t i, std::size_t* next) {
  for (const Holiday& holiday : kHolidays) {
    std::size_t at = i;
    bool matches = true;
    for (const std::string_view word : holiday.words) {
      if (word.empty()) {
        break;
      }
      if (!w.Is(at, word)) {
        matches = false;
        break;
      }
      ++at;
    }
    if (matches) {
      *next = at;
      return &holiday;
    }
  }
  return nullptr;
}

Day PlaceFeast(const Holiday& holiday, const MaybeReading<Relation>& relation, Direction direction,
               Day today) {
  const int year = YmdOf(today).year;
  const Day here = DayOfFeast(holiday, year);
  const Relation how = relation ? relation->value : Relation::kNone;
  if (how == Relation::kThis) {
    return here;
  }
  const bool back = how == Relation::kLast || how == Relation::kPrevious ||
                    how == Relation::kPast ||
                    (how == Relation::kNone && direction == Direction::kPast);
  if (how == Relation::kNone && here == today) {
    return here;
  }
  if (back) {
    return here < today ? here : DayOfFeast(holiday, year - 1);
  }
  const bool after = how == Relation::kNone ? here >= today : here > today;
  return after ? here : DayOfFeast(holiday, year + 1);
}

// "Easter 2018", "Christmas of this year", "Halloween last year".
MaybeReading<int> ReadYearOfFeast(const TokenWindow& w, std::size_t i,
                                  const ReferencePoint& reference) {
  const std::size_t at = w.IsAny(i, {"of", "in", ","}) ? i + 1 : i;
  if (w.IsAny(at, {"this", "last", "next"}) && w.Is(at + 1, "year")) {
    const int offset = w.Is(at, "this") ? 0 : w.Is(at, "last") ? -1 : 1;
    return Reading<int>{YmdOf(reference.today).year + offset, at + 2};
  }
  return ReadYear(w, at);
}

bool IsCoarse(Unit unit) {
  return unit >= Unit::kWeekend;
}

DateFields MovedInstant(std::int64_t ms, const Length& length) {
  DateFields fields;
  fields.settled = true;
  fields.instant = true;
  fields.start_ms = ms;
  fields.end_ms = ms + (length.Finest() == Unit::kSecond ? kMsPerSecond : kMsPerMinute);
  fields.span = {DayOfMs(ms), AddDays(DayOfMs(ms), 1)};
  fields.granularity = GranularityOf(length.Finest());
  fields.approximate = length.vague;
  fields.timex = FormatDay(DayOfMs(ms)) + 'T' + FormatClock(ms - ToMs(DayOfMs(ms)));
  return fields;
}

DateFields MovedFrom(std::int64_t anchor_ms, const Length& length, int sign, bool exact_anchor) {
  const std::int64_t moved = MoveBy(anchor_ms, length, sign);
  if (length.IsClockLength()) {
    return MovedInstant(moved, length);
  }
  DateFields fields = SettleDay(DayOfMs(moved));
  const Unit unit = length.Finest();
  if (!exact_anchor && IsCoarse(unit)) {
    fields.granularity = GranularityOf(unit);
    fields.approximate = true;
  }
  if (unit == Unit::kWeekend) {
    fields.span = PeriodAround(fields.span.start, Unit::kWeekend, 0);
    fields.timex = FormatWeek(fields.span.start) + "-WE";
  }
  fields.approximate = fields.approximate || length.vague;
  return fields;
}

// "three weeks ago", "in two years", "3 minutes from now", "half an hour later".
MaybeReading<DateFields> ReadMovedFromNow(const TokenWindow& w, std::size_t i,
                                          const ReferencePoint& reference) {
  std::size_t at = i;
  bool loose = false;
  if (w.IsAny(at, {"about", "around", "roughly", "almost", "nearly", "over", "approximately"})) {
    loose = true;
    ++at;
  } else if (w.IsAny(at, {"more", "less"}) && w.Is(at + 1, "than")) {
    loose = true;
    at += 2;
  }
  const bool in = w.IsAny(at, {"in", "within"});
  const bool within = w.Is(at, "within");
  std::size_t length_at = in ? at + 1 : at;
  if (in && w.IsAny(length_at, {"about", "around", "roughly", "just", "under"})) {
    loose = true;
    ++length_at;
  }
  const auto length = ReadLength(w, length_at);
  if (!length) {
    return std::nullopt;
  }
  std::size_t next = length->next;
  int sign = 0;
  if (w.IsAny(next, {"ago", "back", "earlier"})) {
    // "back" is an adverb of place too: "two days back home".
    if (w.Is(next, "back") && !w.EndsNounPhrase(next + 1) && next + 1 < w.limit()) {
      return std::nullopt;
    }
    sign = -1;
    ++next;
  } else if (w.IsAny(next, {"later", "hence"}) || w.AreWords(next, {"from", "now"}) ||
             w.AreWords(next, {"from", "today"})) {
    sign = 1;
    next += w.Is(next, "from") ? 2U : 1U;
  } else if (in && !reference.past_told) {
    sign = 1;
    if (w.AreWords(next, {"'s", "time"}) || w.AreWords(next, {"'", "time"})) {
      next += 2;
    }
    if (w.IsAny(next, {"of", "since", "after"})) {
      return std::nullopt;
    }
  }
  if (sign == 0 || (in && sign < 0)) {
    return std::nullopt;
  }
  if (within) {
    const std::int64_t moved = MoveBy(reference.ms, length->value, 1);
    DateFields fields = MovedInstant(reference.ms, length->value);
    fields.end_ms = moved;
    fields.span = {reference.today, AddDays(DayOfMs(moved), 1)};
    fields.rolling = true;
    return Reading<DateFields>{std::move(fields), next};
  }
  const bool clock = length->value.IsClockLength();
  DateFields fields =
      MovedFrom(clock ? reference.ms : ToMs(reference.today), length->value, sign, false);
  fields.approximate = fields.approximate || loose;
  return Reading<DateFields>{std::move(fields), next};
}

// "two weeks before Christmas", "3 days from Tuesday", "in two weeks since 2011".
MaybeReading<DateFields> ReadMovedFromDate(const TokenWindow& w, std::size_t i, Direction direction,
                                           const ReferencePoint& reference, int depth) {
  std::size_t at = i;
  bool loose = false;
  if (w.Is(at, "in")) {
    ++at;
  }
  if (w.IsAny(at, {"about", "around", "exactly", "just"})) {
    loose = w.IsAny(at, {"about", "around"});
    ++at;
  }
  const auto length = ReadLength(w, at);
  if (!length || length->value.IsClockLength()) {
    return std::nullopt;
  }
  const bool before = w.IsAny(length->next, {"before", "prior"});
  if (!before && !w.IsAny(length->next, {"after", "from", "since", "following"})) {
    return std::nullopt;
  }
  std::size_t anchor_at = length->next + 1;
  if (w.Is(anchor_at, "to")) {
    ++anchor_at;
  }
  const bool from = w.Is(length->next, "from");
  const auto anchor =
      ReadDate(w, anchor_at, from ? Direction::kFuture : direction, reference, depth + 1);
  if (!anchor || anchor->value.instant) {
    return std::nullopt;
  }
  const auto placed = Place(anchor->value, from ? Direction::kFuture : direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  DateFields fields = MovedFrom(ToMs(placed->span.start), length->value, before ? -1 : 1, true);
  fields.approximate = fields.approximate || loose;
  return Reading<DateFields>{std::move(fields), anchor->next};
}

// "the week before 9 June", "the Friday after Christmas", "the day before yesterday".
MaybeReading<DateFields> ReadNeighbourOfDate(const TokenWindow& w, std::size_t i,
                                             Direction direction, const ReferencePoint& reference,
                                             int depth) {
  const std::size_t at = w.Is(i, "the") ? i + 1 : i;
  const Token& token = w.At(at);
  const auto unit = ReadUnit(w, at);
  const int weekday = token.roles.weekday;
  if ((!unit && weekday < 0) || token.roles.plural) {
    return std::nullopt;
  }
  const std::size_t word = unit ? unit->next : at + 1;
  const bool before = w.Is(word, "before");
  if (!before && !w.IsAny(word, {"after", "following"})) {
    return std::nullopt;
  }
  const auto anchor = ReadDate(w, word + 1, direction, reference, depth + 1);
  if (!anchor || anchor->value.instant) {
    return std::nullopt;
  }
  const auto placed = Place(anchor->value, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  const Day start = placed->span.start;
  const Day end = placed->span.end;
  if (weekday >= 0 && !unit) {
    const Day first = before ? AddDays(start, -1) : end;
    const int shift =
        before ? -((WeekdayOf(first) - weekday + 7) % 7) : (weekday - WeekdayOf(first) + 7) % 7;
    return Reading<DateFields>{SettleDay(AddDays(first, shift)), anchor->next};
  }
  const Unit what = unit->value.unit;
  if (what < Unit::kDay || w.Is(at, "night")) {
    return std::nullopt;
  }
  DateFields fields;
  if (what == Unit::kDay) {
    return Reading<DateFields>{SettleDay(before ? AddDays(start, -1) : end), anchor->next};
  }
  if (what == Unit::kWeekend) {
    DaySpan span = PeriodAround(start, what, 0);
    while (before && span.end > start) {
      span = PeriodAround(span.start, what, -1);
    }
    while (!before && span.start < end) {
      span = PeriodAround(span.start, what, 1);
    }
    fields = Settle(span, TimeGranularity::kWeekend, FormatWeek(span.start) + "-WE");
  } else {
    Length one;
    one.amounts[one.size++] = unit->value;
    const DaySpan span = before ? DaySpan{DayOfMs(MoveBy(ToMs(start), one, -1)), start}
                                : DaySpan{end, DayOfMs(MoveBy(ToMs(end), one, 1))};
    fields = Settle(span, GranularityOf(what),
                    '(' + FormatDay(span.start) + ',' + FormatDay(span.end) + ')');
    fields.approximate = true;
  }
  return Reading<DateFields>{std::move(fields), anchor->next};
}

}  // namespace

MaybeReading<DateFields> ReadRelativeDay(const TokenWindow& w, std::size_t i,
                                         const ReferencePoint& reference) {
  const auto day = [&reference](int offset, std::size_t next) {
    return Reading<DateFields>{SettleDay(AddDays(reference.today, offset)), next};
  };
  if (w.IsAny(i, {"today", "todays"})) {
    return day(0, i + 1);
  }
  if (w.AreWords(i, {"current", "date"})) {
    return day(0, i + 2);
  }
  if (w.IsAny(i, {"yesterday"})) {
    return day(-1, i + 1);
  }
  if (w.IsAny(i, {"tomorrow", "tmr", "tmrw", "tomorow"})) {
    return day(1, i + 1);
  }
  const std::size_t at = w.Is(i, "the") ? i + 1 : i;
  if (w.Is(at, "day") && w.Is(at + 1, "before") && w.Is(at + 2, "yesterday")) {
    return day(-2, at + 3);
  }
  if (w.Is(at, "day") && w.Is(at + 1, "after") && w.Is(at + 2, "tomorrow")) {
    return day(2, at + 3);
  }
  if (w.Is(i, "the") && w.AreWords(at, {"other", "day"})) {
    DateFields fields = Settle(
        {AddDays(reference.today, -7), reference.today}, TimeGranularity::kDay,
        '(' + FormatDay(AddDays(reference.today, -7)) + ',' + FormatDay(reference.today) + ')');
    fields.approximate = true;
    fields.rolling = true;
    return Reading<DateFields>{std::move(fields), at + 2};
  }
  // "the day before", with nothing that it is before.
  if (w.Is(i, "the") && w.Is(at, "day") && w.IsAny(at + 1, {"before", "after"})) {
    const bool closed = at + 2 >= w.limit() || w.At(at + 2).kind == TokenKind::kSymbol;
    if (closed) {
      return day(w.Is(at + 1, "before") ? -1 : 1, at + 2);
    }
  }
  return std::nullopt;
}

MaybeReading<DateFields> ReadHoliday(const TokenWindow& w, std::size_t i, Direction direction,
                                     const ReferencePoint& reference) {
  const auto relation = ReadRelation(w, i);
  std::size_t at = relation ? relation->next : i;
  if (!relation && w.Is(at, "the")) {
    ++at;
  }
  std::size_t next = at;
  const Holiday* holiday = FindHoliday(w, at, &next);
  if (holiday == nullptr) {
    return std::nullopt;
  }
  Day day = PlaceFeast(*holiday, relation, direction, reference.today);
  bool weekend = w.Is(next, "weekend");
  if (weekend) {
    ++next;
  }
  if (const auto year = ReadYearOfFeast(w, next, reference)) {
    day = DayOfFeast(*holiday, year->value);
    next = year->next;
  }
  if (!weekend && w.Is(next, "weekend")) {
    weekend = true;
    ++next;
  }
  if (!weekend) {
    return Reading<DateFields>{SettleDay(day), next};
  }
  // A Monday or a Friday lengthens its weekend, any other day has the nearest one.
  DaySpan span = PeriodAround(AddDays(day, WeekdayOf(day) <= 1 ? -3 : 0), Unit::kWeekend, 0);
  if (WeekdayOf(day) == 0) {
    span.end = AddDays(span.end, 1);
  }
  if (WeekdayOf(day) == 4) {
    span.start = day;
  }
  return Reading<DateFields>{
      Settle(span, TimeGranularity::kWeekend, FormatWeek(span.start) + "-WE"), next};
}

MaybeReading<DateFields> ReadMovedDate(const TokenWindow& w, std::size_t i, Direction direction,
                                       const ReferencePoint& reference, int depth) {
  MaybeReading<DateFields> best;
  const auto keep = [&best](MaybeReading<DateFields> reading) {
    if (reading && (!best || reading->next > best->next)) {
      best = std::move(reading);
    }
  };
  keep(ReadMovedFromNow(w, i, reference));
  keep(ReadMovedFromDate(w, i, direction, reference, depth));
  keep(ReadNeighbourOfDate(w, i, direction, reference, depth));
  return best;
}

}  // namespace umbranet::temporal
