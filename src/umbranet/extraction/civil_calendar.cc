#include "umbranet/extraction/civil_calendar.h"

#include <algorithm>

namespace umbranet::temporal {
namespace {

using std::chrono::days;

constexpr int kYearMin = 1;
constexpr int kYearMax = 9999;

int ClampYear(std::int64_t year) {
  return static_cast<int>(std::clamp<std::int64_t>(year, kYearMin, kYearMax));
}

Day FromYmd(int year, unsigned month, unsigned day) {
  return Day{std::chrono::year{ClampYear(year)} / std::chrono::month{month} /
             std::chrono::day{day}};
}

std::string Padded(int value, int width) {
  std::string digits = std::to_string(std::max(value, 0));
  const auto missing = static_cast<std::size_t>(
      std::max<std::int64_t>(0, width - static_cast<std::int64_t>(digits.size())));
  return std::string(missing, '0') + digits;
}

std::int64_t FloorDiv(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return (value % by != 0 && (value < 0) != (by < 0)) ? quotient - 1 : quotient;
}

}  // namespace

std::int64_t ToMs(Day day) {
  return std::int64_t{day.time_since_epoch().count()} * kMsPerDay;
}

Day DayOfMs(std::int64_t ms) {
  static const std::int64_t first = ToMs(FromYmd(kYearMin, 1, 1));
  static const std::int64_t last = ToMs(FromYmd(kYearMax, 12, 31));
  const std::int64_t clamped = std::clamp(ms, first, last);
  return Day{days{static_cast<int>(FloorDiv(clamped, kMsPerDay))}};
}

Ymd YmdOf(Day day) {
  const std::chrono::year_month_day ymd{day};
  return {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day()))};
}

std::optional<Day> MakeDay(int year, int month, int day) {
  if (year < kYearMin || year > kYearMax || month < 1 || month > 12 || day < 1 || day > 31) {
    return std::nullopt;
  }
  const auto ymd = std::chrono::year{year} / std::chrono::month{static_cast<unsigned>(month)} /
                   std::chrono::day{static_cast<unsigned>(day)};
  if (!ymd.ok()) {
    return std::nullopt;
  }
  return Day{ymd};
}

Day FirstOfMonth(int year, int month) {
  const std::int64_t index = std::int64_t{year} * 12 + month - 1;
  const std::int64_t carried = FloorDiv(index, 12);
  return FromYmd(ClampYear(carried), static_cast<unsigned>(index - carried * 12 + 1), 1);
}

int DaysInMonth(int year, int month) {
  const auto last = std::chrono::year{ClampYear(year)} /
                    std::chrono::month{static_cast<unsigned>(std::clamp(month, 1, 12))} /
                    std::chrono::last;
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

int WeekdayOf(Day day) {
  return static_cast<int>(std::chrono::weekday{day}.iso_encoding()) - 1;
}

Day StartOfWeek(Day day) {
  return day - days{WeekdayOf(day)};
}

Day IsoWeekStart(int year, int week) {
  // The week of 4 January is always the first one.
  return StartOfWeek(FromYmd(ClampYear(year), 1, 4)) + days{7 * (std::clamp(week, 1, 53) - 1)};
}

Day AddMonths(Day day, int months) {
  const Ymd ymd = YmdOf(day);
  const Day first = FirstOfMonth(ymd.year, ymd.month + std::clamp(months, -120000, 120000));
  const Ymd reached = YmdOf(first);
  return first + days{std::min(ymd.day, DaysInMonth(reached.year, reached.month)) - 1};
}

Day AddDays(Day day, std::int64_t count) {
  const std::int64_t bounded = std::clamp<std::int64_t>(count, -4'000'000, 4'000'000);
  return DayOfMs(ToMs(day) + bounded * kMsPerDay);
}

Day AddBusinessDays(Day day, int count) {
  const int step = count < 0 ? -1 : 1;
  int left = std::min(count < 0 ? -count : count, 10'000);
  while (left > 0) {
    day = AddDays(day, step);
    if (WeekdayOf(day) < 5) {
      --left;
    }
  }
  return day;
}

DaySpan PeriodAround(Day day, Unit unit, int offset) {
  offset = std::clamp(offset, -100'000, 100'000);
  const Ymd ymd = YmdOf(day);
  switch (unit) {
    case Unit::kWeek: {
      const Day start = AddDays(StartOfWeek(day), std::int64_t{7} * offset);
      return {start, AddDays(start, 7)};
    }
    case Unit::kWeekend: {
      const Day start = AddDays(StartOfWeek(day), std::int64_t{7} * offset + 5);
      return {start, AddDays(start, 2)};
    }
    case Unit::kMonth:
      return {FirstOfMonth(ymd.year, ymd.month + offset),
              FirstOfMonth(ymd.year, ymd.month + offset + 1)};
    case Unit::kQuarter: {
      const int first = (ymd.month - 1) / 3 * 3 + 1 + 3 * offset;
      return {FirstOfMonth(ymd.year, first), FirstOfMonth(ymd.year, first + 3)};
    }
    case Unit::kYear:
      return {FirstOfMonth(ymd.year + offset, 1), FirstOfMonth(ymd.year + offset + 1, 1)};
    case Unit::kDecade: {
      const int first = ymd.year / 10 * 10 + 10 * offset;
      return {FirstOfMonth(first, 1), FirstOfMonth(first + 10, 1)};
    }
    case Unit::kCentury: {
      const int first = ymd.year / 100 * 100 + 100 * offset;
      return {FirstOfMonth(first, 1), FirstOfMonth(first + 100, 1)};
    }
    case Unit::kBusinessDay: {
      const Day start = offset == 0 ? day : AddBusinessDays(day, offset);
      return {start, AddDays(start, 1)};
    }
    case Unit::kSecond:
    case Unit::kMinute:
    case Unit::kHour:
    case Unit::kDay:
      break;
  }
  const Day start = AddDays(day, offset);
  return {start, AddDays(start, 1)};
}

DaySpan SeasonOf(int year, int season) {
  const int first = 3 + 3 * std::clamp(season, 0, 3);
  return {FirstOfMonth(year, first), FirstOfMonth(year, first + 3)};
}

Day EasterSunday(int year) {
  const int a = year % 19;
  const int b = year / 100;
  const int c = year % 100;
  const int d = b / 4;
  const int e = b % 4;
  const int f = (b + 8) / 25;
  const int g = (b - f + 1) / 3;
  const int h = (19 * a + b - d - g + 15) % 30;
  const int i = c / 4;
  const int k = c % 4;
  const int l = (32 + 2 * e + 2 * i - h - k) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int month = (h + l - 7 * m + 114) / 31;
  const int day = (h + l - 7 * m + 114) % 31 + 1;
  return FromYmd(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

Day NthWeekday(int year, int month, int weekday, int nth) {
  const Day first = FirstOfMonth(year, month);
  const Ymd ymd = YmdOf(first);
  int day = (weekday - WeekdayOf(first) + 7) % 7 + 7 * (std::clamp(nth, 1, 5) - 1);
  while (day >= DaysInMonth(ymd.year, ymd.month)) {
    day -= 7;
  }
  return first + days{day};
}

std::string FormatDay(Day day) {
  const Ymd ymd = YmdOf(day);
  return Padded(ymd.year, 4) + '-' + Padded(ymd.month, 2) + '-' + Padded(ymd.day, 2);
}

std::string FormatMonth(Day day) {
  const Ymd ymd = YmdOf(day);
  return Padded(ymd.year, 4) + '-' + Padded(ymd.month, 2);
}

std::string FormatYear(Day day) {
  return Padded(YmdOf(day).year, 4);
}

std::string FormatWeek(Day day) {
  // The Thursday of a week decides which year an ISO week belongs to.
  const Day thursday = StartOfWeek(day) + days{3};
  const int year = YmdOf(thursday).year;
  const auto week = (thursday - FromYmd(year, 1, 1)).count() / 7 + 1;
  return Padded(year, 4) + "-W" + Padded(static_cast<int>(week), 2);
}

std::string FormatClock(std::int64_t ms_of_day) {
  const auto seconds = static_cast<int>(ms_of_day / kMsPerSecond);
  return Padded(seconds / 3600, 2) + ':' + Padded(seconds / 60 % 60, 2) + ':' +
         Padded(seconds % 60, 2);
}

}  // namespace umbranet::temporal
