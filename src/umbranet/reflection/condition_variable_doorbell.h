// The doorbell of one process: whoever rings and whoever waits share it.
#pragma once

#include <utility>

#include "umbranet/base/wake_signal.h"
#include "umbranet/ports/doorbell.h"

namespace umbranet {

class ConditionVariableDoorbell final : public Doorbell {
 public:
  void Ring(const ReflectionJob& /*job*/) noexcept override { signal_.Notify(); }

  bool Wait(std::stop_token stop, Deadline deadline) override {
    return signal_.Wait(std::move(stop), deadline);
  }

  [[nodiscard]] bool Healthy() const noexcept override { return true; }

 private:
  WakeSignal signal_;
};

}  // namespace umbranet
