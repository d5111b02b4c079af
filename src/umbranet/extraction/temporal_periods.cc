#include <algorithm>
#include <array>
#include <utility>

#include "umbranet/extraction/temporal_dates.h"

// Calendar periods: weeks, months, quarters, seasons, years, decades, their edges and their parts.

namespace umbranet::temporal {
namespace {

std::string PeriodTimex(DaySpan span, Unit unit) {
  switch (unit) {
    case Unit::kWeek:
      return FormatWeek(span.start);
    case Unit::kWeekend:
      return FormatWeek(span.start) + "-WE";
    case Unit::kMonth:
      return FormatMonth(span.start);
    case Unit::kYear:
      return FormatYear(span.start);
    case Unit::kDay:
    case Unit::kBusinessDay:
      return FormatDay(span.start);
    default:
      return '(' + FormatDay(span.start) + ',' + FormatDay(span.end) + ')';
  }
}

DateFields PeriodFields(Day around, Unit unit, int offset) {
  const DaySpan span = PeriodAround(around, unit, offset);
  return Settle(span, GranularityOf(unit), PeriodTimex(span, unit));
}

DateFields Instants(std::int64_t start, std::int64_t end, TimeGranularity granularity) {
  DateFields fields;
  fields.settled = true;
  fields.instant = true;
  fields.start_ms = start;
  fields.end_ms = end;
  fields.span = {DayOfMs(start), AddDays(DayOfMs(end), 1)};
  fields.granularity = granularity;
  fields.rolling = true;
  fields.timex = '(' + FormatDay(DayOfMs(start)) + 'T' + FormatClock(start - ToMs(DayOfMs(start))) +
                 ',' + FormatDay(DayOfMs(end)) + 'T' + FormatClock(end - ToMs(DayOfMs(end))) + ')';
  return fields;
}

// "the last 3 days", "next two quarters", "5 past minutes".
DateFields RollingFields(const Length& length, bool past, const ReferencePoint& reference) {
  if (length.IsClockLength()) {
    const std::int64_t moved = MoveBy(reference.ms, length, past ? -1 : 1);
    return Instants(std::min(moved, reference.ms), std::max(moved, reference.ms),
                    GranularityOf(length.Finest()));
  }
  const Unit unit = length.Finest();
  DaySpan span;
  if (length.size == 1 && (unit == Unit::kQuarter || unit == Unit::kWeekend)) {
    const int count = std::clamp(static_cast<int>(length.amounts[0].count), 1, 1000);
    span.start = PeriodAround(reference.today, unit, past ? -count : 1).start;
    span.end = PeriodAround(reference.today, unit, past ? -1 : count).end;
  } else if (past) {
    span = {DayOfMs(MoveBy(ToMs(reference.today), length, -1)), reference.today};
  } else {
    const Day tomorrow = AddDays(reference.today, 1);
    span = {tomorrow, DayOfMs(MoveBy(ToMs(tomorrow), length, 1))};
    if (unit == Unit::kBusinessDay) {
      span.end = AddDays(DayOfMs(MoveBy(ToMs(reference.today), length, 1)), 1);
    }
  }
  DateFields fields =
      Settle(span, GranularityOf(unit),
             '(' + FormatDay(span.start) + ',' + FormatDay(span.end) + ',' + length.Timex() + ')');
  fields.rolling = true;
  fields.approximate = length.vague;
  return fields;
}

// "last week", "this calendar year", "the next quarter", "these two weeks".
MaybeReading<DateFields> ReadRelatedUnit(const TokenWindow& w, std::size_t i,
                                         const ReferencePoint& reference) {
  const auto relation = ReadRelation(w, i);
  if (!relation) {
    return std::nullopt;
  }
  std::size_t at = relation->next;
  if (w.IsAny(at, {"calendar", "fiscal", "school", "academic", "working", "work"}) &&
      w.IsAny(at + 1, {"year", "week", "month", "quarter"})) {
    ++at;
  }
  const bool working = w.IsAny(at - 1, {"working", "work"}) && w.Is(at, "week");
  if (const auto unit = ReadUnit(w, at); unit && !w.At(at).roles.plural) {
    const int step = StepOf(relation->value);
    if (unit->value.count > 1) {
      Length fortnight;
      fortnight.amounts[fortnight.size++] = unit->value;
      return Reading<DateFields>{RollingFields(fortnight, step <= 0, reference), unit->next};
    }
    // "last night" is a part of a day, "last second" an instant, "that day" another day.
    if (w.Is(at, "night") || w.IsAny(relation->next - 1, {"same", "that"})) {
      if (unit->value.unit <= Unit::kDay) {
        return std::nullopt;
      }
    }
    if (unit->value.unit < Unit::kDay) {
      if (step == 0) {
        return std::nullopt;
      }
      Length length;
      length.amounts[length.size++] = unit->value;
      return Reading<DateFields>{RollingFields(length, step < 0, reference), unit->next};
    }
    int offset = step;
    // A weekend named on a weekend: the one before it is over.
    if (unit->value.unit == Unit::kWeekend && relation->value == Relation::kComing &&
        WeekdayOf(reference.today) < 5) {
      offset = 0;
    }
    DateFields fields = PeriodFields(reference.today, unit->value.unit, offset);
    if (working) {
      fields.span.end = AddDays(fields.span.start, 5);
    }
    fields.approximate = w.IsAny(relation->next - 1, {"same", "that"});
    return Reading<DateFields>{std::move(fields), unit->next};
  }
  // "the last few months", "next 2 days".
  if (relation->value == Relation::kThis) {
    return std::nullopt;
  }
  if (const auto length = ReadLength(w, at); length && w.At(length->next - 1).roles.unit >= 0) {
    return Reading<DateFields>{RollingFields(length->value, StepOf(relation->value) < 0, reference),
                               length->next};
  }
  return std::nullopt;
}

// "5 past minutes", "the 2 next days".
MaybeReading<DateFields> ReadCountedRelation(const TokenWindow& w, std::size_t i,
                                             const ReferencePoint& reference) {
  const auto count = ReadCardinal(w, w.Is(i, "the") ? i + 1 : i);
  if (!count || count->value < 1 || count->value > 10'000) {
    return std::nullopt;
  }
  const auto relation = ReadRelation(w, count->next);
  if (!relation || relation->value == Relation::kThis) {
    return std::nullopt;
  }
  const auto unit = ReadUnit(w, relation->next);
  if (!unit || (count->value > 1 && !w.At(unit->next - 1).roles.plural)) {
    return std::nullopt;
  }
  Length length;
  length.amounts[length.size++] = {count->value * unit->value.count, unit->value.unit};
  return Reading<DateFields>{RollingFields(length, StepOf(relation->value) < 0, reference),
                             unit->next};
}

// "the week", "this very month", bare "weekend".
MaybeReading<DateFields> ReadDefiniteUnit(const TokenWindow& w, std::size_t i,
                                          const ReferencePoint& reference) {
  if (w.Is(i, "weekend") || (w.Is(i, "the") && w.Is(i + 1, "weekend"))) {
    const std::size_t next = w.Is(i, "the") ? i + 2 : i + 1;
    if (!w.EndsNounPhrase(next) && next < w.limit()) {
      return std::nullopt;
    }
    // Told as past before it has begun, it is the one before.
    const bool over = reference.past_told && WeekdayOf(reference.today) < 5;
    return Reading<DateFields>{PeriodFields(reference.today, Unit::kWeekend, over ? -1 : 0), next};
  }
  if (!w.Is(i, "the")) {
    return std::nullopt;
  }
  const auto unit = ReadUnit(w, i + 1);
  if (!unit || w.At(i + 1).roles.plural || unit->value.count > 1 || w.Is(i + 1, "night")) {
    return std::nullopt;
  }
  if (unit->value.unit != Unit::kDay && unit->value.unit != Unit::kWeek &&
      unit->value.unit != Unit::kMonth && unit->value.unit != Unit::kYear) {
    return std::nullopt;
  }
  // "the day I met him" names another day; at the end of a clause it is today.
  const Token& after = w.At(unit->next);
  const bool closed = unit->next >= w.limit() ||
                      (after.kind == TokenKind::kSymbol && after.text != "-" && after.text != "\"");
  if (!closed) {
    return std::nullopt;
  }
  const std::string_view before = w.Before(i).text;
  if (before != "for" && before != "of" && before != "in" && before != "during") {
    return std::nullopt;
  }
  return Reading<DateFields>{PeriodFields(reference.today, unit->value.unit, 0), unit->next};
}

// "the week after next", "the weekend before last".
MaybeReading<DateFields> ReadSecondNeighbour(const TokenWindow& w, std::size_t i,
                                             const ReferencePoint& reference) {
  const std::size_t at = w.Is(i, "the") ? i + 1 : i;
  const bool before = w.AreWords(at + 1, {"before", "last"});
  if (!before && !w.AreWords(at + 1, {"after", "next"})) {
    return std::nullopt;
  }
  const int step = before ? -2 : 2;
  const Token& token = w.At(at);
  if (token.roles.weekday >= 0) {
    const Day this_week = AddDays(StartOfWeek(reference.today), token.roles.weekday);
    return Reading<DateFields>{SettleDay(AddDays(this_week, 7 * step)), at + 3};
  }
  const auto unit = ReadUnit(w, at);
  if (!unit || unit->value.unit < Unit::kDay || token.roles.plural) {
    return std::nullopt;
  }
  return Reading<DateFields>{PeriodFields(reference.today, unit->value.unit, step), at + 3};
}

// The weeks of a period are those whose Thursday lies in it (ISO 8601); its weekends those whose
// Saturday does. `nth` counts from 1, -1 is the last; `count` units from there on.
std::optional<DateFields> NthOf(DaySpan whole, Unit unit, int nth, int count) {
  DaySpan span;
  if (unit == Unit::kWeek || unit == Unit::kWeekend) {
    const int key = unit == Unit::kWeek ? 3 : 5;
    Day first = AddDays(StartOfWeek(whole.start), key);
    if (first < whole.start) {
      first = AddDays(first, 7);
    }
    Day last = AddDays(StartOfWeek(AddDays(whole.end, -1)), key);
    if (last >= whole.end) {
      last = AddDays(last, -7);
    }
    const Day chosen = nth > 0 ? AddDays(first, std::int64_t{7} * (nth - 1))
                               : AddDays(last, std::int64_t{-7} * (count - 1));
    if (chosen >= whole.end || chosen < whole.start) {
      return std::nullopt;
    }
    span.start = unit == Unit::kWeek ? StartOfWeek(chosen) : chosen;
    span.end = AddDays(span.start, std::int64_t{7} * (count - 1) + (unit == Unit::kWeek ? 7 : 2));
  } else {
    const int offset = nth > 0 ? nth - 1 : -count;
    const Day origin = nth > 0 ? whole.start : whole.end;
    span = {PeriodAround(origin, unit, offset).start,
            PeriodAround(origin, unit, offset + count - 1).end};
    if (nth > 0 && span.start >= whole.end) {
      return std::nullopt;
    }
  }
  std::string timex = count == 1 ? PeriodTimex(span, unit)
                                 : '(' + FormatDay(span.start) + ',' + FormatDay(span.end) + ')';
  DateFields fields = Settle(span, GranularityOf(unit), std::move(timex));
  fields.rolling = count > 1;
  return fields;
}

// The period after "of": "of July", "in 2021", "of last year", "of the month".
std::optional<Reading<PlacedDate>> ReadWhole(const TokenWindow& w, std::size_t i,
                                             Direction direction, const ReferencePoint& reference,
                                             int depth) {
  std::size_t at = i;
  if (w.IsAny(at, {"of", "in"})) {
    ++at;
  }
  if (w.Is(at, "the") && w.IsAny(at + 1, {"month", "year", "week", "quarter", "decade"}) &&
      !w.IsAny(at + 2, {"of", "before", "after"}) && ReadYear(w, at + 2) == std::nullopt) {
    const auto unit = ReadUnit(w, at + 1);
    const DateFields fields = PeriodFields(reference.today, unit->value.unit, 0);
    return Reading<PlacedDate>{{fields.span, fields.granularity, fields.timex}, at + 2};
  }
  const auto date = ReadDate(w, at, direction, reference, depth + 1);
  if (!date || date->value.instant) {
    return std::nullopt;
  }
  auto placed = Place(date->value, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  return Reading<PlacedDate>{std::move(*placed), date->next};
}

struct Rank {
  int nth = 1;
  int count = 1;
};

// "first", "3rd", "last", "the last 3", "first ten", "week 3" is another form.
MaybeReading<Rank> ReadRank(const TokenWindow& w, std::size_t i) {
  std::size_t at = w.Is(i, "the") ? i + 1 : i;
  Rank rank;
  if (w.IsAny(at, {"last", "final"})) {
    rank.nth = -1;
    ++at;
  } else if (const auto ordinal = ReadOrdinal(w, at); ordinal && ordinal->value <= 366) {
    rank.nth = ordinal->value;
    at = ordinal->next;
  } else {
    return std::nullopt;
  }
  if (rank.nth <= 1) {
    if (const auto count = ReadCardinal(w, at); count && count->value >= 1 && count->value <= 366) {
      rank.count = count->value;
      at = count->next;
    } else if (w.IsAny(at, {"few", "couple"})) {
      rank.count = w.Is(at, "few") ? 3 : 2;
      at += w.Is(at + 1, "of") ? 2U : 1U;
    }
  }
  return Reading<Rank>{rank, at};
}

// "the first week of July", "last 3 weeks of this year", "the first Monday of May", "next year's
// first quarter" reads the other way round.
MaybeReading<DateFields> ReadRankedPart(const TokenWindow& w, std::size_t i, Direction direction,
                                        const ReferencePoint& reference, int depth) {
  const auto rank = ReadRank(w, i);
  if (!rank) {
    return std::nullopt;
  }
  const int weekday = w.At(rank->next).roles.weekday;
  const auto unit = ReadUnit(w, rank->next);
  if (!unit && weekday < 0) {
    return std::nullopt;
  }
  const std::size_t of_at = unit ? unit->next : rank->next + 1;
  const bool quarter_year = unit && unit->value.unit == Unit::kQuarter;
  if (!w.IsAny(of_at, {"of", "in"}) && !quarter_year) {
    return std::nullopt;
  }
  auto whole = ReadWhole(w, of_at, direction, reference, depth);
  if (!whole) {
    return std::nullopt;
  }
  if (weekday >= 0 && !unit) {
    if (whole->value.granularity != TimeGranularity::kMonth) {
      return std::nullopt;
    }
    const Ymd month = YmdOf(whole->value.span.start);
    const Day day =
        NthWeekday(month.year, month.month, weekday, rank->value.nth < 0 ? 5 : rank->value.nth);
    return Reading<DateFields>{SettleDay(day), whole->next};
  }
  if (unit->value.unit < Unit::kDay ||
      GranularityOf(unit->value.unit) >= whole->value.granularity) {
    return std::nullopt;
  }
  auto fields = NthOf(whole->value.span, unit->value.unit, rank->value.nth, rank->value.count);
  if (!fields) {
    return std::nullopt;
  }
  return Reading<DateFields>{std::move(*fields), whole->next};
}

// "week 3 of 2027", "week 23".
MaybeReading<DateFields> ReadNumberedWeek(const TokenWindow& w, std::size_t i,
                                          const ReferencePoint& reference) {
  const std::size_t at = w.Is(i, "the") ? i + 1 : i;
  if (!w.Is(at, "week")) {
    return std::nullopt;
  }
  const Token& number = w.At(at + 1);
  if (number.kind != TokenKind::kNumber || number.number < 1 || number.number > 53 ||
      number.digits > 2) {
    return std::nullopt;
  }
  std::size_t next = at + 2;
  int year = YmdOf(reference.today).year;
  if (w.IsAny(next, {"of", "in", ","})) {
    if (const auto read = ReadYear(w, next + 1)) {
      year = read->value;
      next = read->next;
    }
  }
  const Day monday = IsoWeekStart(year, number.number);
  return Reading<DateFields>{PeriodFields(monday, Unit::kWeek, 0), next};
}

// "the week of 3 May", "the week starting on February 4", "w/c Feb 4".
MaybeReading<DateFields> ReadWeekOf(const TokenWindow& w, std::size_t i, Direction direction,
                                    const ReferencePoint& reference, int depth) {
  std::size_t at = w.Is(i, "the") ? i + 1 : i;
  bool weekend = false;
  if (w.AreWords(at, {"w", "/", "c"})) {
    at += 3;
  } else if (w.IsAny(at, {"week", "weekend"})) {
    weekend = w.Is(at, "weekend");
    ++at;
    if (w.IsAny(at, {"of", "starting", "beginning", "commencing"})) {
      at += w.IsAny(at + 1, {"on", "from"}) ? 2U : 1U;
    } else {
      return std::nullopt;
    }
  } else {
    return std::nullopt;
  }
  const auto date = ReadDate(w, at, direction, reference, depth + 1);
  if (!date || !date->value.IsSingleDay()) {
    return std::nullopt;
  }
  const auto placed = Place(date->value, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  return Reading<DateFields>{
      PeriodFields(placed->span.start, weekend ? Unit::kWeekend : Unit::kWeek, 0), date->next};
}

enum class Edge : std::uint8_t { kStart, kMiddle, kEnd, kEarlier, kLater, kRest };

MaybeReading<Edge> ReadEdge(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.Is(at, "the")) {
    ++at;
  }
  if (w.Is(at, "very")) {
    ++at;
  }
  const auto of = [&w](std::size_t from) { return w.IsAny(from, {"of", "in"}) ? from + 1 : from; };
  if (w.IsAny(at, {"early"})) {
    return Reading<Edge>{Edge::kStart, of(at + 1)};
  }
  if (w.IsAny(at, {"late"})) {
    return Reading<Edge>{Edge::kEnd, of(at + 1)};
  }
  if (w.Is(at, "earlier")) {
    return Reading<Edge>{Edge::kEarlier, of(at + 1)};
  }
  if (w.Is(at, "later")) {
    return Reading<Edge>{Edge::kLater, of(at + 1)};
  }
  if (w.Is(at, "mid")) {
    return Reading<Edge>{Edge::kMiddle, w.Is(at + 1, "-") ? at + 2 : at + 1};
  }
  if (w.AreWords(at, {"rest", "of"}) || w.AreWords(at, {"remaining", "of"}) ||
      w.AreWords(at, {"remainder", "of"})) {
    return Reading<Edge>{Edge::kRest, at + 2};
  }
  if (w.Is(at + 1, "of")) {
    if (w.IsAny(at, {"beginning", "start"})) {
      return Reading<Edge>{Edge::kStart, at + 2};
    }
    if (w.Is(at, "middle")) {
      return Reading<Edge>{Edge::kMiddle, at + 2};
    }
    if (w.Is(at, "end")) {
      return Reading<Edge>{Edge::kEnd, at + 2};
    }
  }
  return std::nullopt;
}

// The part of a period that an edge names. Halves, except that the middle of a month is its 10th to
// 20th day and the ends of a year are four months long.
DaySpan CutEdge(DaySpan whole, Edge edge, TimeGranularity granularity, Day today) {
  const auto length = (whole.end - whole.start).count();
  Day middle = AddDays(whole.start, length / 2);
  if (granularity == TimeGranularity::kYear) {
    middle = AddMonths(whole.start, 6);
  }
  if (granularity == TimeGranularity::kMonth) {
    middle = AddDays(whole.start, 15);
  }
  const bool year = granularity == TimeGranularity::kYear;
  switch (edge) {
    case Edge::kStart:
      return {whole.start, year ? AddMonths(whole.start, 4) : middle};
    case Edge::kEnd:
      return {year ? AddMonths(whole.start, 8) : middle, whole.end};
    case Edge::kMiddle:
      if (granularity == TimeGranularity::kMonth) {
        return {AddDays(whole.start, 9), AddDays(whole.start, 20)};
      }
      return {AddDays(whole.start, length / 3), AddDays(whole.start, length - length / 3)};
    case Edge::kEarlier:
      return {whole.start, today > whole.start && today < middle ? today : middle};
    case Edge::kLater:
      return {today > middle && today < whole.end ? today : middle, whole.end};
    case Edge::kRest:
      return {today > whole.start && today < whole.end ? today : whole.start, whole.end};
  }
  return whole;
}

MaybeReading<DateFields> ReadEdgedPeriod(const TokenWindow& w, std::size_t i, Direction direction,
                                         const ReferencePoint& reference, int depth) {
  if (w.AreWords(i, {"year", "to", "date"})) {
    const DaySpan span{PeriodAround(reference.today, Unit::kYear, 0).start, reference.today};
    return Reading<DateFields>{Settle(span, TimeGranularity::kYear, FormatYear(span.start)), i + 3};
  }
  if (w.Is(i, "eod") || w.AreWords(i, {"the", "eod"})) {
    DateFields fields = SettleDay(reference.today);
    fields.instant = true;
    fields.end_ms = ToMs(fields.span.end);
    fields.start_ms = fields.end_ms - kMsPerSecond;
    fields.granularity = TimeGranularity::kSecond;
    fields.timex += "T23:59:59";
    return Reading<DateFields>{std::move(fields), w.Is(i, "eod") ? i + 1 : i + 2};
  }
  const auto edge = ReadEdge(w, i);
  if (!edge) {
    return std::nullopt;
  }
  std::size_t at = edge->next;
  if (edge->value == Edge::kMiddle && w.Is(at, "-")) {
    ++at;
  }
  std::optional<Reading<PlacedDate>> whole;
  const std::size_t unit_at = w.Is(at, "the") ? at + 1 : at;
  if (const auto unit = ReadUnit(w, unit_at);
      unit && !w.At(unit_at).roles.plural && unit->value.unit >= Unit::kDay &&
      !w.IsAny(unit->next, {"of", "before", "after"}) && !w.Is(unit_at, "night")) {
    const DateFields fields = PeriodFields(reference.today, unit->value.unit, 0);
    whole = Reading<PlacedDate>{{fields.span, fields.granularity, fields.timex}, unit->next};
  } else {
    whole = ReadWhole(w, at, direction, reference, depth);
    if (!whole && w.Is(at, "the")) {
      whole = ReadWhole(w, at + 1, direction, reference, depth);
    }
  }
  if (!whole || whole->value.granularity < TimeGranularity::kDay) {
    return std::nullopt;
  }
  if (whole->value.granularity == TimeGranularity::kDay) {
    const std::int64_t start = ToMs(whole->value.span.start);
    const std::int64_t end = ToMs(whole->value.span.end);
    const bool first = edge->value == Edge::kStart || edge->value == Edge::kEarlier;
    DateFields fields = SettleDay(whole->value.span.start);
    fields.instant = true;
    fields.start_ms = first ? start : end - kMsPerDay / 2;
    fields.end_ms = first ? start + kMsPerDay / 2 : end;
    fields.granularity = TimeGranularity::kPartOfDay;
    if (edge->value == Edge::kEnd && w.Is(edge->next - 1, "of")) {
      fields.start_ms = end - kMsPerSecond;
      fields.timex += "T23:59:59";
    }
    return Reading<DateFields>{std::move(fields), whole->next};
  }
  const DaySpan cut =
      CutEdge(whole->value.span, edge->value, whole->value.granularity, reference.today);
  DateFields fields = Settle(cut, whole->value.granularity, whole->value.timex);
  fields.approximate = true;
  return Reading<DateFields>{std::move(fields), whole->next};
}

// "next year's first quarter", "this year's summer".
MaybeReading<DateFields> ReadPossessivePart(const TokenWindow& w, std::size_t i,
                                            const ReferencePoint& reference) {
  const auto whole = ReadRelatedUnit(w, i, reference);
  if (!whole || !w.Is(whole->next, "'s")) {
    return std::nullopt;
  }
  const auto rank = ReadRank(w, whole->next + 1);
  if (!rank) {
    return std::nullopt;
  }
  const auto unit = ReadUnit(w, rank->next);
  if (!unit || unit->value.unit < Unit::kDay) {
    return std::nullopt;
  }
  auto fields = NthOf(whole->value.span, unit->value.unit, rank->value.nth, rank->value.count);
  if (!fields) {
    return std::nullopt;
  }
  return Reading<DateFields>{std::move(*fields), unit->next};
}

}  // namespace

MaybeReading<DateFields> ReadPeriod(const TokenWindow& w, std::size_t i, Direction direction,
                                    const ReferencePoint& reference, int depth) {
  MaybeReading<DateFields> best;
  const auto keep = [&best](MaybeReading<DateFields> reading) {
    if (reading && (!best || reading->next > best->next)) {
      best = std::move(reading);
    }
  };
  keep(ReadRelatedUnit(w, i, reference));
  keep(ReadCountedRelation(w, i, reference));
  keep(ReadDefiniteUnit(w, i, reference));
  keep(ReadSecondNeighbour(w, i, reference));
  keep(ReadRankedPart(w, i, direction, reference, depth));
  keep(ReadPossessivePart(w, i, reference));
  keep(ReadNumberedWeek(w, i, reference));
  keep(ReadFiscalPart(w, i, direction, reference));
  keep(ReadYearDate(w, i));
  keep(ReadDecade(w, i));
  keep(ReadSeason(w, i, direction, reference));
  keep(ReadWeekOf(w, i, direction, reference, depth));
  keep(ReadEdgedPeriod(w, i, direction, reference, depth));
  return best;
}

}  // namespace umbranet::temporal
