// The doorbell of one process: whoever rings and whoever waits share it.
#pragma once

#include <cstddef>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/doorbell.h"

namespace umbranet {

class ConditionVariableDoorbell final : public Doorbell {
 public:
  void Ring(const ReflectionJob& job) noexcept override;
  bool Wait(std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] bool Healthy() const noexcept override { return true; }

 private:
  Mutex mutex_;
  ConditionVariable rung_;
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  // Rings that nobody has heard yet: at most one for each who waits, and one for who comes next.
  // More would only make workers look at an empty ledger.
  std::size_t rings_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
