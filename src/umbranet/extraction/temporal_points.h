#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "umbranet/extraction/temporal_dates.h"
#include "umbranet/extraction/temporal_terms.h"

namespace umbranet::temporal {

// Points: a date, a time of day, or both in any order ("tomorrow evening at 8", "8am this morning",
// "Wednesday evening next week"), with a range of clock times allowed in place of one ("Monday
// 11-4").

struct Point {
  std::optional<DateFields> date;
  std::optional<ClockTime> clock;
  std::optional<ClockTime> clock_to;
  DayPart part;
  bool now = false;
  bool approximate = false;
  // The clock range had only bare numbers: it needs a date or a part of the day beside it.
  bool weak = false;
};

struct Placed {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  TimeGranularity granularity = TimeGranularity::kDay;
  TimeExpressionKind kind = TimeExpressionKind::kDate;
  bool approximate = false;
  std::string timex;
};

[[nodiscard]] inline TimeRange RangeOf(std::int64_t start_ms, std::int64_t end_ms) {
  return {FromUnixMillis(start_ms), FromUnixMillis(end_ms)};
}

[[nodiscard]] MaybeReading<Point> ReadPoint(const TokenWindow& w, std::size_t i,
                                            Direction direction, const ReferencePoint& reference);

[[nodiscard]] std::optional<Placed> PlacePoint(const Point& point, Direction direction,
                                               const ReferencePoint& reference);

struct ClockRange {
  ClockTime from;
  ClockTime to;
  bool weak = false;
};

// "from 2 to 4pm", "between 10 and 11:30", "9-10".
[[nodiscard]] MaybeReading<ClockRange> ReadClockRange(const TokenWindow& w, std::size_t i);

// The milliseconds of a day that two clock times enclose; the second may be on the next day.
[[nodiscard]] MsOfDay SettleClockRange(ClockTime from, ClockTime to, PartOfDay part);

}  // namespace umbranet::temporal
