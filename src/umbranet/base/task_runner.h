// Where work runs that goes on beside whoever asked for it, and how he waits for it. In the product
// that is a BoundedWorkerPool. A test that plays one history again and again has a runner that lets
// one thing happen after the other, in an order of its own.
//
// All methods may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <utility>

#include "umbranet/base/mutex.h"

namespace umbranet {

class TaskRunner {
 public:
  using Task = std::function<void()>;

  virtual ~TaskRunner() = default;

  // False: the task was not taken.
  [[nodiscard]] virtual bool TrySubmit(Task task) = 0;

  // One wait on `changed` under `mutex`, which is held before and after: until a notification, a
  // stop, or `at_most` has passed; it may end for no reason. Not from within a task.
  virtual void WaitOn(ConditionVariable& changed, Mutex& mutex, std::stop_token stop,
                      std::chrono::nanoseconds at_most) NO_THREAD_SAFETY_ANALYSIS {
    changed.WaitFor(mutex, std::move(stop), at_most);
  }
};

}  // namespace umbranet
