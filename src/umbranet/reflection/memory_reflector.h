// The workers behind the answers: each claims a batch, has it worked off and settles it, for as
// long as the process lives. They run at a lower priority than the threads that answer.
//
// All methods may be called from any thread. The collaborators must outlive the reflector; the
// queue's sweeper is started and stopped by whoever owns the queue.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/lease_keeper.h"
#include "umbranet/reflection/reflection_queue.h"
#include "umbranet/reflection/session_summarizer.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class MemoryReflector {
 public:
  struct Options {
    std::size_t workers = 3;
    std::size_t batch_jobs_max = 10;
    std::optional<CompanyWait> gather = std::nullopt;  // Of the workers, not of inline reflection.
    Millis lease{15'000};
    Millis lease_cap{120'000};
    Millis settle_budget{5'000};
    Millis summary_budget{5'000};
    Millis inline_budget{10'000};  // Of ReflectInline, unless the caller's deadline is sooner.
    Millis error_pause{1'000};     // After an error of the ledger, before it is asked again.
    std::size_t summaries_waiting_max = 256;
    int nice = 5;
    std::string name = "reflector";  // In the ledger, for the operator's eyes; "/0", "/1" follow.
  };

  MemoryReflector(const Clock& clock, ReflectionQueue& queue, BatchProcessor& processor,
                  SessionSummarizer& summarizer, Metrics& metrics, StructuredLog& log,
                  Options options);
  // Stops.
  ~MemoryReflector();
  MemoryReflector(const MemoryReflector&) = delete;
  MemoryReflector& operator=(const MemoryReflector&) = delete;

  // Start the workers; end them. Both may be repeated, in any order. Stop returns once every worker
  // has settled its batch or, after the processor's grace, given it back untouched.
  void Start();
  void Stop();

  // One round of a worker, on the caller's thread: claims as `worker`, waiting for a job until
  // `deadline`, works the batch off and settles it. True: there was one. For those who bring
  // threads of their own, as Start does.
  Result<bool> WorkOnce(std::string_view worker, std::stop_token stop, Deadline deadline);

  // One round of what keeps the leases of running batches.
  void ExtendLeases() { leases_.ExtendAll(); }

  // True once no worker is busy, no summary is being made and the ledger holds no ready and no
  // leased job; jobs that wait for a retry do not count. False: `deadline` came first.
  [[nodiscard]] bool WaitIdle(Deadline deadline);

  // Works one job off on the caller's thread, for turns that are to be reflected before they are
  // answered. False: it was not to be had, since it is done, being worked on, or waiting.
  Result<bool> ReflectNow(std::string_view job_id, std::stop_token stop, Deadline deadline);

  // Has these jobs reflected before it returns: on the caller's thread, or by waiting for the
  // worker that was quicker. Stops at the first that will not be done in time or has failed; what
  // is left is left to the workers. kNotFound: the tenant has no such job.
  Status ReflectInline(std::string_view tenant, std::span<const std::string> job_ids,
                       Deadline deadline);
  // The same by waiting alone, for workers here or elsewhere.
  Status AwaitReflected(std::string_view tenant, std::span<const std::string> job_ids,
                        Deadline deadline);

 private:
  enum class By : std::uint8_t { kThisThread, kWorkers };

  void WorkUntilStopped(std::size_t worker, std::stop_token stop);
  void WorkOff(const ClaimedBatch& batch, std::stop_token stop, Deadline deadline);
  BatchResult ProcessGuarded(const ClaimedBatch& batch, std::stop_token stop, Deadline deadline);
  void Finish(const ClaimedBatch& batch, const BatchResult& result, SteadyTime started,
              std::stop_token stop);
  Result<SettleReport> Settle(const ClaimedBatch& batch, const BatchResult& result,
                              std::stop_token stop);
  Status ReflectInline(std::string_view tenant, const std::string& job_id, By by,
                       Deadline deadline);
  void ObserveWait(const ClaimedBatch& batch, const BatchResult& result, Timestamp claimed_at);
  void CountSettled(const ClaimedBatch& batch, const BatchResult& result,
                    const SettleReport& report);
  void SummarizeSessions(const ClaimedBatch& batch, const BatchResult& result);
  void Pause(std::stop_token stop, Millis pause);
  [[nodiscard]] ClaimOptions ClaimAs(std::string_view worker) const;
  void Enter();
  void Leave();

  const Clock& clock_;
  ReflectionQueue& queue_;
  BatchProcessor& processor_;
  SessionSummarizer& summarizer_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  LeaseKeeper leases_;

  Mutex mutex_;
  ConditionVariable changed_;
  ConditionVariable pausing_;  // Nobody notifies it.
  std::vector<std::jthread> workers_ GUARDED_BY(mutex_);
  std::shared_ptr<BoundedWorkerPool> summaries_ GUARDED_BY(mutex_);
  std::size_t busy_ GUARDED_BY(mutex_) = 0;  // Batches being worked on and summaries to be made.
};

}  // namespace umbranet
