#include "umbranet/base/answers_under_way.h"

#include <algorithm>

namespace umbranet {

AnswersUnderWay::Share::Share(AnswersUnderWay* answers) : answers_(answers) {
  if (answers_ != nullptr) {
    ++answers_->count_;
  }
}

AnswersUnderWay::Share::~Share() {
  if (answers_ != nullptr) {
    answers_->End();
  }
}

void AnswersUnderWay::End() {
  ended_ns_ = clock_.SteadyNow().time_since_epoch().count();
  // Both counts are in one order for all threads: whoever does not see a waiting thread here is
  // seen by it.
  if (--count_ == 0 && waiting_ > 0) {
    const MutexLock lock(mutex_);
    ended_.NotifyAll();
  }
}

SteadyTime AnswersUnderWay::GapAt() const {
  if (count_ > 0) {
    return SteadyTime::max();
  }
  return SteadyTime(std::chrono::nanoseconds(ended_ns_)) + kGap;
}

void AnswersUnderWay::WaitForGap(std::chrono::nanoseconds at_most) {
  const SteadyTime until = clock_.SteadyNow() + at_most;
  ++waiting_;
  {
    const MutexLock lock(mutex_);
    for (;;) {
      const SteadyTime go_at = std::min(GapAt(), until);
      if (clock_.SteadyNow() >= go_at) {
        break;
      }
      ended_.WaitUntil(mutex_, go_at);
    }
  }
  --waiting_;
}

}  // namespace umbranet
