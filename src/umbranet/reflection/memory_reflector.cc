#include "umbranet/reflection/memory_reflector.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include <pthread.h>

#include "umbranet/base/crash_point.h"
#include "umbranet/base/thread_urgency.h"

namespace umbranet {
namespace {

// Claims wait this long at a time; only a stop ends the waiting for good.
constexpr std::chrono::minutes kClaimWait{1};
// How often WaitIdle looks at the ledger though nothing happened here: other processes work on it.
constexpr Millis kIdleLook{50};
// The same for somebody whose reply waits for a job.
constexpr Millis kInlineLook{5};
constexpr Millis kSettlePauseFirst{50};

void BecomeWorker(std::size_t worker, int nice) {
  pthread_setname_np(pthread_self(), ("reflect-" + std::to_string(worker)).substr(0, 15).c_str());
  WorkBehindAnswers(nice);
}

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

MemoryReflector::MemoryReflector(const Clock& clock, ReflectionQueue& queue,
                                 BatchProcessor& processor, SessionSummarizer& summarizer,
                                 Metrics& metrics, StructuredLog& log, Options options)
    : clock_(clock),
      queue_(queue),
      processor_(processor),
      summarizer_(summarizer),
      metrics_(metrics),
      log_(log),
      options_(std::move(options)),
      leases_(clock, queue.ledger(), log,
              {.every = options_.lease / 3, .cap = options_.lease_cap}) {}

MemoryReflector::~MemoryReflector() {
  Stop();
}

void MemoryReflector::Start() {
  leases_.Start();
  MutexLock lock(mutex_);
  if (!workers_.empty()) {
    return;
  }
  summaries_ = std::make_shared<BoundedWorkerPool>(
      BoundedWorkerPool::Options{.name = "summaries",
                                 .threads_min = 0,
                                 .threads_max = 1,
                                 .queue_max = options_.summaries_waiting_max,
                                 .nice = options_.nice});
  for (std::size_t worker = 0; worker < options_.workers; ++worker) {
    workers_.emplace_back([this, worker](std::stop_token stop) {
      BecomeWorker(worker, options_.nice);
      WorkUntilStopped(worker, std::move(stop));
    });
  }
}

void MemoryReflector::Stop() {
  std::vector<std::jthread> leaving;
  std::shared_ptr<BoundedWorkerPool> summaries;
  {
    MutexLock lock(mutex_);
    leaving = std::move(workers_);
    workers_.clear();
    summaries = std::move(summaries_);
  }
  for (std::jthread& worker : leaving) {
    worker.request_stop();
  }
  leaving.clear();
  if (summaries) {
    summaries->Stop();
  }
  leases_.Stop();
}

ClaimOptions MemoryReflector::ClaimAs(std::string_view worker) const {
  ClaimOptions options;
  options.jobs_max = options_.batch_jobs_max;
  options.lease = options_.lease;
  options.lease_cap = options_.lease_cap;
  options.worker = options_.name + "/" + std::string(worker);
  return options;
}

void MemoryReflector::WorkUntilStopped(std::size_t worker, std::stop_token stop) {
  const std::string name = std::to_string(worker);
  while (!stop.stop_requested()) {
    const auto worked = WorkOnce(name, stop, Deadline::After(clock_, kClaimWait));
    if (!worked.ok()) {
      log_.Warning("claim_failed", {{"error", worked.error().message}});
      Pause(stop, options_.error_pause);
    }
  }
}

Result<bool> MemoryReflector::WorkOnce(std::string_view worker, std::stop_token stop,
                                       Deadline deadline) {
  ClaimOptions options = ClaimAs(worker);
  options.gather = options_.gather;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<ClaimedBatch> batch,
                            queue_.Claim(options, stop, deadline));
  if (!batch) {
    return false;
  }
  WorkOff(*batch, std::move(stop), Deadline::After(clock_, options_.lease_cap * 9 / 10));
  return true;
}

Result<bool> MemoryReflector::ReflectNow(std::string_view job_id, std::stop_token stop,
                                         Deadline deadline) {
  leases_.Start();
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<ClaimedBatch> batch,
                            queue_.ledger().ClaimJob(job_id, ClaimAs("inline"), deadline));
  if (!batch) {
    return false;
  }
  WorkOff(*batch, std::move(stop), deadline.Within(clock_, options_.lease_cap * 9 / 10));
  return true;
}

Status MemoryReflector::ReflectInline(std::string_view tenant, std::span<const std::string> job_ids,
                                      Deadline deadline) {
  const Deadline until = deadline.Within(clock_, options_.inline_budget);
  for (const std::string& job_id : job_ids) {
    UMBRANET_RETURN_IF_ERROR(ReflectInline(tenant, job_id, By::kThisThread, until));
  }
  return {};
}

Status MemoryReflector::AwaitReflected(std::string_view tenant,
                                       std::span<const std::string> job_ids, Deadline deadline) {
  const Deadline until = deadline.Within(clock_, options_.inline_budget);
  for (const std::string& job_id : job_ids) {
    UMBRANET_RETURN_IF_ERROR(ReflectInline(tenant, job_id, By::kWorkers, until));
  }
  return {};
}

Status MemoryReflector::ReflectInline(std::string_view tenant, const std::string& job_id, By by,
                                      Deadline deadline) {
  for (;;) {
    if (by == By::kThisThread) {
      UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const bool mine, ReflectNow(job_id, {}, deadline));
    }
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<JobStatus> status,
                              queue_.ledger().Find(tenant, job_id, deadline));
    if (!status) {
      return NotFound("reflection: there is no job " + job_id);
    }
    if (status->state == JobState::kDone) {
      return {};
    }
    if (status->state != JobState::kReady && status->state != JobState::kLeased) {
      return FailedPrecondition("reflection: job " + job_id + " is " +
                                std::string(JobStateName(status->state)) + ": " +
                                status->last_error);
    }
    if (deadline.Expired()) {
      return DeadlineExceeded("reflection: job " + job_id + " is still being worked on");
    }
    // A worker has it, or another turn of its user.
    MutexLock lock(mutex_);
    changed_.WaitUntil(mutex_, SystemClock{}.SteadyNow() + kInlineLook);
  }
}

void MemoryReflector::WorkOff(const ClaimedBatch& batch, std::stop_token stop, Deadline deadline) {
  UMBRANET_CRASH_POINT_PASSED("claim.after_commit");
  Enter();
  const Timestamp claimed_at = clock_.Now();
  const SteadyTime started = clock_.SteadyNow();
  metrics_.reflection_batch_jobs.Observe(static_cast<double>(batch.jobs.size()));
  BatchResult result;
  {
    const LeaseKeeper::KeptLease kept(leases_, batch.lease);
    result = ProcessGuarded(batch, stop, deadline);
  }
  ObserveWait(batch, result, claimed_at);
  Finish(batch, result, started, std::move(stop));
  Leave();
}

BatchResult MemoryReflector::ProcessGuarded(const ClaimedBatch& batch, std::stop_token stop,
                                            Deadline deadline) {
  std::string what;
  try {
    return processor_.Process(batch, std::move(stop), deadline);
  } catch (const std::exception& exception) {
    // None of ours throws; a library may. The worker goes on, and the jobs are tried again.
    what = exception.what();
  }
  log_.Error("batch_exception", {{"jobs", batch.jobs.size()}, {"error", what}});
  BatchResult result;
  for (const ClaimedJob& claimed : batch.jobs) {
    result.failures.push_back({claimed.job.job_id, FailureKind::kTransient, "",
                               "reflection: unexpected: " + what, std::nullopt});
  }
  return result;
}

void MemoryReflector::Finish(const ClaimedBatch& batch, const BatchResult& result,
                             SteadyTime started, std::stop_token stop) {
  std::string_view outcome = "done";
  if (result.ending == BatchResult::Ending::kLeaseLost) {
    outcome = "lease_lost";
  } else if (result.ending == BatchResult::Ending::kInterrupted) {
    outcome = "released";
    const Status released =
        queue_.ledger().Release(batch.lease, Deadline::After(clock_, options_.settle_budget));
    if (!released.ok()) {
      // The lease runs out by itself.
      log_.Warning("release_failed", {{"error", released.error().message}});
    }
  } else {
    const auto report = Settle(batch, result, std::move(stop));
    if (report.ok()) {
      CountSettled(batch, result, *report);
      SummarizeSessions(batch, result);
      outcome = result.failures.empty() ? "done" : FailureKindName(result.failures.front().kind);
    } else {
      outcome = "lease_lost";
      log_.Warning("settle_failed",
                   {{"jobs", batch.jobs.size()}, {"error", report.error().message}});
    }
  }
  if (outcome == "lease_lost") {
    metrics_.reflection_fence_rejected_total.Increment();
    log_.Info("batch_dropped", {{"jobs", batch.jobs.size()}, {"lease", batch.lease.token}});
  }
  if (outcome == "lease_lost" || outcome == "released") {
    metrics_.reflection_attempts_total.At(outcome).Increment(
        static_cast<double>(batch.jobs.size()));
  }
  metrics_.reflection_process_seconds.At(outcome).Observe(Seconds(clock_.SteadyNow() - started));
}

Result<SettleReport> MemoryReflector::Settle(const ClaimedBatch& batch, const BatchResult& result,
                                             std::stop_token stop) {
  // The work is done; it would be a pity to lose the record of it to a hiccup, so this is tried for
  // as long as the lease may last.
  const Deadline last = Deadline::After(clock_, options_.lease);
  Millis pause = kSettlePauseFirst;
  for (;;) {
    UMBRANET_CRASH_POINT_PASSED("settle.before_commit");
    auto report = queue_.ledger().Settle(batch.lease, result.failures,
                                         last.Within(clock_, options_.settle_budget));
    UMBRANET_CRASH_POINT_PASSED("settle.after_commit");
    if (report.ok() || report.error().code == ErrorCode::kAborted || last.Expired() ||
        stop.stop_requested()) {
      return report;
    }
    Pause(stop, pause);
    pause = std::min(pause * 2, options_.error_pause);
  }
}

void MemoryReflector::ObserveWait(const ClaimedBatch& batch, const BatchResult& result,
                                  Timestamp claimed_at) {
  for (const ReflectedTurn& turn : result.reflected) {
    const auto job =
        std::find_if(batch.jobs.begin(), batch.jobs.end(),
                     [&turn](const ClaimedJob& each) { return each.job.job_id == turn.job_id; });
    // A job that was worked on before has waited for other reasons.
    if (turn.accepted_at && job != batch.jobs.end() && job->attempts == 0 && job->plan.empty()) {
      metrics_.reflection_queue_wait_seconds.Observe(Seconds(claimed_at - *turn.accepted_at));
    }
  }
}

void MemoryReflector::CountSettled(const ClaimedBatch& batch, const BatchResult& result,
                                   const SettleReport& report) {
  const Timestamp now = clock_.Now();
  std::map<std::string_view, const ClaimedJob*> claimed;
  for (const ClaimedJob& job : batch.jobs) {
    claimed.emplace(job.job.job_id, &job);
  }
  for (const ReflectedTurn& turn : result.reflected) {
    if (turn.accepted_at) {
      metrics_.reflection_end_to_end_seconds.At(PriorityName(turn.priority))
          .Observe(Seconds(now - *turn.accepted_at));
    }
  }
  metrics_.reflection_attempts_total.At("done").Increment(
      static_cast<double>(result.reflected.size()));
  std::uint64_t permanent = 0;
  for (const JobFailure& failure : result.failures) {
    permanent += failure.kind == FailureKind::kPermanent ? 1U : 0U;
    metrics_.reflection_attempts_total.At(FailureKindName(failure.kind)).Increment();
    const auto job = claimed.find(failure.job_id);
    log_.Warning("job_failed",
                 {{"job_id", failure.job_id},
                  {"kind", FailureKindName(failure.kind)},
                  {"tier", failure.tier},
                  {"failed_before", job == claimed.end() ? 0U : job->second->attempts},
                  {"error", failure.error}});
  }
  const std::uint64_t dead_for_good = std::min(permanent, report.dead);
  metrics_.reflection_dead_total.At("permanent").Increment(static_cast<double>(dead_for_good));
  metrics_.reflection_dead_total.At("transient")
      .Increment(static_cast<double>(report.dead - dead_for_good));
  if (report.dead > 0) {
    log_.Error("jobs_dead", {{"jobs", report.dead}});
  }
  log_.Debug("batch_settled", {{"jobs", batch.jobs.size()},
                               {"done", report.done},
                               {"retrying", report.retrying},
                               {"dead", report.dead}});
}

void MemoryReflector::SummarizeSessions(const ClaimedBatch& batch, const BatchResult& result) {
  std::map<std::string, std::size_t> sessions;
  for (const ReflectedTurn& turn : result.reflected) {
    if (!turn.session_id.empty()) {
      ++sessions[turn.session_id];
    }
  }
  std::shared_ptr<BoundedWorkerPool> pool;
  {
    MutexLock lock(mutex_);
    pool = summaries_;
  }
  for (const auto& [session_id, turns] : sessions) {
    if (!pool || !summarizer_.NoteTurns(batch.user, session_id, turns)) {
      continue;
    }
    Enter();
    const bool taken = pool->TrySubmit([this, user = batch.user, session = session_id] {
      try {
        [[maybe_unused]] const auto saved =
            summarizer_.Summarize(user, session, Deadline::After(clock_, options_.summary_budget));
      } catch (const std::exception& exception) {
        log_.Error("summary_exception", {{"error", exception.what()}});
      }
      Leave();
    });
    if (!taken) {
      // The session's next turns will ask again.
      Leave();
    }
  }
}

void MemoryReflector::Pause(std::stop_token stop, Millis pause) {
  MutexLock lock(mutex_);
  if (!stop.stop_requested()) {
    // It does no harm when this once ends too soon.
    processor_.runner().WaitOn(pausing_, mutex_, std::move(stop), pause);
  }
}

void MemoryReflector::Enter() {
  MutexLock lock(mutex_);
  ++busy_;
}

void MemoryReflector::Leave() {
  MutexLock lock(mutex_);
  --busy_;
  changed_.NotifyAll();
}

bool MemoryReflector::WaitIdle(Deadline deadline) {
  while (!deadline.Expired()) {
    {
      MutexLock lock(mutex_);
      while (busy_ > 0 && !deadline.Expired()) {
        changed_.WaitUntil(mutex_, SystemClock{}.SteadyNow() + kIdleLook);
      }
    }
    const auto stats = queue_.ledger().Stats(deadline);
    if (stats.ok() && stats->leased == 0 &&
        stats->ready_high + stats->ready_normal + stats->ready_low == 0) {
      MutexLock lock(mutex_);
      if (busy_ == 0) {
        return true;
      }
      continue;
    }
    MutexLock lock(mutex_);
    changed_.WaitUntil(mutex_, SystemClock{}.SteadyNow() + kIdleLook);
  }
  return false;
}

}  // namespace umbranet
