// A clock that a test turns by hand. Wall time and monotonic time move together with Advance;
// SetWall moves the wall time alone, as an operator or NTP would.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "umbranet/base/clock.h"

namespace umbranet {

class ManualClock final : public Clock {
 public:
  // 2024-05-03T10:00:00Z, a Friday.
  static constexpr Timestamp kStart = FromUnixMillis(1'714'730'400'000);

  explicit ManualClock(Timestamp start = kStart) : wall_ms_(ToUnixMillis(start)) {}

  [[nodiscard]] Timestamp Now() const override;
  [[nodiscard]] SteadyTime SteadyNow() const override;

  void Advance(Millis by);
  void SetWall(Timestamp wall);

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ms_{1};
};

}  // namespace umbranet
