// The doorbell wakes workers when the ledger has something for them. It is a hint: a ring may be
// lost, doubled or late, and nobody's correctness rests on it, since workers also look at the
// ledger once a second. All methods may be called from any thread.
#pragma once

#include <stop_token>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

class Doorbell {
 public:
  virtual ~Doorbell() = default;

  // Announces `job`. Best effort: never blocks the caller, never fails it.
  virtual void Ring(const ReflectionJob& job) noexcept = 0;

  // As Ring, by one who has the job's turn at hand: a doorbell that reaches other machines carries
  // it along, so that whoever hears the ring could rebuild what a restored database has lost.
  virtual void RingWithTurn(const ReflectionJob& job, const Interaction& /*turn*/) noexcept {
    Ring(job);
  }

  // Waits for a ring until `deadline`. True: there was one since the last Wait of any waiter.
  // False: none came (or stop was requested), look at the ledger anyway.
  virtual bool Wait(std::stop_token stop, Deadline deadline) = 0;

  // False: rings are not getting through, poll more often.
  [[nodiscard]] virtual bool Healthy() const noexcept = 0;
};

}  // namespace umbranet
