#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace umbranet::temporal {

// Calendar arithmetic for the temporal grammar: proleptic Gregorian, UTC, no locale, no time zone.
// Pure functions; safe from any thread. Arguments outside of the years 1 to 9999 are clamped, so
// that no hostile number overflows.

using Day = std::chrono::sys_days;

inline constexpr std::int64_t kMsPerSecond = 1000;
inline constexpr std::int64_t kMsPerMinute = 60 * kMsPerSecond;
inline constexpr std::int64_t kMsPerHour = 60 * kMsPerMinute;
inline constexpr std::int64_t kMsPerDay = 24 * kMsPerHour;

enum class Unit : std::uint8_t {
  kSecond,
  kMinute,
  kHour,
  kDay,
  kBusinessDay,
  kWeekend,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
};

// A whole number of days, half open.
struct DaySpan {
  Day start{};
  Day end{};
  friend bool operator==(const DaySpan&, const DaySpan&) = default;
};

struct Ymd {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;    // 1 to 31
};

[[nodiscard]] std::int64_t ToMs(Day day);
[[nodiscard]] Day DayOfMs(std::int64_t ms);
[[nodiscard]] Ymd YmdOf(Day day);

// The day, or nothing when the calendar has no such day (30 February).
[[nodiscard]] std::optional<Day> MakeDay(int year, int month, int day);
// The first day of the month; months beyond 1 to 12 carry into the year.
[[nodiscard]] Day FirstOfMonth(int year, int month);
[[nodiscard]] int DaysInMonth(int year, int month);

// Monday is 0, Sunday is 6.
[[nodiscard]] int WeekdayOf(Day day);
[[nodiscard]] Day StartOfWeek(Day day);
// The Monday of ISO 8601 week `week` of `year`.
[[nodiscard]] Day IsoWeekStart(int year, int week);

// Adds months and keeps the day of the month, clamped to the length of the month reached.
[[nodiscard]] Day AddMonths(Day day, int months);
[[nodiscard]] Day AddDays(Day day, std::int64_t days);
// Adds days from Monday to Friday, `count` may be negative.
[[nodiscard]] Day AddBusinessDays(Day day, int count);

// The period of `unit` that contains `day`, moved by `offset` whole periods. A weekend is the
// Saturday and the Sunday of a week; units shorter than a day give the day itself.
[[nodiscard]] DaySpan PeriodAround(Day day, Unit unit, int offset);

// Meteorological seasons of the northern hemisphere: 0 spring (from March), 1 summer, 2 autumn,
// 3 winter (from December of `year`).
[[nodiscard]] DaySpan SeasonOf(int year, int season);

// Western Easter Sunday by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, 8).
[[nodiscard]] Day EasterSunday(int year);
// The `nth` (1 to 5) weekday of a month; 5 and more mean the last one.
[[nodiscard]] Day NthWeekday(int year, int month, int weekday, int nth);

// "2023-05-03", "2023-05", "2023", "2023-W18".
[[nodiscard]] std::string FormatDay(Day day);
[[nodiscard]] std::string FormatMonth(Day day);
[[nodiscard]] std::string FormatYear(Day day);
[[nodiscard]] std::string FormatWeek(Day day);
// "08:05:00" of a time within a day.
[[nodiscard]] std::string FormatClock(std::int64_t ms_of_day);

}  // namespace umbranet::temporal
