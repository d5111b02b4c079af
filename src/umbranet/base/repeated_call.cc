#include "umbranet/base/repeated_call.h"

#include "umbranet/base/mutex.h"

namespace umbranet {

void RepeatUntilStopped(const std::stop_token& stop, Millis every,
                        const std::function<void()>& call) {
  Mutex mutex;
  ConditionVariable wake;
  while (!stop.stop_requested()) {
    const SteadyTime next = SystemClock{}.SteadyNow() + every;
    while (!stop.stop_requested() && SystemClock{}.SteadyNow() < next) {
      const MutexLock lock(mutex);
      wake.WaitUntil(mutex, stop, next);
    }
    if (!stop.stop_requested()) {
      call();
    }
  }
}

}  // namespace umbranet
