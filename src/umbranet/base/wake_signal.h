// Wakes those who wait in this process: what is behind every doorbell. All methods may be called
// from any thread.
#pragma once

#include <cstddef>
#include <stop_token>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class WakeSignal {
 public:
  // Wakes one who waits, or the next who comes. Never blocks for long, never fails.
  void Notify() noexcept;

  // True: there was a notification that no other Wait has taken. False: the deadline passed or
  // `stop` was requested first.
  bool Wait(std::stop_token stop, Deadline deadline);

 private:
  Mutex mutex_;
  ConditionVariable notified_;
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  // Notifications that nobody has taken yet: at most one for each who waits, and one for who comes
  // next. More would only make workers look at an empty ledger.
  std::size_t pending_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
