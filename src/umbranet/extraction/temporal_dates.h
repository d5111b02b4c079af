#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "umbranet/extraction/civil_calendar.h"
#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/temporal_terms.h"

namespace umbranet::temporal {

// The dates of the temporal grammar. Reading and resolving are apart: "3 May" is read into its
// fields, which a range may still complete ("from 3 to 5 May"), and only then placed on the
// calendar. What needs no completion ("yesterday", "last week", "two days ago") is read into a
// settled span at once.

// Which way an incomplete date points. The sentence's tense decides it.
enum class Direction : std::uint8_t { kPast, kFuture };

// The word before a weekday, month or unit.
enum class Relation : std::uint8_t {
  kNone,
  kLast,      // most recent before today, for units the one before this
  kPrevious,  // of the week before
  kThis,
  kNext,
  kPast,    // "this past Friday"
  kComing,  // "this coming Friday"
};

struct ReferencePoint {
  std::int64_t ms = 0;
  Day today{};
  bool day_first = false;
  // A verb in the past tense stands near: "in 10 minutes" is then a length, not a time to come.
  bool past_told = false;
};

struct DateFields {
  // Incomplete calendar date; 0 and -1 where not said.
  int year = 0;
  int month = 0;
  int day = 0;
  int weekday = -1;
  Relation relation = Relation::kNone;
  // A settled span of whole days (`span`), or of milliseconds when `instant` is set.
  bool settled = false;
  bool instant = false;
  DaySpan span{};
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  TimeGranularity granularity = TimeGranularity::kDay;
  bool approximate = false;
  bool rolling = false;  // "the last 3 days": a range of its own
  std::string timex;

  [[nodiscard]] bool IsWeekdayOnly() const {
    return !settled && weekday >= 0 && day == 0 && month == 0 && year == 0;
  }

  [[nodiscard]] bool IsDayOnly() const { return !settled && day > 0 && month == 0 && year == 0; }

  // One day or finer: a clock time can be put on it.
  [[nodiscard]] bool IsSingleDay() const {
    return settled ? (!instant && granularity == TimeGranularity::kDay && !rolling)
                   : (day > 0 || weekday >= 0);
  }
};

struct PlacedDate {
  DaySpan span{};
  TimeGranularity granularity = TimeGranularity::kDay;
  std::string timex;
};

// The calendar span that the fields name, or nothing when there is no such day.
[[nodiscard]] std::optional<PlacedDate> Place(const DateFields& fields, Direction direction,
                                              const ReferencePoint& reference);

// Reads a date of any form, the longest there is at `i`. `depth` bounds nesting ("the end of the
// week before last"); callers start with 0.
[[nodiscard]] MaybeReading<DateFields> ReadDate(const TokenWindow& w, std::size_t i,
                                                Direction direction,
                                                const ReferencePoint& reference, int depth);

// Parts of ReadDate, in their own files.
[[nodiscard]] MaybeReading<Relation> ReadRelation(const TokenWindow& w, std::size_t i);
[[nodiscard]] MaybeReading<DateFields> ReadCalendarDate(const TokenWindow& w, std::size_t i,
                                                        const ReferencePoint& reference);
[[nodiscard]] MaybeReading<DateFields> ReadRelativeDay(const TokenWindow& w, std::size_t i,
                                                       const ReferencePoint& reference);
[[nodiscard]] MaybeReading<DateFields> ReadHoliday(const TokenWindow& w, std::size_t i,
                                                   Direction direction,
                                                   const ReferencePoint& reference);
[[nodiscard]] MaybeReading<DateFields> ReadPeriod(const TokenWindow& w, std::size_t i,
                                                  Direction direction,
                                                  const ReferencePoint& reference, int depth);
[[nodiscard]] MaybeReading<DateFields> ReadMovedDate(const TokenWindow& w, std::size_t i,
                                                     Direction direction,
                                                     const ReferencePoint& reference, int depth);

// "Q1", "2017 Q1", "2019-H2".
[[nodiscard]] MaybeReading<DateFields> ReadFiscalPart(const TokenWindow& w, std::size_t i,
                                                      Direction direction,
                                                      const ReferencePoint& reference);
// "2016", "the year 2008".
[[nodiscard]] MaybeReading<DateFields> ReadYearDate(const TokenWindow& w, std::size_t i);
// "the 1990s", "15th century".
[[nodiscard]] MaybeReading<DateFields> ReadDecade(const TokenWindow& w, std::size_t i);
// "last spring", "the summer of 2019".
[[nodiscard]] MaybeReading<DateFields> ReadSeason(const TokenWindow& w, std::size_t i,
                                                  Direction direction,
                                                  const ReferencePoint& reference);

// Whole periods that a relation moves by: -1, 0 or 1.
[[nodiscard]] int StepOf(Relation relation);
// A settled span as fields.
[[nodiscard]] DateFields Settle(DaySpan span, TimeGranularity granularity, std::string timex);
// A settled day.
[[nodiscard]] DateFields SettleDay(Day day);
// The fields made settled where they stand.
[[nodiscard]] std::optional<DateFields> Settled(const DateFields& fields, Direction direction,
                                                const ReferencePoint& reference);

}  // namespace umbranet::temporal
