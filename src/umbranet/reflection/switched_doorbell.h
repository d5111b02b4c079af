// A doorbell that rings in this process alone while the queue is switched off, and the one for all
// processes otherwise. Waiters look at the switch each time they wait.
#pragma once

#include <functional>
#include <utility>

#include "umbranet/ports/doorbell.h"
#include "umbranet/reflection/condition_variable_doorbell.h"

namespace umbranet {

class SwitchedDoorbell final : public Doorbell {
 public:
  // `everywhere` must outlive it. `queue_is_on` is asked at every call, from any thread.
  SwitchedDoorbell(Doorbell& everywhere, std::function<bool()> queue_is_on)
      : everywhere_(everywhere), queue_is_on_(std::move(queue_is_on)) {}

  void Ring(const ReflectionJob& job) noexcept override { Chosen().Ring(job); }

  void RingWithTurn(const ReflectionJob& job, const Interaction& turn) noexcept override {
    Chosen().RingWithTurn(job, turn);
  }

  bool Wait(std::stop_token stop, Deadline deadline) override {
    return Chosen().Wait(std::move(stop), deadline);
  }

  [[nodiscard]] bool Healthy() const noexcept override {
    return !queue_is_on_() || everywhere_.Healthy();
  }

 private:
  Doorbell& Chosen() {
    if (queue_is_on_()) {
      return everywhere_;
    }
    return here_;
  }

  Doorbell& everywhere_;
  ConditionVariableDoorbell here_;
  const std::function<bool()> queue_is_on_;
};

}  // namespace umbranet
