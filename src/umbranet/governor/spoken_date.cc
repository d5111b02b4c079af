#include "umbranet/governor/spoken_date.h"

#include <array>
#include <chrono>
#include <string_view>

namespace umbranet {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

std::chrono::year_month_day DateOf(Timestamp time) {
  return std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(time)};
}

std::string DayAndMonth(const std::chrono::year_month_day& date) {
  return std::to_string(static_cast<unsigned>(date.day())) + " " +
         std::string(kMonths.at(static_cast<unsigned>(date.month()) - 1));
}

}  // namespace

std::string SpokenDate(Timestamp time) {
  const std::chrono::year_month_day date = DateOf(time);
  return DayAndMonth(date) + " " + std::to_string(static_cast<int>(date.year()));
}

std::string SpokenDate(Timestamp time, Timestamp seen_at) {
  const std::chrono::year_month_day date = DateOf(time);
  return date.year() == DateOf(seen_at).year() ? DayAndMonth(date) : SpokenDate(time);
}

std::string SpokenWeekday(Timestamp time) {
  const std::chrono::weekday day{std::chrono::floor<std::chrono::days>(time)};
  return std::string(kWeekdays.at(day.c_encoding()));
}

}  // namespace umbranet
