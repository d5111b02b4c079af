// A pool of threads with a bound on threads and on waiting tasks, so that a burst meets a refusal
// rather than an ever-growing queue. Threads are started on demand and leave after `idle_after`
// without work, down to `threads_min`: an idle server holds few, a server with five hundred chats
// in flight holds five hundred.
//
// All methods may be called from any thread, but for Stop, which must not be called from a task.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <string>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/task_runner.h"

namespace umbranet {

class BoundedWorkerPool final : public TaskRunner {
 public:
  struct Options {
    std::string name = "pool";  // At most 15 bytes are visible as the thread's name.
    std::size_t threads_min = 1;
    std::size_t threads_max = 8;
    // Tasks that may wait while threads_max others run. A burst is taken up to the sum of both,
    // however slowly the threads start.
    std::size_t queue_max = 1024;
    Millis idle_after{10'000};
    // Of its threads: thread_urgency.h. Background work yields to answers; below 0 they go first
    // where the system allows it.
    int nice = 0;
  };

  explicit BoundedWorkerPool(Options options);
  // Stops and runs nothing further; see Stop.
  ~BoundedWorkerPool() override;
  BoundedWorkerPool(const BoundedWorkerPool&) = delete;
  BoundedWorkerPool& operator=(const BoundedWorkerPool&) = delete;

  // False: the queue is full or the pool is stopped, and the task was not taken.
  [[nodiscard]] bool TrySubmit(Task task) override;

  // Refuses new tasks, runs those that were taken, waits for the threads. Idempotent.
  void Stop();

  [[nodiscard]] std::size_t ThreadCount() const;
  [[nodiscard]] std::size_t QueueSize() const;

 private:
  using Threads = std::list<std::jthread>;

  void Run(Threads::iterator self);

  const Options options_;
  mutable Mutex mutex_;
  ConditionVariable work_;
  ConditionVariable gone_;
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  Threads threads_ GUARDED_BY(mutex_);
  // Threads that have left and are joined at the next opportunity.
  Threads departed_ GUARDED_BY(mutex_);
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
  std::size_t running_ GUARDED_BY(mutex_) = 0;  // Tasks, not threads.
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace umbranet
