#include "umbranet/base/clock.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace umbranet {

Timestamp SystemClock::Now() const {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::SteadyNow() const {
  return std::chrono::steady_clock::now();
}

Deadline Deadline::After(const Clock& clock, std::chrono::nanoseconds budget) {
  Deadline deadline;
  deadline.clock_ = &clock;
  const SteadyTime now = clock.SteadyNow();
  const auto room = std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyTime::max() - now);
  deadline.at_ = now + std::chrono::duration_cast<SteadyTime::duration>(std::min(budget, room));
  return deadline;
}

bool Deadline::Expired() const {
  return clock_ != nullptr && clock_->SteadyNow() >= at_;
}

std::chrono::nanoseconds Deadline::Remaining() const {
  if (clock_ == nullptr) {
    return std::chrono::nanoseconds::max();
  }
  return std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{at_ - clock_->SteadyNow()});
}

std::optional<SteadyTime> Deadline::At() const {
  if (clock_ == nullptr) {
    return std::nullopt;
  }
  return at_;
}

Deadline Deadline::Within(const Clock& clock, std::chrono::nanoseconds budget) const {
  Deadline sooner = After(clock, budget);
  if (clock_ != nullptr && at_ < sooner.at_) {
    return *this;
  }
  return sooner;
}

std::string FormatTimestamp(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock_time{time - day};
  std::array<char, 48> text{};
  int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock_time.hours().count()), static_cast<int>(clock_time.minutes().count()),
      static_cast<int>(clock_time.seconds().count()));
  std::string out(text.data(), static_cast<std::size_t>(size));
  if (const auto millis = clock_time.subseconds().count(); millis != 0) {
    size = std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(millis));
    out.append(text.data(), static_cast<std::size_t>(size));
  }
  out += 'Z';
  return out;
}

namespace {

// Reads exactly `width` digits at `position` and moves past them; -1 when they are not digits.
int ReadDigits(std::string_view text, std::size_t& position, std::size_t width) {
  if (position + width > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const char c = text[position + i];
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  position += width;
  return value;
}

bool ReadChar(std::string_view text, std::size_t& position, std::string_view allowed) {
  if (position >= text.size() || allowed.find(text[position]) == std::string_view::npos) {
    return false;
  }
  ++position;
  return true;
}

// The fraction after the seconds, to whole milliseconds; further digits are dropped.
std::optional<Millis> ReadFraction(std::string_view text, std::size_t& position) {
  if (position >= text.size() || text[position] != '.') {
    return Millis{0};
  }
  ++position;
  int value = 0;
  int digits = 0;
  while (position < text.size() && text[position] >= '0' && text[position] <= '9') {
    if (digits < 3) {
      value = value * 10 + (text[position] - '0');
    }
    ++digits;
    ++position;
  }
  if (digits == 0) {
    return std::nullopt;
  }
  for (int i = digits; i < 3; ++i) {
    value *= 10;
  }
  return Millis{value};
}

std::optional<std::chrono::minutes> ReadOffset(std::string_view text, std::size_t& position) {
  if (ReadChar(text, position, "Zz")) {
    return std::chrono::minutes{0};
  }
  const bool negative = position < text.size() && text[position] == '-';
  if (!ReadChar(text, position, "+-")) {
    return std::nullopt;
  }
  const int hours = ReadDigits(text, position, 2);
  if (hours < 0 || hours > 23 || !ReadChar(text, position, ":")) {
    return std::nullopt;
  }
  const int minutes = ReadDigits(text, position, 2);
  if (minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  const std::chrono::minutes offset{hours * 60 + minutes};
  return negative ? -offset : offset;
}

}  // namespace

std::optional<Timestamp> ParseTimestamp(std::string_view text) {
  std::size_t at = 0;
  const int year = ReadDigits(text, at, 4);
  if (year < 1 || !ReadChar(text, at, "-")) {
    return std::nullopt;
  }
  const int month = ReadDigits(text, at, 2);
  if (month < 1 || !ReadChar(text, at, "-")) {
    return std::nullopt;
  }
  const int day = ReadDigits(text, at, 2);
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
      std::chrono::day{day < 1 ? 0U : static_cast<unsigned>(day)}};
  if (!date.ok() || !ReadChar(text, at, "Tt ")) {
    return std::nullopt;
  }
  const int hour = ReadDigits(text, at, 2);
  if (hour < 0 || hour > 23 || !ReadChar(text, at, ":")) {
    return std::nullopt;
  }
  const int minute = ReadDigits(text, at, 2);
  if (minute < 0 || minute > 59 || !ReadChar(text, at, ":")) {
    return std::nullopt;
  }
  const int second = ReadDigits(text, at, 2);
  if (second < 0 || second > 60) {
    return std::nullopt;
  }
  const auto fraction = ReadFraction(text, at);
  const auto offset = fraction ? ReadOffset(text, at) : std::nullopt;
  if (!offset || at != text.size()) {
    return std::nullopt;
  }
  return Timestamp{std::chrono::sys_days{date} + std::chrono::hours{hour} +
                   std::chrono::minutes{minute} + std::chrono::seconds{second} + *fraction -
                   *offset};
}

}  // namespace umbranet
