// Calls that run beside each other on a runner, and somebody who waits for them no longer than is
// allowed. A call that overstays its deadline is left behind: what it holds stays alive until it
// comes back, and its result is dropped. So a store that hangs costs a thread, never a worker.
//
// One thread starts and collects; the calls are the runner's tasks. Whatever a call refers to,
// other than by value, must outlive them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/base/task_runner.h"

namespace umbranet {

template <typename T>
class SupervisedCalls {
 public:
  struct Finished {
    std::size_t call = 0;
    Result<T> result;
  };

  explicit SupervisedCalls(TaskRunner& runner)
      : runner_(runner), state_(std::make_shared<State>()) {}

  // Whoever still runs is left behind.
  ~SupervisedCalls() {
    MutexLock lock(state_->mutex);
    state_->abandoned = true;
  }

  SupervisedCalls(const SupervisedCalls&) = delete;
  SupervisedCalls& operator=(const SupervisedCalls&) = delete;

  // `call` names it to Collect. An exception that leaves `work` is an error of kInternal. When no
  // thread can be had, the call has failed with kUnavailable.
  void Start(std::size_t call, std::function<Result<T>()> work) {
    ++running_;
    const bool taken = runner_.TrySubmit([state = state_, call, work = std::move(work)] {
      {
        MutexLock lock(state->mutex);
        if (state->abandoned) {
          return;
        }
      }
      state->Finish(call, Guarded(work));
    });
    if (!taken) {
      state_->Finish(call, Unavailable("reflection: all threads for calls to stores are taken"));
    }
  }

  [[nodiscard]] std::size_t Running() const { return running_; }

  // What has finished since it was last asked, waiting for at least one. Empty when `deadline`
  // passed first, when `stop` was requested, or when nothing runs.
  std::vector<Finished> Collect(std::stop_token stop, Deadline deadline) {
    MutexLock lock(state_->mutex);
    while (state_->finished.empty() && running_ > 0 && !stop.stop_requested() &&
           !deadline.Expired()) {
      // A deadline on a test's clock has no real instant: what remains is counted from now.
      const auto remaining =
          std::min<std::chrono::nanoseconds>(deadline.Remaining(), std::chrono::hours{1});
      runner_.WaitOn(state_->changed, state_->mutex, stop, remaining);
    }
    running_ -= state_->finished.size();
    return std::exchange(state_->finished, {});
  }

 private:
  struct State {
    void Finish(std::size_t call, Result<T> result) {
      MutexLock lock(mutex);
      finished.push_back({call, std::move(result)});
      changed.NotifyAll();
    }

    Mutex mutex;
    ConditionVariable changed;
    bool abandoned GUARDED_BY(mutex) = false;
    std::vector<Finished> finished GUARDED_BY(mutex);
  };

  // The house's own code throws nothing; a library beneath it may.
  static Result<T> Guarded(const std::function<Result<T>()>& work) {
    try {
      return work();
    } catch (const std::exception& exception) {
      return Internal(std::string("reflection: an exception came out of a store: ") +
                      exception.what());
    }
  }

  TaskRunner& runner_;
  const std::shared_ptr<State> state_;
  std::size_t running_ = 0;
};

}  // namespace umbranet
