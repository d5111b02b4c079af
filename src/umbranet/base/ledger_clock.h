// The time that turns and answers are stamped with where it is compared with the forgetting of
// their user: the ledger's, as far as this process knows it, since that is the clock forgettings
// are stamped with.
//
// - Once the ledger has told its time, that time goes on steadily, whatever is done to this
//   machine's clock.
// - It is never before a forgetting that this process has seen, so that what begins after it counts
//   as later, also when the ledger's clock was set back.
//
// It may step back when the ledger's clock does. All methods may be called from any thread.
#pragma once

#include <algorithm>
#include <optional>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class LedgerClock final : public Clock {
 public:
  // `clock` must outlive it; its time serves until the ledger has told another.
  explicit LedgerClock(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] Timestamp Now() const override {
    const MutexLock lock(mutex_);
    const Timestamp now =
        told_ ? *told_ + std::chrono::floor<Millis>(clock_.SteadyNow() - told_at_) : clock_.Now();
    return std::max(now, forgotten_at_);
  }

  [[nodiscard]] SteadyTime SteadyNow() const override { return clock_.SteadyNow(); }

  // The ledger has just said that it is `time` there. The answer took its time to come, so this
  // clock is late by that: rather a turn is taken for one from before a forgetting than the other
  // way round.
  void Tell(Timestamp time) {
    const MutexLock lock(mutex_);
    told_ = time;
    told_at_ = clock_.SteadyNow();
  }

  // Somebody was forgotten at `time`, and this process knows.
  void Forgot(Timestamp time) {
    const MutexLock lock(mutex_);
    forgotten_at_ = std::max(forgotten_at_, time);
  }

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  std::optional<Timestamp> told_ GUARDED_BY(mutex_);
  SteadyTime told_at_ GUARDED_BY(mutex_){};
  Timestamp forgotten_at_ GUARDED_BY(mutex_){};
};

}  // namespace umbranet
