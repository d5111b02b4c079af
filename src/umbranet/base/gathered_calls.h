// Joins the calls that many threads make at the same time into few, where a call costs a round trip
// however much it asks.
//
// Whoever finds a lane free asks at once, for himself and for all who wait; who finds none waits
// until one is. So a lone caller loses nothing, and the more there are, the less each costs. There
// is no thread of its own: the caller who asks lends his.
//
// A call sees whatever was true when it began, or later: it never shares what was asked before.
// All methods may be called from any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

template <typename Ask, typename Value>
class GatheredCalls {
 public:
  using Outcome = Result<Value>;
  // An outcome for each, in their order, by the deadline of him who lends his thread. Must not call
  // this again.
  using Carry = std::function<std::vector<Outcome>(std::span<const Ask* const>, Deadline)>;

  struct Options {
    std::size_t lanes = 2;      // Calls at once.
    std::size_t asks_max = 64;  // In one call.
  };

  GatheredCalls(Options options, Carry carry) : options_(options), carry_(std::move(carry)) {}

  GatheredCalls(const GatheredCalls&) = delete;
  GatheredCalls& operator=(const GatheredCalls&) = delete;

  // The outcome of `ask`, or kDeadlineExceeded. When another's deadline ended the call that it was
  // in, it is asked again, so `ask` must be harmless to repeat.
  Outcome Call(Ask ask, Deadline deadline) {
    const auto mine = std::make_shared<Waiting>(std::move(ask));
    for (;;) {
      std::optional<Outcome> late = AwaitTurn(mine, deadline);
      if (late.has_value()) {
        return *std::move(late);
      }
      if (mine->batch.empty()) {
        Outcome outcome = std::move(*mine->outcome);
        if (outcome.ok() || outcome.error().code != ErrorCode::kDeadlineExceeded ||
            deadline.Expired()) {
          return outcome;
        }
        mine->outcome.reset();
        continue;
      }
      return Lead(*mine, deadline);
    }
  }

  // Those who wait for a lane.
  [[nodiscard]] std::size_t WaitingCount() const {
    const MutexLock lock(mutex_);
    return queue_.size();
  }

 private:
  struct Waiting {
    explicit Waiting(Ask asked) : ask(std::move(asked)) {}

    const Ask ask;
    std::optional<Outcome> outcome;
    ConditionVariable changed;
    bool taken = false;
    // Of him who lends his thread: himself and the others, after whom he looks.
    std::vector<std::shared_ptr<Waiting>> batch;
  };

  // Looked at this often, since a deadline may be on a clock that is turned by hand.
  static constexpr Millis kSlice{50};

  // Until there is an outcome, or a lane for him; otherwise the error of him who leaves.
  std::optional<Outcome> AwaitTurn(const std::shared_ptr<Waiting>& mine, Deadline deadline) {
    const MutexLock lock(mutex_);
    mine->taken = false;
    queue_.push_back(mine);
    for (;;) {
      if (mine->outcome.has_value()) {
        return std::nullopt;
      }
      if (!mine->taken && lanes_taken_ < options_.lanes) {
        ++lanes_taken_;
        Take(mine);
        return std::nullopt;
      }
      if (deadline.Expired()) {
        if (!mine->taken) {
          std::erase(queue_, mine);
          CallNext();  // The call to the free lane may have been meant for another.
        }
        return Outcome(DeadlineExceeded("no answer in time: others were being asked for"));
      }
      mine->changed.WaitFor(mutex_,
                            std::min<std::chrono::nanoseconds>(deadline.Remaining(), kSlice));
    }
  }

  void Take(const std::shared_ptr<Waiting>& mine) REQUIRES(mutex_) {
    std::erase(queue_, mine);
    mine->batch = {mine};
    while (!queue_.empty() && mine->batch.size() < options_.asks_max) {
      mine->batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    for (const auto& one : mine->batch) {
      one->taken = true;
    }
  }

  Outcome Lead(Waiting& mine, Deadline deadline) {
    std::vector<const Ask*> asks;
    for (const auto& one : mine.batch) {
      asks.push_back(&one->ask);
    }
    std::vector<Outcome> outcomes = carry_(asks, deadline);
    // He is in his own batch, which would keep him alive.
    const auto batch = std::exchange(mine.batch, {});
    const MutexLock lock(mutex_);
    --lanes_taken_;
    for (std::size_t i = 1; i < batch.size(); ++i) {
      batch[i]->outcome = std::move(outcomes[i]);
      batch[i]->changed.NotifyOne();
    }
    CallNext();
    return std::move(outcomes.front());
  }

  void CallNext() REQUIRES(mutex_) {
    if (!queue_.empty() && lanes_taken_ < options_.lanes) {
      queue_.front()->changed.NotifyOne();
    }
  }

  const Options options_;
  const Carry carry_;
  mutable Mutex mutex_;
  std::deque<std::shared_ptr<Waiting>> queue_ GUARDED_BY(mutex_);
  std::size_t lanes_taken_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
