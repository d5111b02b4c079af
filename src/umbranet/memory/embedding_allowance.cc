#include "umbranet/memory/embedding_allowance.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace umbranet {
namespace {

// Times the allowance.
constexpr double kTooMany = 5;

}  // namespace

bool EmbeddingAllowance::Take(bool free) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  const std::chrono::duration<double> since = now - filled_at_;
  const double passed = std::max(since.count(), 0.0);
  left_ = std::min(at_once_, left_ + passed * per_second_);
  asked_ = asked_ * std::exp(-passed) + 1;
  filled_at_ = now;
  if (!free || left_ < 1 || asked_ > 1 + kTooMany * per_second_) {
    return false;
  }
  left_ -= 1;
  return true;
}

}  // namespace umbranet
