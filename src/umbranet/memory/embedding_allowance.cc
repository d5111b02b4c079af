#include "umbranet/memory/embedding_allowance.h"

#include <algorithm>
#include <chrono>

namespace umbranet {

bool EmbeddingAllowance::Take() {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  const std::chrono::duration<double> passed = now - filled_at_;
  left_ = std::min(at_once_, left_ + std::max(passed.count(), 0.0) * per_second_);
  filled_at_ = now;
  if (left_ < 1) {
    return false;
  }
  left_ -= 1;
  return true;
}

}  // namespace umbranet
