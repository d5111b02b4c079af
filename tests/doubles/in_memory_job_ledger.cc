#include "tests/doubles/in_memory_job_ledger.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>
#include <utility>

namespace umbranet {

namespace {

Error Lost() {
  return Aborted("in-memory ledger: the lease is lost");
}

bool Matches(const DeadFilter& filter, const JobStatus& status) {
  return status.state == JobState::kDead &&
         filter.tenant.value_or(status.job.user.tenant) == status.job.user.tenant &&
         filter.user_id.value_or(status.job.user.user_id) == status.job.user.user_id &&
         filter.tier.value_or(status.last_error_tier) == status.last_error_tier &&
         status.last_error.find(filter.error_contains.value_or("")) != std::string::npos;
}

}  // namespace

Status InMemoryJobLedger::Enqueue(std::span<const ReflectionJob> jobs, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  for (const ReflectionJob& job : jobs) {
    EnqueueOne(job);
  }
  return {};
}

void InMemoryJobLedger::EnqueueOne(const ReflectionJob& job) {
  if (store_.FindJob(job.job_id) != nullptr || store_.former_jobs.contains(job.job_id)) {
    return;
  }
  const InMemoryLedgerStore::Turn* turn = store_.FindTurn(job.user, job.interaction_id);
  if (turn == nullptr) {
    store_.AddJob(++store_.last_sequence, job, /*has_turn=*/false);
    return;
  }
  const std::int64_t seq = turn->interaction.sequence;
  const auto current = store_.jobs.find(seq);
  const std::uint32_t generation =
      current == store_.jobs.end() ? turn->past_generation : current->second.status.job.generation;
  if (job.generation > generation) {
    store_.Retire(seq);
    store_.AddJob(seq, job, /*has_turn=*/true);
  }
}

Result<std::optional<ClaimedBatch>> InMemoryJobLedger::Claim(const ClaimOptions& options,
                                                             Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const Job* head = nullptr;
  for (const auto& [seq, job] : store_.jobs) {
    if (job.status.state != JobState::kReady || store_.IsLeasedOrHeld(job.status.job.user) ||
        (options.gather && WaitsForCompany(job.status.job.user, options))) {
      continue;
    }
    if (head == nullptr || std::tie(job.due_at, job.seq) < std::tie(head->due_at, head->seq)) {
      head = &job;
    }
  }
  if (head == nullptr) {
    return std::optional<ClaimedBatch>();
  }
  const UserKey user = head->status.job.user;
  std::vector<Job*> batch;
  for (auto& [seq, job] : store_.jobs) {
    if (job.status.state != JobState::kReady || job.status.job.user != user) {
      continue;
    }
    if (batch.empty() || (!job.solo && !batch.front()->solo && batch.size() < options.jobs_max)) {
      batch.push_back(&job);
    } else {
      break;
    }
  }
  return std::optional<ClaimedBatch>(LeaseJobs(batch, options));
}

bool InMemoryJobLedger::WaitsForCompany(const UserKey& user, const ClaimOptions& options) {
  const Timestamp now = FromUnixMillis(store_.Now());
  std::vector<const Job*> ready;
  for (const auto& [seq, job] : store_.jobs) {
    if (job.status.state == JobState::kReady && job.status.job.user == user) {
      ready.push_back(&job);
    }
  }
  Timestamp newest = Timestamp::min();
  for (const Job* job : ready) {
    const bool may_wait = !job->solo && job->status.job.priority != Priority::kHigh &&
                          job->status.job.mode != RunMode::kInline;
    if (!may_wait || now - job->status.accepted_at >= options.gather->wait_max) {
      return false;
    }
    newest = std::max(newest, job->status.accepted_at);
  }
  return ready.size() < options.jobs_max && now - newest < options.gather->quiet;
}

Result<std::optional<ClaimedBatch>> InMemoryJobLedger::ClaimJob(std::string_view job_id,
                                                                const ClaimOptions& options,
                                                                Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.state != JobState::kReady ||
      store_.IsLeasedOrHeld(job->status.job.user)) {
    return std::optional<ClaimedBatch>();
  }
  return std::optional<ClaimedBatch>(LeaseJobs({job}, options));
}

ClaimedBatch InMemoryJobLedger::LeaseJobs(const std::vector<Job*>& jobs,
                                          const ClaimOptions& options) {
  ClaimedBatch batch;
  batch.lease.token = ++store_.last_token;
  batch.user = jobs.front()->status.job.user;
  const std::int64_t now = store_.Now();
  store_.leases[batch.lease.token] = {
      .user = batch.user,
      .options = options,
      .leased_at = now,
      .until = now + std::min(options.lease, options.lease_cap).count()};
  const bool forgets_plans = store_.IsBroken(BrokenPromise::kSavedPlan);
  for (Job* job : jobs) {
    job->status.state = JobState::kLeased;
    batch.jobs.push_back({.job = job->status.job,
                          .attempts = job->status.attempts,
                          .tiers_done = job->status.tiers_done,
                          .plan = forgets_plans ? std::string() : job->plan});
  }
  return batch;
}

std::optional<UserKey> InMemoryJobLedger::UserOf(const Lease& lease) {
  const auto found = store_.leases.find(lease.token);
  if (found != store_.leases.end()) {
    return found->second.user;
  }
  // Kept only where the fence is broken.
  const auto lost = store_.lost_leases.find(lease.token);
  return lost == store_.lost_leases.end() ? std::nullopt : std::optional(lost->second.user);
}

InMemoryJobLedger::Job* InMemoryJobLedger::LeasedJob(const UserKey& user, std::string_view job_id) {
  Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.job.user != user || job->status.state != JobState::kLeased) {
    return nullptr;
  }
  return job;
}

Status InMemoryJobLedger::Extend(const Lease& lease, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const auto found = store_.leases.find(lease.token);
  if (found == store_.leases.end()) {
    return Lost();
  }
  InMemoryLedgerStore::LiveLease& live = found->second;
  live.until = std::min(store_.Now() + live.options.lease.count(),
                        live.leased_at + live.options.lease_cap.count());
  return {};
}

Result<std::vector<PlanRecord>> InMemoryJobLedger::SavePlans(const Lease& lease,
                                                             std::span<const PlanRecord> plans,
                                                             Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::optional<UserKey> user = UserOf(lease);
  if (!user.has_value()) {
    return Lost();
  }
  for (const PlanRecord& plan : plans) {
    if (LeasedJob(*user, plan.job_id) == nullptr) {
      return Lost();
    }
  }
  std::vector<PlanRecord> in_force;
  for (const PlanRecord& plan : plans) {
    Job* job = LeasedJob(*user, plan.job_id);
    if (job->plan.empty() || store_.IsBroken(BrokenPromise::kSavedPlan)) {
      job->plan = plan.plan;
      job->status.fallback = plan.fallback;
    }
    in_force.push_back({plan.job_id, job->plan});
  }
  return in_force;
}

Status InMemoryJobLedger::MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                                        Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::optional<UserKey> user = UserOf(lease);
  if (!user.has_value()) {
    return Lost();
  }
  for (const TierProgress& one : progress) {
    if (LeasedJob(*user, one.job_id) == nullptr) {
      return Lost();
    }
  }
  for (const TierProgress& one : progress) {
    JobStatus& status = LeasedJob(*user, one.job_id)->status;
    status.tiers_done = static_cast<TierMask>((status.tiers_done | one.done) & kAllReflectedTiers);
  }
  return {};
}

Result<SettleReport> InMemoryJobLedger::Settle(const Lease& lease,
                                               std::span<const JobFailure> failures,
                                               Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::optional<UserKey> user = UserOf(lease);
  if (!user.has_value()) {
    return Lost();
  }
  const std::int64_t now = store_.Now();
  const std::vector<Job*> jobs = store_.LeasedJobs(*user);
  SettleReport report;
  for (Job* job : jobs) {
    JobStatus& status = job->status;
    const auto failure =
        std::find_if(failures.begin(), failures.end(),
                     [&status](const JobFailure& one) { return one.job_id == status.job.job_id; });
    if (status.tiers_done == kAllReflectedTiers) {
      status.state = JobState::kDone;
      status.finished_at = FromUnixMillis(now);
      status.last_error.clear();
      status.last_error_tier.clear();
      job->plan.clear();
      ++report.done;
    } else if (failure == failures.end()) {
      status.state = JobState::kReady;
    } else {
      store_.AddAttempt(*job, {.attempt = status.attempts + 1,
                               .at = FromUnixMillis(now),
                               .kind = failure->kind,
                               .tier = failure->tier,
                               .error = failure->error});
      const Millis delay =
          store_.options.retry.Delay(status.job.job_id, status.attempts + 1, failure->retry_after);
      const RetryPolicy::Verdict verdict = store_.options.retry.AfterFailure(
          failure->kind, status.attempts, job->solo,
          jobs.size() == 1 || store_.IsBroken(BrokenPromise::kFailuresAlone));
      status.state = verdict.state;
      status.attempts = verdict.attempts;
      job->solo = verdict.solo;
      status.last_error = failure->error;
      status.last_error_tier = failure->tier;
      if (verdict.state == JobState::kDead) {
        status.finished_at = FromUnixMillis(now);
        ++report.dead;
      } else {
        status.next_attempt_at = FromUnixMillis(now) + delay;
        ++report.retrying;
      }
    }
  }
  store_.EndLease(*user);
  return report;
}

Status InMemoryJobLedger::Release(const Lease& lease, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::optional<UserKey> user = UserOf(lease);
  if (!user.has_value()) {
    return Lost();
  }
  for (Job* job : store_.LeasedJobs(*user)) {
    job->status.state = JobState::kReady;
  }
  store_.EndLease(*user);
  return {};
}

Result<SweepReport> InMemoryJobLedger::Sweep(Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::int64_t now = store_.Now();
  SweepReport report;
  std::vector<std::pair<UserKey, std::string>> expired;
  for (const auto& [token, lease] : store_.leases) {
    if (lease.until <= now) {
      expired.emplace_back(lease.user, lease.options.worker);
    }
  }
  for (const auto& [user, worker] : expired) {
    for (Job* job : store_.LeasedJobs(user)) {
      JobStatus& status = job->status;
      const std::string error = "the lease of " + worker + " expired";
      store_.AddAttempt(*job, {.attempt = status.attempts + 1,
                               .at = FromUnixMillis(now),
                               .kind = FailureKind::kTransient,
                               .tier = {},
                               .error = error});
      const RetryPolicy::CrashVerdict verdict =
          store_.options.retry.AfterCrash(status.crashes, job->solo);
      status.state = verdict.state;
      status.crashes = verdict.crashes;
      job->solo = verdict.solo;
      job->holds_user = verdict.state == JobState::kRetryWait;
      status.last_error = error;
      status.last_error_tier.clear();
      if (verdict.state == JobState::kRetryWait) {
        status.next_attempt_at = FromUnixMillis(now + verdict.delay.count());
      }
      if (verdict.state == JobState::kDead) {
        status.finished_at = FromUnixMillis(now);
        ++report.killed;
      }
    }
    store_.EndLease(user);
    ++report.expired;
  }
  for (auto& [seq, job] : store_.jobs) {
    JobStatus& status = job.status;
    if (status.state == JobState::kRetryWait && ToUnixMillis(*status.next_attempt_at) <= now) {
      status.state = JobState::kReady;
      job.holds_user = false;
      job.due_at = ToUnixMillis(*status.next_attempt_at);
      status.next_attempt_at.reset();
      ++report.promoted;
    }
  }
  for (auto job = store_.jobs.begin(); job != store_.jobs.end();) {
    const JobStatus& status = job->second.status;
    const Millis retention = status.state == JobState::kDead ? store_.options.dead_retention
                                                             : store_.options.done_retention;
    if (!status.finished_at.has_value() ||
        ToUnixMillis(*status.finished_at) >= now - retention.count()) {
      ++job;
      continue;
    }
    if (const auto turn = store_.turns.find(job->first); turn != store_.turns.end()) {
      turn->second.past_state = status.state;
      turn->second.past_generation = status.job.generation;
    }
    job = store_.jobs.erase(job);
    ++report.purged;
  }
  std::erase_if(store_.former_jobs, [&](const auto& job) {
    return ToUnixMillis(*job.second.finished_at) < now - store_.options.done_retention.count();
  });
  return report;
}

Result<std::optional<JobStatus>> InMemoryJobLedger::Find(std::string_view tenant,
                                                         std::string_view job_id,
                                                         Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const Job* job = store_.FindJob(job_id);
  if (job != nullptr && job->status.job.user.tenant == tenant) {
    return std::optional<JobStatus>(job->status);
  }
  const auto former = store_.former_jobs.find(job_id);
  if (former != store_.former_jobs.end() && former->second.job.user.tenant == tenant) {
    return std::optional<JobStatus>(former->second);
  }
  return std::optional<JobStatus>();
}

Result<LedgerStats> InMemoryJobLedger::Stats(Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  LedgerStats stats;
  const auto keep_older = [](std::optional<Timestamp>& oldest, Timestamp at) {
    oldest = std::min(oldest.value_or(at), at);
  };
  for (const auto& [seq, job] : store_.jobs) {
    const JobStatus& status = job.status;
    switch (status.state) {
      case JobState::kReady:
        keep_older(stats.oldest_ready_at, status.accepted_at);
        stats.ready_high += status.job.priority == Priority::kHigh ? 1 : 0;
        stats.ready_normal += status.job.priority == Priority::kNormal ? 1 : 0;
        stats.ready_low += status.job.priority == Priority::kLow ? 1 : 0;
        break;
      case JobState::kLeased:
        ++stats.leased;
        break;
      case JobState::kRetryWait:
        ++stats.retry_wait;
        break;
      case JobState::kDead:
        ++stats.dead;
        continue;
      case JobState::kDone:
      case JobState::kCancelled:
      case JobState::kSpooled:
        continue;
    }
    keep_older(stats.oldest_unfinished_at, status.accepted_at);
  }
  return stats;
}

Result<DeadPage> InMemoryJobLedger::ListDead(const DeadFilter& filter, std::string_view cursor,
                                             std::size_t limit, Deadline /*deadline*/) {
  std::size_t skip = 0;
  if (!cursor.empty()) {
    const auto [end, failed] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), skip);
    if (failed != std::errc() || end != cursor.data() + cursor.size()) {
      return InvalidArgument("in-memory ledger: bad cursor");
    }
  }
  MutexLock lock(store_.mutex);
  std::vector<std::pair<std::int64_t, const Job*>> dead;
  for (const auto& [seq, job] : store_.jobs) {
    if (Matches(filter, job.status)) {
      dead.emplace_back(ToUnixMillis(*job.status.finished_at), &job);
    }
  }
  std::sort(dead.begin(), dead.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->seq) > std::tie(b.first, b.second->seq);
  });
  DeadPage page;
  for (std::size_t i = skip; i < dead.size() && page.jobs.size() < limit; ++i) {
    page.jobs.push_back(dead[i].second->status);
  }
  if (skip + page.jobs.size() < dead.size()) {
    page.next_cursor = std::to_string(skip + page.jobs.size());
  }
  return page;
}

Result<std::optional<JobStatus>> InMemoryJobLedger::FindDead(std::string_view job_id,
                                                             Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.state != JobState::kDead) {
    return std::optional<JobStatus>();
  }
  return std::optional<JobStatus>(job->status);
}

void InMemoryJobLedger::Requeue(Job& job) {
  job.status.state = JobState::kReady;
  job.status.attempts = 0;
  job.status.crashes = 0;
  job.status.finished_at.reset();
  job.solo = true;
  job.due_at = store_.Now();
}

Result<std::uint64_t> InMemoryJobLedger::RequeueDead(std::string_view job_id,
                                                     std::string_view /*actor*/,
                                                     Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.state != JobState::kDead) {
    return std::uint64_t{0};
  }
  Requeue(*job);
  return std::uint64_t{1};
}

Result<std::uint64_t> InMemoryJobLedger::RequeueDeadMatching(const DeadFilter& filter,
                                                             std::string_view /*actor*/,
                                                             Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::uint64_t requeued = 0;
  for (auto& [seq, job] : store_.jobs) {
    if (Matches(filter, job.status)) {
      Requeue(job);
      ++requeued;
    }
  }
  return requeued;
}

Result<std::uint64_t> InMemoryJobLedger::DiscardDead(std::string_view job_id,
                                                     std::string_view actor,
                                                     std::string_view reason,
                                                     Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.state != JobState::kDead) {
    return std::uint64_t{0};
  }
  job->status.state = JobState::kCancelled;
  job->status.finished_at = FromUnixMillis(store_.Now());
  job->status.last_error = "discarded by " + std::string(actor) + ": " + std::string(reason);
  job->plan.clear();
  return std::uint64_t{1};
}

Result<std::uint64_t> InMemoryJobLedger::ReflectAgain(const UserKey& user, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::uint64_t again = 0;
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user != user) {
      continue;
    }
    const auto current = store_.jobs.find(seq);
    ReflectionJob job;
    job.generation = turn.past_generation;
    if (current != store_.jobs.end()) {
      job = current->second.status.job;
    }
    ++job.generation;
    job.user = user;
    job.interaction_id = turn.interaction.interaction_id;
    job.priority = Priority::kLow;
    job.job_id = MakeJobId(user, job.interaction_id, job.generation);
    store_.Retire(seq);
    // A foreign producer may have handed it in before there was a turn.
    std::erase_if(store_.jobs, [&job](const auto& other) {
      return other.second.status.job.job_id == job.job_id;
    });
    store_.AddJob(seq, job, /*has_turn=*/true);
    ++again;
  }
  for (Job* job : store_.LeasedJobs(user)) {
    job->status.state = JobState::kReady;
  }
  store_.EndLease(user);
  return again;
}

}  // namespace umbranet
