// Enqueueing, and a job's way through a lease. Operators' calls are in sqlite_dead_letters.cc,
// sweeping in sqlite_sweep.cc.
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

constexpr std::string_view kSelectKnownJob =
    "SELECT 1 FROM job WHERE job_id = ?1 UNION ALL SELECT 1 FROM former_job WHERE job_id = ?1";
constexpr std::string_view kSelectTurnOfJob =
    "SELECT t.seq, t.past_generation, t.past_state, j.generation, j.state"
    " FROM turn t LEFT JOIN job j ON j.seq = t.seq"
    " WHERE t.user_key = ? AND t.interaction_id = ?";
constexpr std::string_view kSelectBestUser =
    "SELECT user_key FROM account"
    " WHERE head_due IS NOT NULL AND lease_token IS NULL ORDER BY head_due, head_seq LIMIT 1";
// The same, but for users who wait for company (see CompanyWait). Looks at no more of a user's jobs
// than a batch takes. ?1: that many; ?2 and ?3: when the newest must have come, and the oldest, to
// have waited long enough; ?4: by how much less some users wait than others, so that those who
// began together do not all come due in one moment.
constexpr std::string_view kSelectGathered =
    "SELECT a.user_key FROM account a"
    " WHERE a.head_due IS NOT NULL AND a.lease_token IS NULL AND"
    " (SELECT count(*) >= ?1 OR max(j.enqueued_at) <= ?2"
    " OR min(j.enqueued_at) <= ?3 + a.user_key % 8 * ?4 / 8"
    " OR max(j.solo = 1 OR j.priority = 0 OR j.mode = 0)"
    " FROM (SELECT enqueued_at, solo, priority, mode FROM job INDEXED BY job_by_due"
    " WHERE user_key = a.user_key AND state = 0 ORDER BY due_at, seq LIMIT ?1) j)"
    " ORDER BY a.head_due, a.head_seq LIMIT 1";
constexpr std::string_view kSelectSolo =
    "SELECT seq FROM job INDEXED BY job_open WHERE user_key = ? AND state = 0 AND solo = 1"
    " AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq LIMIT 1";
constexpr std::string_view kSelectBatch =
    "SELECT seq FROM job INDEXED BY job_open WHERE user_key = ? AND state = 0 AND solo = 0"
    " AND seq < ? AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq LIMIT ?";
constexpr std::string_view kSelectReadyJob =
    "SELECT j.seq, j.user_key FROM job j JOIN account a ON a.user_key = j.user_key"
    " WHERE j.job_id = ? AND j.state = 0 AND a.lease_token IS NULL AND a.head_due IS NOT NULL";
constexpr std::string_view kRaiseFence =
    "UPDATE ledger_value SET value = value + 1 WHERE name = 'fence' RETURNING value";
constexpr std::string_view kInsertLease =
    "INSERT INTO lease(token, user_key, leased_at, lease_ms, cap_ms, lease_until, worker)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kLeaseAccount = "UPDATE account SET lease_token = ? WHERE user_key = ?";
constexpr std::string_view kLeaseJob = "UPDATE job SET state = 1 WHERE seq = ? AND state = 0";
constexpr std::string_view kSelectJob =
    "SELECT j.job_id, COALESCE(j.interaction_id, t.interaction_id), j.priority, j.mode,"
    " j.generation, j.traceparent, j.attempts, j.tiers_done, p.plan"
    " FROM job j LEFT JOIN turn t ON t.seq = j.seq LEFT JOIN plan p ON p.seq = j.seq"
    " WHERE j.seq = ?";
constexpr std::string_view kExtend =
    "UPDATE lease SET lease_until = min(?1 + lease_ms, leased_at + cap_ms) WHERE token = ?2";
constexpr std::string_view kSelectLease = "SELECT user_key FROM lease WHERE token = ?";
constexpr std::string_view kSelectJobOfLease =
    "SELECT seq FROM job WHERE job_id = ? AND user_key = ? AND state = 1";
constexpr std::string_view kInsertPlan =
    "INSERT INTO plan(seq, plan) VALUES(?, ?) ON CONFLICT(seq) DO NOTHING";
constexpr std::string_view kNoteFallback = "UPDATE job SET fallback = ? WHERE seq = ?";
constexpr std::string_view kSelectPlan = "SELECT plan FROM plan WHERE seq = ?";
constexpr std::string_view kDeletePlan = "DELETE FROM plan WHERE seq = ?";
constexpr std::string_view kMarkTiers = "UPDATE job SET tiers_done = tiers_done | ? WHERE seq = ?";
constexpr std::string_view kFinishJob =
    "UPDATE job SET state = 2, finished_at = ?, last_error = '', last_error_tier = ''"
    " WHERE seq = ?";
constexpr std::string_view kFailJob =
    "UPDATE job SET state = ?1, attempts = ?2, solo = ?3, last_error = ?4, last_error_tier = ?5,"
    " finished_at = CASE ?1 WHEN 3 THEN ?6 END, available_at = CASE ?1 WHEN 4 THEN ?7 END"
    " WHERE seq = ?8";
constexpr std::string_view kReturnJob = "UPDATE job SET state = 0 WHERE seq = ?";
constexpr std::string_view kReturnJobs =
    "UPDATE job SET state = 0 WHERE user_key = ? AND state = 1 AND solo IN (0, 1)"
    " AND " UMBRANET_JOB_IS_OPEN;

// The oldest ready jobs of the user, and none behind one that must run alone.
Result<std::vector<std::int64_t>> ReadBatch(SqliteConnection& connection, std::int64_t user_key,
                                            std::size_t jobs_max) {
  std::int64_t solo = std::numeric_limits<std::int64_t>::max();
  bool has_solo = false;
  {
    SqliteStatement row = connection.Prepare(kSelectSolo);
    row.BindAll(user_key);
    if (row.Step()) {
      solo = row.Int(0);
      has_solo = true;
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  std::vector<std::int64_t> seqs;
  SqliteStatement batch = connection.Prepare(kSelectBatch);
  batch.BindAll(user_key, solo, std::max<std::size_t>(jobs_max, 1));
  while (batch.Step()) {
    seqs.push_back(batch.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(batch.status());
  if (seqs.empty() && has_solo) {
    seqs.push_back(solo);
  }
  return seqs;
}

Error LeaseLost(const Lease& lease) {
  return Aborted("sqlite: lease " + std::to_string(lease.token) + " is lost");
}

// The user under this lease.
Result<std::int64_t> ReadLease(SqliteConnection& connection, const Lease& lease) {
  SqliteStatement found = connection.Prepare(kSelectLease);
  found.BindAll(lease.token);
  const std::optional<std::int64_t> user_key =
      found.Step() ? std::optional(found.Int(0)) : std::nullopt;
  UMBRANET_RETURN_IF_ERROR(found.status());
  if (!user_key.has_value()) {
    return LeaseLost(lease);
  }
  return *user_key;
}

// The sequence of a job that is under this lease. A job that was replaced by a later generation
// meanwhile is not any more.
Result<std::int64_t> ReadJobOfLease(SqliteConnection& connection, const Lease& lease,
                                    std::int64_t user_key, std::string_view job_id) {
  SqliteStatement found = connection.Prepare(kSelectJobOfLease);
  found.BindAll(job_id, user_key);
  const std::optional<std::int64_t> seq = found.Step() ? std::optional(found.Int(0)) : std::nullopt;
  UMBRANET_RETURN_IF_ERROR(found.status());
  if (!seq.has_value()) {
    return Aborted("sqlite: job " + std::string(job_id) + " is not under lease " +
                   std::to_string(lease.token));
  }
  return *seq;
}

}  // namespace

Status SqliteJobLedger::Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) {
  return store_.database().Write(
      Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        for (const ReflectionJob& job : jobs) {
          UMBRANET_RETURN_IF_ERROR(EnqueueOne(connection, job));
        }
        return {};
      },
      deadline);
}

Status SqliteJobLedger::EnqueueOne(SqliteConnection& connection, const ReflectionJob& job) {
  {
    SqliteStatement known = connection.Prepare(kSelectKnownJob);
    known.BindAll(job.job_id);
    const bool is_known = known.Step();
    UMBRANET_RETURN_IF_ERROR(known.status());
    if (is_known) {
      return {};
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, job.user));
  const std::int64_t now = store_.Now();
  std::int64_t seq = 0;
  std::int64_t generation = 0;
  JobState state = JobState::kDone;
  bool has_job = false;
  {
    SqliteStatement turn = connection.Prepare(kSelectTurnOfJob);
    turn.BindAll(user_key, job.interaction_id);
    if (turn.Step()) {
      seq = turn.Int(0);
      has_job = !turn.IsNull(3);
      generation = turn.Int(has_job ? 3 : 1);
      if (has_job || !turn.IsNull(2)) {
        state = static_cast<JobState>(turn.Int(has_job ? 4 : 2));
      }
    }
    UMBRANET_RETURN_IF_ERROR(turn.status());
  }
  if (seq == 0) {
    return InsertJob(connection, store_.NextSequence(), user_key, job, /*has_turn=*/false, now);
  }
  // The turn has had this generation or a later one: that it is not found by its id only means that
  // retention has removed it.
  if (job.generation <= generation) {
    return {};
  }
  if (has_job) {
    UMBRANET_RETURN_IF_ERROR(RetireJob(connection, seq, now));
  }
  UMBRANET_RETURN_IF_ERROR(InsertJob(connection, seq, user_key, job, /*has_turn=*/true, now));
  UMBRANET_RETURN_IF_ERROR(CountTurns(
      connection, user_key, state == JobState::kCancelled ? 1 : 0,
      {.reflected = state == JobState::kDone ? -1 : 0, .dead = state == JobState::kDead ? -1 : 0}));
  return RefreshHead(connection, user_key);
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::Claim(const ClaimOptions& options,
                                                           Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  return Change<Claimed>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<Claimed> {
        std::int64_t user_key = 0;
        {
          SqliteStatement best =
              connection.Prepare(options.gather ? kSelectGathered : kSelectBestUser);
          if (options.gather) {
            const std::int64_t now = store_.Now();
            best.BindAll(
                std::max<std::size_t>(options.jobs_max, 1), now - options.gather->quiet.count(),
                now - options.gather->wait_max.count(), options.gather->wait_max.count() * 2 / 5);
          }
          if (best.Step()) {
            user_key = best.Int(0);
          }
          UMBRANET_RETURN_IF_ERROR(best.status());
        }
        if (user_key == 0) {
          return Claimed();
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> seqs,
                                  ReadBatch(connection, user_key, options.jobs_max));
        UMBRANET_ASSIGN_OR_RETURN(ClaimedBatch batch,
                                  LeaseJobs(connection, user_key, seqs, options));
        return Claimed(std::move(batch));
      });
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::ClaimJob(std::string_view job_id,
                                                              const ClaimOptions& options,
                                                              Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  return Change<Claimed>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<Claimed> {
        std::int64_t seq = 0;
        std::int64_t user_key = 0;
        {
          SqliteStatement ready = connection.Prepare(kSelectReadyJob);
          ready.BindAll(job_id);
          if (ready.Step()) {
            seq = ready.Int(0);
            user_key = ready.Int(1);
          }
          UMBRANET_RETURN_IF_ERROR(ready.status());
        }
        if (seq == 0) {
          return Claimed();
        }
        UMBRANET_ASSIGN_OR_RETURN(
            ClaimedBatch batch,
            LeaseJobs(connection, user_key, std::span<const std::int64_t>(&seq, 1), options));
        return Claimed(std::move(batch));
      });
}

Result<ClaimedBatch> SqliteJobLedger::LeaseJobs(SqliteConnection& connection, std::int64_t user_key,
                                                std::span<const std::int64_t> seqs,
                                                const ClaimOptions& options) {
  ClaimedBatch batch;
  UMBRANET_ASSIGN_OR_RETURN(batch.user, ReadAccount(connection, user_key));
  {
    SqliteStatement fence = connection.Prepare(kRaiseFence);
    while (fence.Step()) {
      batch.lease.token = static_cast<std::uint64_t>(fence.Int(0));
    }
    UMBRANET_RETURN_IF_ERROR(fence.status());
  }
  const std::int64_t now = store_.Now();
  UMBRANET_RETURN_IF_ERROR(SqliteLedgerStore::KeepNow(connection, now));
  const std::int64_t until = now + std::min(options.lease, options.lease_cap).count();
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertLease, batch.lease.token, user_key, now,
                                          options.lease.count(), options.lease_cap.count(), until,
                                          options.worker));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaseAccount, batch.lease.token, user_key));
  SqliteStatement row = connection.Prepare(kSelectJob);
  for (const std::int64_t seq : seqs) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaseJob, seq));
    row.Reset();
    row.BindAll(seq);
    if (row.Step()) {
      ClaimedJob claimed;
      claimed.job = {.job_id = row.String(0),
                     .user = batch.user,
                     .interaction_id = row.String(1),
                     .priority = static_cast<Priority>(row.Int(2)),
                     .mode = static_cast<RunMode>(row.Int(3)),
                     .generation = static_cast<std::uint32_t>(row.Int(4)),
                     .traceparent = row.String(5)};
      claimed.attempts = static_cast<std::uint32_t>(row.Int(6));
      claimed.tiers_done = static_cast<TierMask>(row.Int(7));
      claimed.plan = row.Blob(8);
      batch.jobs.push_back(std::move(claimed));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  if (batch.jobs.empty()) {
    return Internal("sqlite: the head of user " + std::to_string(user_key) + " is no ready job");
  }
  return batch;
}

Status SqliteJobLedger::Extend(const Lease& lease, Deadline deadline) {
  return store_.database().Write(
      Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kExtend, store_.Now(), lease.token));
        if (connection.Changes() == 0) {
          return LeaseLost(lease);
        }
        return {};
      },
      deadline);
}

Result<std::vector<PlanRecord>> SqliteJobLedger::SavePlans(const Lease& lease,
                                                           std::span<const PlanRecord> plans,
                                                           Deadline deadline) {
  using Plans = std::vector<PlanRecord>;
  const Lane lane = store_.options().plans_in_foreground ? Lane::kForeground : Lane::kBackground;
  return Change<Plans>(lane, deadline, [&](SqliteConnection& connection) -> Result<Plans> {
    UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, ReadLease(connection, lease));
    Plans in_force;
    for (const PlanRecord& plan : plans) {
      UMBRANET_ASSIGN_OR_RETURN(const std::int64_t seq,
                                ReadJobOfLease(connection, lease, user_key, plan.job_id));
      SqliteStatement insert = connection.Prepare(kInsertPlan);
      insert.BindInt(1, seq);
      insert.BindBlob(2, plan.plan);
      UMBRANET_RETURN_IF_ERROR(insert.Run());
      if (!plan.fallback.empty() && connection.Changes() > 0) {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kNoteFallback, plan.fallback, seq));
      }
      SqliteStatement saved = connection.Prepare(kSelectPlan);
      saved.BindAll(seq);
      in_force.push_back({plan.job_id, saved.Step() ? std::string(saved.Blob(0)) : std::string()});
      UMBRANET_RETURN_IF_ERROR(saved.status());
    }
    return in_force;
  });
}

Status SqliteJobLedger::MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                                      Deadline deadline) {
  return store_.database().Write(
      Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, ReadLease(connection, lease));
        for (const TierProgress& one : progress) {
          UMBRANET_ASSIGN_OR_RETURN(const std::int64_t seq,
                                    ReadJobOfLease(connection, lease, user_key, one.job_id));
          UMBRANET_RETURN_IF_ERROR(connection.Run(kMarkTiers, one.done & kAllReflectedTiers, seq));
        }
        return {};
      },
      deadline);
}

Result<SettleReport> SqliteJobLedger::Settle(const Lease& lease,
                                             std::span<const JobFailure> failures,
                                             Deadline deadline) {
  return Change<SettleReport>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<SettleReport> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, ReadLease(connection, lease));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<LeasedJob> jobs,
                                  ReadLeasedJobs(connection, user_key));
        SettleReport report;
        TurnCounts turns;
        for (const LeasedJob& job : jobs) {
          const auto failure =
              std::find_if(failures.begin(), failures.end(),
                           [&job](const JobFailure& one) { return one.job_id == job.job_id; });
          UMBRANET_RETURN_IF_ERROR(SettleJob(connection, job,
                                             failure == failures.end() ? nullptr : &*failure,
                                             jobs.size() == 1, report, turns));
        }
        UMBRANET_RETURN_IF_ERROR(EndLease(connection, user_key, turns));
        return report;
      });
}

Status SqliteJobLedger::SettleJob(SqliteConnection& connection, const LeasedJob& job,
                                  const JobFailure* failure, bool alone, SettleReport& report,
                                  TurnCounts& turns) {
  const std::int64_t now = store_.Now();
  if (job.tiers_done == kAllReflectedTiers) {
    ++report.done;
    turns.reflected += job.has_turn ? 1 : 0;
    UMBRANET_RETURN_IF_ERROR(connection.Run(kFinishJob, now, job.seq));
    return connection.Run(kDeletePlan, job.seq);
  }
  if (failure == nullptr) {
    return connection.Run(kReturnJob, job.seq);
  }
  const RetryPolicy& policy = store_.options().retry;
  const RetryPolicy::Verdict verdict =
      policy.AfterFailure(failure->kind, job.attempts, job.solo, alone);
  if (verdict.state == JobState::kDead) {
    ++report.dead;
    turns.dead += job.has_turn ? 1 : 0;
  } else {
    ++report.retrying;
  }
  const std::int64_t available_at =
      now + policy.Delay(job.job_id, job.attempts + 1, failure->retry_after).count();
  UMBRANET_RETURN_IF_ERROR(connection.Run(kFailJob, verdict.state, verdict.attempts, verdict.solo,
                                          CutError(failure->error), failure->tier, now,
                                          available_at, job.seq));
  return AddAttempt(connection, job.seq,
                    {.attempt = job.attempts + 1,
                     .at = FromUnixMillis(now),
                     .kind = failure->kind,
                     .tier = failure->tier,
                     .error = failure->error});
}

Status SqliteJobLedger::Release(const Lease& lease, Deadline deadline) {
  return store_.database().Write(
      Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, ReadLease(connection, lease));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kReturnJobs, user_key));
        return EndLease(connection, user_key, {});
      },
      deadline);
}

}  // namespace umbranet
