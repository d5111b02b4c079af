// Time. Everything that asks what time it is, or waits, does so through a Clock, so that a test
// turns the time by hand. All methods may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace umbranet {

using Millis = std::chrono::milliseconds;
// Wall time in UTC, milliseconds since 1970-01-01: what is stored and shown.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, Millis>;
// Monotonic time: what deadlines and durations are measured with.
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp Now() const = 0;
  [[nodiscard]] virtual SteadyTime SteadyNow() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp Now() const override;
  [[nodiscard]] SteadyTime SteadyNow() const override;
};

// The moment by which a blocking call must have returned. One budget is made per request and handed
// down by value as the last parameter of everything that waits. The clock must outlive the
// deadline.
class Deadline {
 public:
  static Deadline After(const Clock& clock, std::chrono::nanoseconds budget);

  static Deadline Never() { return {}; }

  [[nodiscard]] bool Expired() const;
  // Never negative; steady_clock's maximum for Never().
  [[nodiscard]] std::chrono::nanoseconds Remaining() const;

  [[nodiscard]] bool IsNever() const { return clock_ == nullptr; }

  // The real instant to hand to a condition variable; empty for Never().
  [[nodiscard]] std::optional<SteadyTime> At() const;
  // The earlier of this and `budget` from now.
  [[nodiscard]] Deadline Within(const Clock& clock, std::chrono::nanoseconds budget) const;

 private:
  const Clock* clock_ = nullptr;
  SteadyTime at_{};
};

inline constexpr Timestamp FromUnixMillis(std::int64_t millis) {
  return Timestamp{Millis{millis}};
}

inline constexpr std::int64_t ToUnixMillis(Timestamp time) {
  return time.time_since_epoch().count();
}

// RFC 3339 in UTC: "2024-05-03T10:00:00Z", with milliseconds only when they are not zero.
std::string FormatTimestamp(Timestamp time);
// Accepts RFC 3339 with any offset and fractional seconds, years 0001 to 9999. Empty when it is not
// one.
std::optional<Timestamp> ParseTimestamp(std::string_view text);

}  // namespace umbranet
