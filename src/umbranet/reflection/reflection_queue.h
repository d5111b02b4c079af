// The queue that workers take reflection jobs from: the ledger, which decides, and the doorbell,
// which wakes.
//
// All methods may be called from any thread. Ledger and doorbell must outlive the queue, and their
// promises are the queue's: settling and the rest of a job's life go to ledger() directly.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

class ReflectionQueue {
 public:
  struct Options {
    Millis poll{5'000};            // How often a waiting Claim looks, even if nobody rang.
    Millis poll_unhealthy{1'000};  // The same while the doorbell says that it cannot be relied on.
    Millis sweep_every{1'000};
    Millis sweep_budget{5'000};  // Deadline of one sweep.
    // Hears of every sweep that succeeded, on the sweeper's or the caller's thread; may be empty.
    std::function<void(const SweepReport&)> on_sweep = {};
  };

  ReflectionQueue(const Clock& clock, JobLedger& ledger, Doorbell& doorbell, Options options);
  // Stops.
  ~ReflectionQueue();
  ReflectionQueue(const ReflectionQueue&) = delete;
  ReflectionQueue& operator=(const ReflectionQueue&) = delete;

  // Start the thread that sweeps once in sweep_every; end it. Both may be repeated, in any order.
  // Claims work without it, but then nothing reaps and promotes.
  void Start();
  void Stop();

  // The best batch, as soon as there is one. Looks at once, then after every ring, after every
  // sweep that made something ready, and every poll. Nothing when `deadline` passed or `stop` was
  // requested first. An error of the ledger is returned at once; whoever loops should pause before
  // the next call.
  Result<std::optional<ClaimedBatch>> Claim(const ClaimOptions& options, std::stop_token stop,
                                            Deadline deadline);

  // One sweep, now, by the caller. Waiting claims look again when it made something ready.
  Result<SweepReport> Sweep(Deadline deadline);

  [[nodiscard]] JobLedger& ledger() { return ledger_; }

  [[nodiscard]] Doorbell& doorbell() { return doorbell_; }

 private:
  void SweepUntilStopped(std::stop_token stop);

  const Clock& clock_;
  JobLedger& ledger_;
  Doorbell& doorbell_;
  const Options options_;

  // Rises with every sweep that made something ready.
  std::atomic<std::uint64_t> sweeps_with_work_{0};

  Mutex mutex_;
  ConditionVariable stopped_;
  std::jthread sweeper_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
