// Enqueueing, and a job's way through a lease. Claims are in sqlite_claims.cc, operators' calls in
// sqlite_dead_letters.cc, sweeping in sqlite_sweep.cc.
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"

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
