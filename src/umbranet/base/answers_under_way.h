// How many answers are being worked on that somebody waits for, so that work behind them can wait
// for a gap. The priorities of the operating system are not enough for that: a thread of the lowest
// one, on two processors, doubled the slowest answers (docs/decisions/0038).
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class AnswersUnderWay {
 public:
  // One answer, as long as this lives. May be held more than once for one answer.
  class Share {
   public:
    explicit Share(AnswersUnderWay* answers);  // Null: counts nothing.
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    AnswersUnderWay* const answers_;
  };

  [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_relaxed); }

  // Returns when no answer has been worked on for kGap, or after `at_most`: a server that is asked
  // without a pause gets on with the rest as well, if slowly.
  void WaitForGap(std::chrono::nanoseconds at_most);

  // Answers that wait for a model come back before long, so a moment without any is not a gap yet.
  static constexpr std::chrono::milliseconds kGap{15};

 private:
  void End();
  // When the gap that has begun is one, if no answer comes. Never while there is one.
  [[nodiscard]] SteadyTime GapAt() const;

  const SystemClock clock_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::int64_t> ended_ns_{0};  // The last one, of the steady clock.
  std::atomic<std::size_t> waiting_{0};    // Threads in WaitForGap, so that End seldom has to lock.
  Mutex mutex_;
  ConditionVariable ended_;
};

}  // namespace umbranet
