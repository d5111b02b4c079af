#include "umbranet/extraction/temporal_dates.h"

#include <algorithm>
#include <array>
#include <utility>

namespace umbranet::temporal {
namespace {

int Sign(Direction direction) {
  return direction == Direction::kPast ? -1 : 1;
}

// Whether a candidate day lies on the side that the direction asks for. The past excludes today:
// who means today says so.
bool OnSide(Day day, Direction direction, Day today) {
  return direction == Direction::kPast ? day < today : day >= today;
}

Day PlaceWeekday(int weekday, Relation relation, Direction direction, Day today) {
  const int current = WeekdayOf(today);
  const Day this_week = AddDays(StartOfWeek(today), weekday);
  const int back = (current - weekday + 7) % 7 == 0 ? 7 : (current - weekday + 7) % 7;
  const int ahead = (weekday - current + 7) % 7;
  switch (relation) {
    case Relation::kLast:
    case Relation::kPast:
      return AddDays(today, -back);
    case Relation::kPrevious:
      return AddDays(this_week, -7);
    case Relation::kThis:
      return this_week;
    case Relation::kNext:
      return AddDays(this_week, 7);
    case Relation::kComing:
      return AddDays(today, ahead == 0 ? 7 : ahead);
    case Relation::kNone:
      break;
  }
  return direction == Direction::kPast ? AddDays(today, -back) : AddDays(today, ahead);
}

std::optional<Day> PlaceMonthDay(const DateFields& f, Direction direction, Day today) {
  const int year = YmdOf(today).year;
  if (f.relation == Relation::kThis) {
    return MakeDay(year, f.month, f.day);
  }
  if (f.relation == Relation::kLast || f.relation == Relation::kPast ||
      f.relation == Relation::kPrevious) {
    direction = Direction::kPast;
  }
  if (f.relation == Relation::kNext || f.relation == Relation::kComing) {
    direction = Direction::kFuture;
  }
  // A leap day returns after at most eight years.
  for (int step = 0; step <= 8; ++step) {
    const auto day = MakeDay(year + Sign(direction) * step, f.month, f.day);
    if (!day) {
      continue;
    }
    if (*day == today && f.relation == Relation::kNone) {
      return day;
    }
    if (!OnSide(*day, direction, today)) {
      continue;
    }
    if (f.relation == Relation::kNext && f.weekday < 0 && *day == today) {
      continue;
    }
    return day;
  }
  return std::nullopt;
}

std::optional<Day> PlaceDayOfMonth(const DateFields& f, Direction direction, Day today) {
  const Ymd now = YmdOf(today);
  // "Monday the 21st" within this month needs no tense.
  if (f.weekday >= 0) {
    const auto here = MakeDay(now.year, now.month, f.day);
    if (here && WeekdayOf(*here) == f.weekday) {
      return here;
    }
  }
  std::optional<Day> nearest;
  for (int step = 0; step <= 24; ++step) {
    const Ymd month = YmdOf(FirstOfMonth(now.year, now.month + Sign(direction) * step));
    const auto day = MakeDay(month.year, month.month, f.day);
    if (!day || !OnSide(*day, direction, today)) {
      continue;
    }
    if (!nearest) {
      nearest = day;
    }
    if (f.weekday < 0 || WeekdayOf(*day) == f.weekday) {
      return day;
    }
  }
  return nearest;
}

DaySpan PlaceMonth(const DateFields& f, Direction direction, Day today) {
  const Ymd now = YmdOf(today);
  int year = now.year;
  switch (f.relation) {
    case Relation::kThis:
      break;
    case Relation::kLast:
    case Relation::kPrevious:
    case Relation::kPast:
      if (f.month >= now.month) {
        --year;
      }
      break;
    case Relation::kNext:
    case Relation::kComing:
      if (f.month <= now.month) {
        ++year;
      }
      break;
    case Relation::kNone:
      if (direction == Direction::kPast && f.month > now.month) {
        --year;
      }
      if (direction == Direction::kFuture && f.month < now.month) {
        ++year;
      }
      break;
  }
  return {FirstOfMonth(year, f.month), FirstOfMonth(year, f.month + 1)};
}

}  // namespace

std::optional<PlacedDate> Place(const DateFields& f, Direction direction,
                                const ReferencePoint& reference) {
  if (f.settled) {
    return PlacedDate{f.span, f.granularity, f.timex};
  }
  std::optional<Day> day;
  if (f.year > 0 && f.month > 0 && f.day > 0) {
    day = MakeDay(f.year, f.month, f.day);
  } else if (f.year > 0 && f.month > 0) {
    const DaySpan span{FirstOfMonth(f.year, f.month), FirstOfMonth(f.year, f.month + 1)};
    return PlacedDate{span, TimeGranularity::kMonth, FormatMonth(span.start)};
  } else if (f.year > 0) {
    const DaySpan span{FirstOfMonth(f.year, 1), FirstOfMonth(f.year + 1, 1)};
    return PlacedDate{span, TimeGranularity::kYear, FormatYear(span.start)};
  } else if (f.month > 0 && f.day > 0) {
    day = PlaceMonthDay(f, direction, reference.today);
  } else if (f.month > 0) {
    const DaySpan span = PlaceMonth(f, direction, reference.today);
    return PlacedDate{span, TimeGranularity::kMonth, FormatMonth(span.start)};
  } else if (f.day > 0) {
    day = PlaceDayOfMonth(f, direction, reference.today);
  } else if (f.weekday >= 0) {
    day = PlaceWeekday(f.weekday, f.relation, direction, reference.today);
  }
  if (!day) {
    return std::nullopt;
  }
  return PlacedDate{{*day, AddDays(*day, 1)}, TimeGranularity::kDay, FormatDay(*day)};
}

DateFields Settle(DaySpan span, TimeGranularity granularity, std::string timex) {
  DateFields fields;
  fields.settled = true;
  fields.span = span;
  fields.granularity = granularity;
  fields.timex = std::move(timex);
  return fields;
}

DateFields SettleDay(Day day) {
  return Settle({day, AddDays(day, 1)}, TimeGranularity::kDay, FormatDay(day));
}

std::optional<DateFields> Settled(const DateFields& fields, Direction direction,
                                  const ReferencePoint& reference) {
  if (fields.settled) {
    return fields;
  }
  auto placed = Place(fields, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  DateFields settled = Settle(placed->span, placed->granularity, std::move(placed->timex));
  settled.approximate = fields.approximate;
  return settled;
}

int StepOf(Relation relation) {
  switch (relation) {
    case Relation::kLast:
    case Relation::kPrevious:
    case Relation::kPast:
      return -1;
    case Relation::kNext:
    case Relation::kComing:
      return 1;
    case Relation::kNone:
    case Relation::kThis:
      break;
  }
  return 0;
}

MaybeReading<Relation> ReadRelation(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.Is(at, "the") || w.Is(at, "these")) {
    ++at;
  }
  if (w.IsAny(at, {"this", "these"})) {
    if (w.IsAny(at + 1, {"past", "last"})) {
      return Reading<Relation>{Relation::kPast, at + 2};
    }
    if (w.IsAny(at + 1, {"coming", "upcoming", "next"})) {
      return Reading<Relation>{Relation::kComing, at + 2};
    }
    return Reading<Relation>{Relation::kThis, at + 1};
  }
  if (w.IsAny(at, {"current", "same", "that"})) {
    return Reading<Relation>{Relation::kThis, at + 1};
  }
  if (w.Is(at, "last")) {
    return Reading<Relation>{Relation::kLast, at + 1};
  }
  if (w.Is(at, "previous")) {
    return Reading<Relation>{Relation::kPrevious, at + 1};
  }
  if (w.Is(at, "past")) {
    return Reading<Relation>{Relation::kPast, at + 1};
  }
  if (w.IsAny(at, {"next", "following"})) {
    return Reading<Relation>{Relation::kNext, at + 1};
  }
  if (w.IsAny(at, {"coming", "upcoming"})) {
    return Reading<Relation>{Relation::kComing, at + 1};
  }
  return std::nullopt;
}

MaybeReading<DateFields> ReadDate(const TokenWindow& w, std::size_t i, Direction direction,
                                  const ReferencePoint& reference, int depth) {
  constexpr int kDepthMax = 3;
  if (depth >= kDepthMax || i >= w.limit() || !w.At(i).starter) {
    return std::nullopt;
  }
  MaybeReading<DateFields> best;
  const auto keep = [&best](MaybeReading<DateFields> reading) {
    if (reading && (!best || reading->next > best->next)) {
      best = std::move(reading);
    }
  };
  keep(ReadCalendarDate(w, i, reference));
  keep(ReadRelativeDay(w, i, reference));
  keep(ReadHoliday(w, i, direction, reference));
  keep(ReadPeriod(w, i, direction, reference, depth));
  keep(ReadMovedDate(w, i, direction, reference, depth));
  return best;
}

}  // namespace umbranet::temporal
