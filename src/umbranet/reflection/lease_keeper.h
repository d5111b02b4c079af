// Keeps the leases of running batches alive, so that a long extraction is not taken for a dead
// worker. A lease is kept only while its worker holds a KeptLease, and never past the cap: a
// heartbeat that outlives its handler would strand the jobs for ever.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class LeaseKeeper {
 public:
  struct Options {
    Millis every{5'000};  // A third of a lease: two heartbeats may be lost.
    Millis cap{120'000};  // From Keep on.
    Millis call_budget{3'000};
  };

  // Keeps one lease from its making to its end.
  class KeptLease {
   public:
    KeptLease(LeaseKeeper& keeper, const Lease& lease);
    ~KeptLease();
    KeptLease(const KeptLease&) = delete;
    KeptLease& operator=(const KeptLease&) = delete;

   private:
    LeaseKeeper& keeper_;
    const Lease lease_;
  };

  LeaseKeeper(const Clock& clock, JobLedger& ledger, StructuredLog& log, Options options);
  // Stops.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // Start the thread that extends once in `every`; end it. Both may be repeated, in any order.
  void Start();
  void Stop();

  // One round, now, by the caller: every kept lease within its cap is extended. A lease that turns
  // out to be lost is let go; its worker learns of it from the ledger as well.
  void ExtendAll();

  // How many are kept.
  [[nodiscard]] std::size_t Count() const;

 private:
  void ExtendUntilStopped(std::stop_token stop);
  void LetGo(const Lease& lease);

  const Clock& clock_;
  JobLedger& ledger_;
  StructuredLog& log_;
  const Options options_;

  mutable Mutex mutex_;
  ConditionVariable stopped_;
  std::map<Lease, SteadyTime> kept_since_ GUARDED_BY(mutex_);
  std::jthread thread_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
