#include "umbranet/base/wake_signal.h"

#include <algorithm>
#include <utility>

namespace umbranet {

void WakeSignal::Notify() noexcept {
  {
    MutexLock lock(mutex_);
    pending_ = std::min(pending_ + 1, std::max<std::size_t>(waiting_, 1));
  }
  notified_.NotifyOne();
}

bool WakeSignal::Wait(std::stop_token stop, Deadline deadline) {
  MutexLock lock(mutex_);
  ++waiting_;
  while (pending_ == 0 && !stop.stop_requested() && !deadline.Expired()) {
    // A deadline on a test's clock has no real instant: what remains is counted from now.
    const auto remaining =
        std::min<std::chrono::nanoseconds>(deadline.Remaining(), std::chrono::hours{1});
    notified_.WaitUntil(
        mutex_, stop,
        SystemClock{}.SteadyNow() + std::chrono::duration_cast<SteadyTime::duration>(remaining));
  }
  --waiting_;
  if (pending_ == 0) {
    return false;
  }
  --pending_;
  return true;
}

}  // namespace umbranet
