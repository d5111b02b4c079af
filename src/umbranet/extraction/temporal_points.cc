#include "umbranet/extraction/temporal_points.h"

#include <utility>

namespace umbranet::temporal {
namespace {

bool IsTonight(const TokenWindow& w, std::size_t i) {
  return w.IsAny(i, {"tonight", "tonite"});
}

struct DayAndPart {
  int offset = 0;
  DayPart part;
};

// "tonight", "last night", "late this morning", "next evening".
MaybeReading<DayAndPart> ReadNamedPart(const TokenWindow& w, std::size_t i) {
  DayAndPart found;
  std::size_t at = i;
  if (w.IsAny(at, {"early", "earlier"})) {
    found.part.edge = PartEdge::kEarly;
  }
  if (w.IsAny(at, {"late", "later"})) {
    found.part.edge = PartEdge::kLate;
  }
  if (found.part.edge != PartEdge::kWhole) {
    ++at;
  }
  if (IsTonight(w, at)) {
    found.part.part = PartOfDay::kNight;
    return Reading<DayAndPart>{found, at + 1};
  }
  if (w.IsAny(at, {"this", "last", "next", "yesterday", "tomorrow"})) {
    const PartOfDay part = w.At(at + 1).roles.part;
    if (part == PartOfDay::kNone || w.At(at + 1).roles.plural) {
      return std::nullopt;
    }
    if (w.IsAny(at + 1, {"lunch", "dinner", "breakfast"})) {
      return std::nullopt;
    }
    found.part.part = part;
    found.offset = w.IsAny(at, {"last", "yesterday"}) ? -1 : w.Is(at, "this") ? 0 : 1;
    return Reading<DayAndPart>{found, at + 2};
  }
  return std::nullopt;
}

// A second date beside the first: a weekday with its week, or with its day of the month.
std::optional<DateFields> MergeDates(const DateFields& a, const DateFields& b) {
  const auto in_week = [](const DateFields& weekday, const DateFields& week) {
    return SettleDay(AddDays(StartOfWeek(week.span.start), weekday.weekday));
  };
  const auto is_week = [](const DateFields& d) {
    return d.settled && !d.rolling && !d.instant && d.granularity == TimeGranularity::kWeek;
  };
  if (a.IsWeekdayOnly() && is_week(b)) {
    return in_week(a, b);
  }
  if (b.IsWeekdayOnly() && is_week(a)) {
    return in_week(b, a);
  }
  if (a.IsWeekdayOnly() && !b.settled && b.day > 0 && b.weekday < 0) {
    DateFields merged = b;
    merged.weekday = a.weekday;
    return merged;
  }
  if (!a.settled && a.day > 0 && a.weekday < 0 && b.IsWeekdayOnly()) {
    DateFields merged = a;
    merged.weekday = b.weekday;
    return merged;
  }
  // "in 3 days on Friday": the Friday nearest to the day counted.
  if (a.settled && !a.instant && !a.rolling && a.granularity != TimeGranularity::kSeason &&
      a.span.end == AddDays(a.span.start, 1) && b.IsWeekdayOnly()) {
    int shift = b.weekday - WeekdayOf(a.span.start);
    if (shift > 5) {
      shift -= 7;
    }
    if (shift < -1) {
      shift += 7;
    }
    return SettleDay(AddDays(a.span.start, shift));
  }
  return std::nullopt;
}

// Words that may stand between two parts of one point.
std::size_t SkipJoiner(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.IsAny(at, {",", "-"}) && !w.At(at + 1).text.empty()) {
    ++at;
  }
  if (w.IsAny(at, {"on", "of", "for"})) {
    ++at;
  }
  return at;
}

class PointReader {
 public:
  PointReader(const TokenWindow& w, Direction direction, const ReferencePoint& reference)
      : w_(w), direction_(direction), reference_(reference) {}

  MaybeReading<Point> Read(std::size_t i, bool weak_first) {
    next_ = i;
    constexpr int kPartsMax = 6;
    for (int parts = 0; parts < kPartsMax; ++parts) {
      const bool first = parts == 0;
      const std::size_t before = next_;
      if (!(ReadNamed() || ReadRange(first, weak_first) || ReadDatePart(first) || ReadTime(first) ||
            ReadPartOfDay(first))) {
        break;
      }
      if (next_ == before) {
        break;
      }
    }
    if (next_ == i) {
      return std::nullopt;
    }
    const bool placed = point_.date && point_.date->IsSingleDay();
    if (point_.weak && !placed && point_.part.part == PartOfDay::kNone) {
      return std::nullopt;
    }
    return Reading<Point>{std::move(point_), next_};
  }

 private:
  [[nodiscard]] bool CanHaveTime() const { return !point_.date || point_.date->IsSingleDay(); }

  bool ReadNamed() {
    if (point_.part.part != PartOfDay::kNone) {
      return false;
    }
    const std::size_t at = SkipJoiner(w_, next_);
    const auto named = ReadNamedPart(w_, at);
    if (!named || point_.date) {
      return false;
    }
    point_.date = SettleDay(AddDays(reference_.today, named->value.offset));
    point_.part = named->value.part;
    next_ = named->next;
    return true;
  }

  bool ReadRange(bool first, bool weak_first) {
    if (point_.clock || !CanHaveTime()) {
      return false;
    }
    std::size_t at = next_;
    if (!first && w_.Is(at, ",")) {
      ++at;
    }
    if (w_.Is(at, "at")) {
      ++at;
    }
    const auto range = ReadClockRange(w_, at);
    if (!range) {
      return false;
    }
    if (range->value.weak) {
      if (first && !weak_first) {
        return false;
      }
      // "Friday 5-6 people" counts; a comma starts something new.
      if (!first && at != next_) {
        return false;
      }
      if (!first && !w_.EndsNounPhrase(range->next) && range->next < w_.limit() &&
          !ReadNamedPart(w_, range->next)) {
        return false;
      }
    }
    point_.clock = range->value.from;
    point_.clock_to = range->value.to;
    point_.weak = range->value.weak;
    next_ = range->next;
    return true;
  }

  bool ReadTime(bool first) {
    if (point_.clock || !CanHaveTime()) {
      return false;
    }
    std::size_t at = next_;
    if (!first && w_.IsAny(at, {",", "-"})) {
      ++at;
    }
    const bool told = w_.IsAny(at, {"at", "@"});
    if (told) {
      ++at;
    }
    bool loose = false;
    if (w_.IsAny(at, {"around", "about", "approximately", "roughly"})) {
      loose = true;
      ++at;
    }
    auto clock = ReadClock(w_, at);
    const bool dated = point_.date.has_value() || point_.part.part != PartOfDay::kNone;
    if (!clock && (told || (loose && dated))) {
      clock = ReadBareClock(w_, at);
      if (clock && !dated && !w_.EndsNounPhrase(clock->next) && clock->next < w_.limit() &&
          !ReadNamedPart(w_, clock->next) && w_.At(clock->next).roles.part == PartOfDay::kNone) {
        return false;
      }
      if (clock && w_.At(clock->next).roles.unit >= 0) {
        return false;
      }
    }
    // "early morning 7" is a time, "tomorrow 7 people" is not: bare numbers need "at".
    if (!clock) {
      return false;
    }
    if (first && loose && !told && !ReadClock(w_, at)) {
      return false;
    }
    point_.clock = clock->value;
    point_.approximate = point_.approximate || loose || clock->value.approximate;
    next_ = clock->next;
    return true;
  }

  bool ReadDatePart(bool first) {
    std::size_t at = first ? next_ : SkipJoiner(w_, next_);
    if (!first && w_.Is(at, "in") && point_.date && point_.date->IsWeekdayOnly()) {
      ++at;
    }
    if (!first && w_.IsAny(at, {"(", "sometime"})) {
      ++at;
    }
    const bool bracket = w_.Is(at - (at > 0 ? 1 : 0), "(") && !first;
    auto date = ReadDate(w_, at, direction_, reference_, 0);
    if (!date) {
      return false;
    }
    if (bracket && !w_.Is(date->next, ")")) {
      return false;
    }
    const std::size_t after = bracket ? date->next + 1 : date->next;
    if (!point_.date) {
      if (point_.clock && !date->value.IsSingleDay()) {
        return false;
      }
      if (point_.part.part != PartOfDay::kNone && !date->value.IsSingleDay()) {
        return false;
      }
      point_.date = std::move(date->value);
      next_ = after;
      return true;
    }
    // "Wednesday, Thursday" are two dates.
    if (w_.Is(next_, ",") && date->value.IsWeekdayOnly()) {
      return false;
    }
    auto merged = MergeDates(*point_.date, date->value);
    if (!merged) {
      return false;
    }
    point_.date = std::move(*merged);
    next_ = after;
    return true;
  }

  bool ReadPartOfDay(bool first) {
    if (point_.part.part != PartOfDay::kNone || !CanHaveTime()) {
      return false;
    }
    std::size_t at = next_;
    if (!first && w_.Is(at, ",")) {
      ++at;
    }
    bool introduced = false;
    if (w_.IsAny(at, {"in", "during", "at"})) {
      introduced = true;
      ++at;
    }
    if (w_.Is(at, "the") && (introduced || first)) {
      ++at;
    }
    const auto part = ReadDayPart(w_, at);
    if (!part) {
      return false;
    }
    const bool meal = w_.IsAny(part->next - 1, {"lunch", "dinner", "breakfast"});
    if (meal && !introduced) {
      return false;
    }
    if (first && !introduced && part->value.edge == PartEdge::kWhole &&
        !w_.IsAny(at, {"lunchtime", "dinnertime", "daytime", "nighttime"})) {
      return false;
    }
    // "at night" is fine, "at morning" nobody says, "at dinner" is a place.
    if (meal && point_.date == std::nullopt) {
      return false;
    }
    point_.part = part->value;
    next_ = part->next;
    return true;
  }

  const TokenWindow& w_;
  Direction direction_;
  const ReferencePoint& reference_;
  Point point_;
  std::size_t next_ = 0;
};

// Clock hours in the half of the day that follows `from` soonest.
ClockTime After(const ClockTime& from_settled, ClockTime to) {
  if (to.meridiem != Meridiem::kUnknown) {
    return to;
  }
  const int from = from_settled.hour * 60 + from_settled.minute;
  int hour = to.hour % 12;
  if (hour * 60 + to.minute <= from) {
    hour += 12;
  }
  to.hour = hour;
  to.meridiem = Meridiem::kSettled;
  return to;
}

ClockTime AsSettled(std::int64_t ms, ClockTime clock) {
  clock.hour = static_cast<int>(ms / kMsPerHour);
  clock.meridiem = Meridiem::kSettled;
  return clock;
}

std::string TimeTimex(std::int64_t ms_of_day) {
  const std::string clock = FormatClock(ms_of_day);
  return 'T' + (clock.ends_with(":00") ? clock.substr(0, 5) : clock);
}

std::int64_t GranuleMs(TimeGranularity granularity) {
  if (granularity == TimeGranularity::kSecond) {
    return kMsPerSecond;
  }
  return granularity == TimeGranularity::kHour ? kMsPerHour : kMsPerMinute;
}

}  // namespace

MsOfDay SettleClockRange(ClockTime from, ClockTime to, PartOfDay part) {
  const auto half = [](const ClockTime& c) { return (c.hour % 12) * 60 + c.minute; };
  if (from.meridiem == Meridiem::kUnknown &&
      (to.meridiem == Meridiem::kAm || to.meridiem == Meridiem::kPm)) {
    // "5 to 6pm" is both in the afternoon, "11 to 1pm" is not.
    const bool same = half(from) < half(to) && from.hour != 12;
    from.meridiem = same == (to.meridiem == Meridiem::kPm) ? Meridiem::kPm : Meridiem::kAm;
    if (from.hour == 12) {
      from.meridiem = Meridiem::kPm;
    }
  }
  const std::int64_t start = SettleClock(from, part);
  const ClockTime settled = AsSettled(start, from);
  std::int64_t end = SettleClock(After(settled, to), part);
  if (end <= start) {
    end += kMsPerDay;
  }
  return {start, end};
}

MaybeReading<ClockRange> ReadClockRange(const TokenWindow& w, std::size_t i) {
  const bool between = w.Is(i, "between");
  const bool opened = between || w.Is(i, "from");
  const std::size_t from_at = opened ? i + 1 : i;
  const auto from = ReadBareClock(w, from_at);
  if (!from) {
    return std::nullopt;
  }
  std::size_t at = from->next;
  // "3 in the morning until 5pm": the part belongs to the first time.
  PartOfDay part = PartOfDay::kNone;
  if (w.AreWords(at, {"in", "the"}) && w.At(at + 2).roles.part != PartOfDay::kNone) {
    part = w.At(at + 2).roles.part;
    at += 3;
  }
  const bool joined = w.IsAny(at, {"to", "till", "until", "-", "~", "through", "thru"}) ||
                      (between && w.Is(at, "and"));
  if (!joined) {
    return std::nullopt;
  }
  const auto to = ReadBareClock(w, at + 1);
  if (!to) {
    return std::nullopt;
  }
  // "5-6-2019" and "from 3 to 5 May" are dates.
  if (w.IsAny(to->next, {"-", "/", "~"}) && w.IsGlued(to->next)) {
    return std::nullopt;
  }
  if (w.IsAny(to->next, {"st", "nd", "rd", "th"}) && w.IsGlued(to->next)) {
    return std::nullopt;
  }
  if (w.At(to->next).roles.month > 0 ||
      (w.Is(to->next, "of") && w.At(to->next + 1).roles.month > 0)) {
    if (!ReadClock(w, from_at) && !ReadClock(w, at + 1)) {
      return std::nullopt;
    }
  }
  if (w.At(to->next).roles.unit >= 0 || w.Is(to->next, "%")) {
    return std::nullopt;
  }
  ClockRange range{from->value, to->value, false};
  const bool four = w.At(from_at).digits == 4 && w.At(at + 1).digits == 4;
  if (part != PartOfDay::kNone) {
    range.from = AsSettled(SettleClock(range.from, part), range.from);
  }
  range.weak = !ReadClock(w, from_at) && !ReadClock(w, at + 1) && part == PartOfDay::kNone &&
               !(four && opened);
  return Reading<ClockRange>{range, to->next};
}

MaybeReading<Point> ReadPoint(const TokenWindow& w, std::size_t i, Direction direction,
                              const ReferencePoint& reference) {
  if (!w.At(i).starter && !w.Is(i, "@")) {
    return std::nullopt;
  }
  if (w.IsAny(i, {"right", "just"}) && w.Is(i + 1, "now")) {
    Point point;
    point.now = true;
    return Reading<Point>{point, i + 2};
  }
  if (w.Is(i, "now")) {
    Point point;
    point.now = true;
    return Reading<Point>{point, i + 1};
  }
  MaybeReading<Point> best = PointReader(w, direction, reference).Read(i, false);
  // Only a bare clock range reads differently at the beginning.
  const Token& token = w.At(i);
  const bool bare = token.kind == TokenKind::kNumber || token.roles.cardinal >= 0 ||
                    w.IsAny(i, {"from", "between", "at"});
  if (!bare) {
    return best;
  }
  if (auto weak = PointReader(w, direction, reference).Read(i, true);
      weak && (!best || weak->next > best->next)) {
    best = std::move(weak);
  }
  return best;
}

std::optional<Placed> PlacePoint(const Point& point, Direction direction,
                                 const ReferencePoint& reference) {
  Placed placed;
  placed.approximate = point.approximate;
  if (point.now) {
    placed.start_ms = reference.ms;
    placed.end_ms = reference.ms + kMsPerSecond;
    placed.granularity = TimeGranularity::kSecond;
    placed.kind = TimeExpressionKind::kDateTime;
    placed.timex = "PRESENT_REF";
    return placed;
  }
  Day day = reference.today;
  std::string timex;
  if (point.date) {
    const DateFields& date = *point.date;
    if (date.instant) {
      placed.start_ms = date.start_ms;
      placed.end_ms = date.end_ms;
      placed.granularity = date.granularity;
      placed.kind = date.rolling ? TimeExpressionKind::kRange : TimeExpressionKind::kDateTime;
      placed.approximate = placed.approximate || date.approximate;
      placed.timex = date.timex;
      return placed;
    }
    const auto where = Place(date, direction, reference);
    if (!where) {
      return std::nullopt;
    }
    day = where->span.start;
    timex = where->timex;
    placed.start_ms = ToMs(where->span.start);
    placed.end_ms = ToMs(where->span.end);
    placed.granularity = where->granularity;
    placed.kind = date.rolling ? TimeExpressionKind::kRange : TimeExpressionKind::kDate;
    placed.approximate = placed.approximate || date.approximate;
    placed.timex = timex;
  }
  if (!point.clock && point.part.part == PartOfDay::kNone) {
    return placed;
  }
  placed.kind = point.date ? TimeExpressionKind::kDateTime : TimeExpressionKind::kTime;
  if (point.clock && point.clock_to) {
    const MsOfDay range = SettleClockRange(*point.clock, *point.clock_to, point.part.part);
    placed.start_ms = ToMs(day) + range.start;
    placed.end_ms = ToMs(day) + range.end;
    placed.granularity = point.clock->granularity;
    placed.kind = TimeExpressionKind::kRange;
    placed.timex = '(' + timex + TimeTimex(range.start) + ',' +
                   (timex.empty() ? "" : FormatDay(DayOfMs(placed.end_ms))) +
                   TimeTimex(range.end % kMsPerDay) + ')';
    return placed;
  }
  if (point.clock) {
    const std::int64_t time = SettleClock(*point.clock, point.part.part);
    // The small hours of "tonight" are tomorrow's.
    const bool small_hours = point.part.part == PartOfDay::kNight && time < 5 * kMsPerHour;
    if (small_hours && point.date) {
      day = AddDays(day, 1);
    }
    placed.start_ms = ToMs(day) + time;
    placed.end_ms = placed.start_ms + GranuleMs(point.clock->granularity);
    placed.granularity = point.clock->granularity;
    placed.timex = (timex.empty() ? "" : FormatDay(day)) + TimeTimex(time);
    return placed;
  }
  const MsOfDay hours = HoursOf(point.part);
  placed.start_ms = ToMs(day) + hours.start;
  placed.end_ms = ToMs(day) + hours.end;
  placed.granularity = TimeGranularity::kPartOfDay;
  placed.timex = timex + std::string(TimexOf(point.part.part));
  return placed;
}

}  // namespace umbranet::temporal
