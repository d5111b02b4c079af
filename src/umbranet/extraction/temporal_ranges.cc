#include <algorithm>
#include <optional>
#include <utility>

#include "umbranet/extraction/temporal_grammar.h"

namespace umbranet::temporal {
namespace {

// One side of a range: a point, or a bare day of the month that the other side completes.
struct Side {
  Point point;
  int bare_day = 0;
};

MaybeReading<Side> ReadSide(const TokenWindow& w, std::size_t i, Direction direction,
                            const ReferencePoint& reference) {
  MaybeReading<Side> best;
  if (auto point = ReadPoint(w, i, direction, reference)) {
    best = Reading<Side>{{std::move(point->value), 0}, point->next};
  }
  const std::size_t at = w.Is(i, "the") ? i + 1 : i;
  MaybeReading<int> day = ReadOrdinal(w, at);
  if (!day && w.At(at).kind == TokenKind::kNumber && w.At(at).digits <= 2) {
    day = ReadCardinal(w, at);
  }
  if (day && day->value >= 1 && day->value <= 31 && (!best || day->next > best->next)) {
    best = Reading<Side>{{Point{}, day->value}, day->next};
  }
  return best;
}

bool HasMonthDay(const Point& point) {
  return point.date && !point.date->settled && point.date->month > 0;
}

// Gives each side what it left to the other: "3 to 5 May", "May 3-5", "Jan-Feb 2017".
bool CompleteSides(Side& a, Side& b) {
  if (a.bare_day > 0) {
    if (b.bare_day > 0) {
      return false;
    }
    if (!HasMonthDay(b.point) || b.point.date->day == 0 || b.point.clock) {
      return false;
    }
    DateFields fields = *b.point.date;
    fields.day = a.bare_day;
    fields.weekday = -1;
    // "from the twenty-seventh to the third of April" begins in the month before.
    if (a.bare_day > b.point.date->day) {
      if (fields.month == 1 && fields.year > 0) {
        --fields.year;
      }
      fields.month = fields.month == 1 ? 12 : fields.month - 1;
    }
    a.point.date = fields;
    return true;
  }
  if (b.bare_day > 0) {
    if (!HasMonthDay(a.point) || a.point.date->day == 0 || a.point.clock) {
      return false;
    }
    if (b.bare_day <= a.point.date->day) {
      return false;
    }
    DateFields fields = *a.point.date;
    fields.day = b.bare_day;
    fields.weekday = -1;
    b.point.date = fields;
    return true;
  }
  return true;
}

bool IsYearless(const DateFields& date) {
  return !date.settled && date.year == 0 && date.month > 0;
}

// Two sides of one kind: a date with a date, a clock with a clock or with a dated clock.
bool SidesMatch(const Point& a, const Point& b) {
  if (a.now || b.now) {
    return true;
  }
  if (a.clock_to || b.clock_to) {
    return false;
  }
  const bool a_clock = a.clock.has_value();
  const bool b_clock = b.clock.has_value();
  if (a_clock != b_clock) {
    return false;
  }
  if (a_clock) {
    return true;
  }
  if (!a.date || !b.date) {
    return false;
  }
  return a.part.part == PartOfDay::kNone && b.part.part == PartOfDay::kNone;
}

struct BothPlaced {
  Placed a;
  Placed b;
};

// The second side is the first match after the first side, whichever way the tense points.
std::optional<BothPlaced> PlaceInDirection(Point a, Point b, Direction direction,
                                           const ReferencePoint& reference) {
  if (a.date && b.date && IsYearless(*a.date) && a.date->relation == Relation::kNone &&
      !b.date->settled && b.date->year > 0) {
    const auto before = [](const DateFields& x, const DateFields& y) {
      return x.month < y.month || (x.month == y.month && x.day <= y.day);
    };
    a.date->year = before(*a.date, *b.date) ? b.date->year : b.date->year - 1;
  }
  if (!a.date && b.date && b.clock && a.clock && !b.date->settled) {
    a.date = b.date;
  }
  auto first = PlacePoint(a, direction, reference);
  if (!first) {
    return std::nullopt;
  }
  if (a.date && b.clock && !b.date) {
    b.date = SettleDay(DayOfMs(first->start_ms));
  }
  ReferencePoint later = reference;
  const bool dependent =
      b.date && !b.date->settled && b.date->year == 0 && b.date->relation == Relation::kNone;
  if (dependent) {
    later.today = DayOfMs(first->start_ms);
    later.ms = ToMs(later.today);
  }
  auto second = PlacePoint(b, dependent ? Direction::kFuture : direction, later);
  if (!second) {
    return std::nullopt;
  }
  if (b.clock && b.clock->meridiem == Meridiem::kUnknown && second->start_ms <= first->start_ms) {
    second->start_ms += kMsPerDay / 2;
    second->end_ms += kMsPerDay / 2;
  }
  // "Monday to Friday" told as past is over by now.
  const bool weekdays = a.date && b.date && a.date->IsWeekdayOnly() && b.date->IsWeekdayOnly();
  if (weekdays && direction == Direction::kPast && reference.past_told &&
      second->start_ms > reference.ms) {
    for (Placed* side : {&*first, &*second}) {
      side->start_ms -= 7 * kMsPerDay;
      side->end_ms -= 7 * kMsPerDay;
      side->timex = FormatDay(DayOfMs(side->start_ms));
    }
  }
  return BothPlaced{std::move(*first), std::move(*second)};
}

std::optional<BothPlaced> PlaceBoth(const Point& a, const Point& b, Direction direction,
                                    const ReferencePoint& reference) {
  const bool yearless = a.date && b.date && IsYearless(*a.date) && IsYearless(*b.date);
  if (yearless && direction == Direction::kFuture) {
    // A range that is running already is the one that is meant.
    auto running = PlaceInDirection(a, b, Direction::kPast, reference);
    if (running && running->b.end_ms > reference.ms) {
      return running;
    }
  }
  return PlaceInDirection(a, b, direction, reference);
}

}  // namespace

MaybeReading<TimeExpression> ReadRange(const TokenWindow& w, std::size_t i, Direction direction,
                                       const ReferencePoint& reference) {
  const bool between = w.Is(i, "between");
  const bool opened = between || w.Is(i, "from");
  std::size_t at = opened ? i + 1 : i;
  if (!opened && w.Is(at, "in")) {
    ++at;
  }
  auto a = ReadSide(w, at, direction, reference);
  if (!a) {
    return std::nullopt;
  }
  std::size_t link = a->next;
  if (w.Is(link, ",") && w.IsAny(link + 1, {"to", "until", "till", "through", "-"})) {
    ++link;
  }
  const bool joined = w.IsAny(link, {"to", "till", "until", "through", "thru", "-", "~"}) ||
                      (between && w.Is(link, "and"));
  if (!joined) {
    return std::nullopt;
  }
  if (w.Is(link, "up") && w.Is(link + 1, "to")) {
    ++link;
  }
  auto b = ReadSide(w, link + 1, direction, reference);
  if (!b) {
    return std::nullopt;
  }
  // "3-5" of bare numbers, and "May-12" of a month and a day, are other readings.
  if (!opened && a->value.bare_day > 0 && b->value.bare_day > 0) {
    return std::nullopt;
  }
  if (!CompleteSides(a->value, b->value)) {
    return std::nullopt;
  }
  Point& first = a->value.point;
  Point& second = b->value.point;
  if (!SidesMatch(first, second)) {
    return std::nullopt;
  }
  auto both = PlaceBoth(first, second, direction, reference);
  if (!both) {
    return std::nullopt;
  }
  TimeExpression expression;
  expression.kind = TimeExpressionKind::kRange;
  // A day, month or year that ends a range belongs to it; a clock time does not.
  const bool clock_end = second.clock || second.now || (second.date && second.date->instant);
  const std::int64_t end = clock_end ? both->b.start_ms : both->b.end_ms;
  if (end < both->a.start_ms) {
    return std::nullopt;
  }
  expression.range = RangeOf(both->a.start_ms, end);
  expression.granularity = std::min(both->a.granularity, both->b.granularity);
  expression.approximate = both->a.approximate || both->b.approximate;
  expression.timex = '(' + both->a.timex + ',' + both->b.timex + ')';
  return Reading<TimeExpression>{std::move(expression), b->next};
}

}  // namespace umbranet::temporal
