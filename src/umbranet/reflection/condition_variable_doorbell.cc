#include "umbranet/reflection/condition_variable_doorbell.h"

#include <algorithm>
#include <utility>

namespace umbranet {

void ConditionVariableDoorbell::Ring(const ReflectionJob& /*job*/) noexcept {
  {
    MutexLock lock(mutex_);
    rings_ = std::min(rings_ + 1, std::max<std::size_t>(waiting_, 1));
  }
  rung_.NotifyOne();
}

bool ConditionVariableDoorbell::Wait(std::stop_token stop, Deadline deadline) {
  MutexLock lock(mutex_);
  ++waiting_;
  while (rings_ == 0 && !stop.stop_requested() && !deadline.Expired()) {
    // A deadline on a test's clock has no real instant: what remains is counted from now.
    const auto remaining =
        std::min<std::chrono::nanoseconds>(deadline.Remaining(), std::chrono::hours{1});
    rung_.WaitUntil(
        mutex_, stop,
        SystemClock{}.SteadyNow() + std::chrono::duration_cast<SteadyTime::duration>(remaining));
  }
  --waiting_;
  if (rings_ == 0) {
    return false;
  }
  --rings_;
  return true;
}

}  // namespace umbranet
