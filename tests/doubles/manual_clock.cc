#include "tests/doubles/manual_clock.h"

namespace umbranet {

Timestamp ManualClock::Now() const {
  return FromUnixMillis(wall_ms_.load());
}

SteadyTime ManualClock::SteadyNow() const {
  return SteadyTime{Millis{steady_ms_.load()}};
}

void ManualClock::Advance(Millis by) {
  wall_ms_ += by.count();
  steady_ms_ += by.count();
}

void ManualClock::SetWall(Timestamp wall) {
  wall_ms_ = ToUnixMillis(wall);
}

}  // namespace umbranet
