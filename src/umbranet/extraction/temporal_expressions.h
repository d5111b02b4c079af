#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/time_range.h"

namespace umbranet {

// English date and time expressions, found in a text and resolved against a reference time.
//
// Thread safety: everything here is pure and may be called from any thread.
// The grammar is hand-written (temporal_terms, temporal_dates, temporal_grammar): bounded
// look-ahead at every word, so the time is linear in the text whatever the bytes are. Text that is
// no date is skipped; bytes that are no UTF-8 are skipped. All times are UTC: the reference time's
// own calendar day is "today".

enum class TimeGranularity : std::uint8_t {
  kSecond,
  kMinute,
  kHour,
  kPartOfDay,
  kDay,
  kWeekend,
  kWeek,
  kMonth,
  kSeason,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
};

enum class TimeExpressionKind : std::uint8_t {
  kDate,      // a day or a longer calendar period: "yesterday", "last week", "May 2023"
  kTime,      // a time of day without a date: "at 5", "in the morning"; on the reference day
  kDateTime,  // a time on a known day: "tomorrow at 8", "last night"
  kRange,     // from one point to another, or open on one side: "from 3 to 5 May", "since 2016"
  kDuration,  // a length without a position: "for 3 years"
  kSet,       // a recurrence: "every Tuesday", "weekly"
};

// "since" and "until" leave one side of a range open.
inline constexpr Timestamp kOpenStart = Timestamp::min();
inline constexpr Timestamp kOpenEnd = Timestamp::max();

struct TimeExpression {
  // Byte offsets of the expression in the text, half open.
  std::size_t begin = 0;
  std::size_t end = 0;
  // When it is. Durations and sets have no position: an empty range at the reference time.
  TimeRange range;
  // How finely the words speak ("two months ago" names a day on paper, but speaks in months).
  TimeGranularity granularity = TimeGranularity::kDay;
  TimeExpressionKind kind = TimeExpressionKind::kDate;
  // The true time may lie about half a granularity beside `range`.
  bool approximate = false;
  // Of a duration, in milliseconds (a month counts 30 days, a year 365); 0 otherwise.
  std::int64_t duration_ms = 0;
  // After TIMEX3: "2023-05-03", "2023-W18", "2023-05-03T20:00", "P3Y", "XXXX-WXX-2" (every
  // Tuesday). A range names both its end points as said: "(2023-05-03,2023-05-05)".
  std::string timex;
};

// Which way a date without a year, or a weekday alone, points when no verb near it says so.
enum class TimePreference : std::uint8_t { kPast, kFuture };

struct TimeOptions {
  TimePreference preference = TimePreference::kPast;
  // "4/5" is 5 April when false and the fourth of May when true. A number above 12 decides anyway.
  bool day_first = false;
};

// Every expression in `text`, in order of position, none overlapping another. `reference` is
// when the words were said. An absent date in an otherwise dated text is an empty vector, never an
// error.
[[nodiscard]] std::vector<TimeExpression> FindTimeExpressions(std::string_view text,
                                                              Timestamp reference,
                                                              const TimeOptions& options = {});

}  // namespace umbranet
