#include "umbranet/base/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace umbranet {

bool CircuitBreaker::Allow() {
  const MutexLock lock(mutex_);
  if (!open_) {
    return true;
  }
  const SteadyTime now = clock_.SteadyNow();
  if (now < next_trial_) {
    return false;
  }
  next_trial_ = now + pause_;
  trying_ = true;
  return true;
}

bool CircuitBreaker::Succeeded() {
  const MutexLock lock(mutex_);
  const bool changed = open_;
  failures_ = 0;
  open_ = false;
  trying_ = false;
  return changed;
}

bool CircuitBreaker::Failed() {
  const MutexLock lock(mutex_);
  if (open_) {
    // Calls that began before it opened may end now; they say nothing new.
    if (std::exchange(trying_, false)) {
      pause_ = std::min(pause_ * 2, options_.pause_max);
      next_trial_ = clock_.SteadyNow() + pause_;
    }
    return false;
  }
  if (++failures_ < options_.failures_to_open) {
    return false;
  }
  open_ = true;
  ++times_opened_;
  pause_ = options_.pause_first;
  next_trial_ = clock_.SteadyNow() + pause_;
  return true;
}

bool CircuitBreaker::IsOpen() const {
  const MutexLock lock(mutex_);
  return open_;
}

std::uint64_t CircuitBreaker::TimesOpened() const {
  const MutexLock lock(mutex_);
  return times_opened_;
}

}  // namespace umbranet
