// A job's way through a lease. Enqueueing and operators' calls are in postgres_dead_letters.cc,
// sweeping in ledger_sweep.cc.
#include "umbranet/adapters/postgres/postgres_job_ledger.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "umbranet/adapters/postgres/claim_statements.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

constexpr std::string_view kExtend =
    "UPDATE account SET lease_until = LEAST(ledger_now($1, $2) + lease_ms, leased_at + cap_ms)"
    " WHERE lease_token = $3";
constexpr std::string_view kIsLeased = "SELECT 1 FROM account WHERE lease_token = $1";
// A statement of its own: the head must be worked out in a later one, which sees what was committed
// before this lock was had.
constexpr std::string_view kLockLease =
    "SELECT user_key FROM account WHERE lease_token = $1 FOR UPDATE";
// Held to the end of the transaction, so that nobody takes the lease away meanwhile.
constexpr std::string_view kHoldJobs =
    "SELECT job_id FROM job WHERE job_id = ANY($1) AND lease_token = $2 AND state = 1"
    " ORDER BY seq FOR SHARE";
constexpr std::string_view kInsertPlans =
    "INSERT INTO plan(seq, plan) SELECT j.seq, x.plan"
    " FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS x(job_id, plan, i)"
    " JOIN job j ON j.job_id = x.job_id WHERE j.lease_token = $3 AND j.state = 1 ORDER BY x.i"
    " ON CONFLICT(seq) DO NOTHING";
// Before the plans are: a job that has one keeps it, and the mark with it.
constexpr std::string_view kNoteFallbacks =
    "UPDATE job j SET fallback = x.fallback"
    " FROM unnest($1::text[], $2::text[]) AS x(job_id, fallback) WHERE j.job_id = x.job_id"
    " AND j.lease_token = $3 AND j.state = 1 AND x.fallback <> ''"
    " AND NOT EXISTS(SELECT 1 FROM plan p WHERE p.seq = j.seq)";
constexpr std::string_view kSelectPlans =
    "SELECT x.job_id, p.plan FROM unnest($1::text[]) WITH ORDINALITY AS x(job_id, i)"
    " JOIN job j ON j.job_id = x.job_id JOIN plan p ON p.seq = j.seq ORDER BY x.i";
// All of them or none.
constexpr std::string_view kMarkTiers =
    "WITH held AS MATERIALIZED (SELECT seq, job_id FROM job WHERE job_id = ANY($1)"
    " AND lease_token = $3 AND state = 1 ORDER BY seq FOR UPDATE)"
    " UPDATE job j SET tiers_done = (j.tiers_done | x.done)::smallint FROM held h"
    " JOIN unnest($1::text[], $2::bigint[]) AS x(job_id, done) ON x.job_id = h.job_id"
    " WHERE j.seq = h.seq AND (SELECT count(*) FROM held) = cardinality($1::text[])";
constexpr std::string_view kFinishJobs =
    "UPDATE job SET state = 2, lease_token = NULL, finished_at = $2, last_error = '',"
    " last_error_tier = '' WHERE seq = ANY($1) AND state = 1";
constexpr std::string_view kReturnJobs =
    "UPDATE job SET state = 0, lease_token = NULL WHERE seq = ANY($1) AND state = 1";
constexpr std::string_view kReturnBatch =
    "UPDATE job SET state = 0, lease_token = NULL WHERE lease_token = $1 AND state = 1";
constexpr std::string_view kFailJobs =
    "UPDATE job j SET state = x.state, lease_token = NULL, attempts = x.attempts, solo = x.solo,"
    " last_error = x.error, last_error_tier = x.tier,"
    " finished_at = CASE x.state WHEN 3 THEN $2::bigint END,"
    " available_at = CASE x.state WHEN 4 THEN x.available_at END"
    " FROM unnest($1::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],"
    " $8::bigint[]) AS y(seq, state, attempts, solo, error, tier, available_at)"
    " CROSS JOIN LATERAL (SELECT y.state::smallint AS state, y.attempts, y.solo <> 0 AS solo,"
    " y.error, y.tier, y.available_at) x WHERE j.seq = y.seq AND j.state = 1";

constexpr int kClaimTriesMax = 4;

Error LeaseLost(const Lease& lease) {
  return Aborted("postgres: lease " + std::to_string(lease.token) + " is lost");
}

Error NotLeased(std::string_view job_id, const Lease& lease) {
  return Aborted("postgres: job " + std::string(job_id) + " is not under lease " +
                 std::to_string(lease.token));
}

// Jobs that failed, as columns.
struct FailedJobs {
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> states;
  std::vector<std::int64_t> attempts;
  std::vector<std::int64_t> solo;
  std::vector<std::string> errors;
  std::vector<std::string> tiers;
  std::vector<std::int64_t> available_at;

  void Add(std::int64_t seq, const RetryPolicy::Verdict& verdict, const JobFailure& failure,
           std::int64_t available) {
    seqs.push_back(seq);
    states.push_back(static_cast<std::int64_t>(verdict.state));
    attempts.push_back(verdict.attempts);
    solo.push_back(verdict.solo ? 1 : 0);
    errors.push_back(ErrorForPostgres(failure.error));
    tiers.push_back(TextForPostgres(failure.tier));
    available_at.push_back(available);
  }

  [[nodiscard]] PostgresCommand Command(std::int64_t now) const {
    return MakeCommand(kFailJobs, seqs, now, states, attempts, solo, errors, tiers, available_at);
  }
};

ClaimedJob ReadClaimedJob(const PostgresRow& row, const UserKey& user) {
  ClaimedJob claimed;
  claimed.job = {.job_id = row.String(3),
                 .user = user,
                 .interaction_id = row.String(4),
                 .priority = static_cast<Priority>(row.Int(5)),
                 .mode = static_cast<RunMode>(row.Int(6)),
                 .generation = static_cast<std::uint32_t>(row.Int(7)),
                 .traceparent = row.String(8)};
  claimed.attempts = static_cast<std::uint32_t>(row.Int(9));
  claimed.tiers_done = static_cast<TierMask>(row.Int(10));
  claimed.plan = row.String(11);
  return claimed;
}

}  // namespace

PostgresCommand PostgresJobLedger::ClaimCommand(std::string_view sql, const ClaimOptions& options,
                                                std::string_view job_id) const {
  PostgresCommand command = MakeCommand(sql, store_.given_now(), store_.seen_now(),
                                        options.lease.count(), options.lease_cap.count(),
                                        TextForPostgres(options.worker), store_.worker_number());
  command.values.push_back(job_id.empty()
                               ? PostgresValue::Of(std::max<std::size_t>(options.jobs_max, 1))
                               : PostgresValue::Of(job_id));
  if (job_id.empty() && options.gather) {
    command.values.push_back(PostgresValue::Of(options.gather->quiet.count()));
    command.values.push_back(PostgresValue::Of(options.gather->wait_max.count()));
  }
  return command;
}

Result<PostgresJobLedger::Outcome> PostgresJobLedger::TryClaim(const PostgresCommand& claim,
                                                               ClaimedBatch& batch,
                                                               Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store_.pool().Run(deadline, [&claim](PostgresConnection& connection) -> Result<PostgresRows> {
        UMBRANET_ASSIGN_OR_RETURN(std::vector<PostgresRows> results,
                                  connection.RunAll(std::span<const PostgresCommand>(&claim, 1)));
        return std::move(results.front());
      }));
  batch = {};
  if (rows.empty()) {
    return Outcome::kNothing;
  }
  batch.lease.token = static_cast<std::uint64_t>(rows[0].Int(0));
  batch.user = {rows[0].String(1), rows[0].String(2)};
  store_.Observe(rows[0].Int(12));
  for (const PostgresRow row : rows) {
    if (!row.IsNull(3)) {
      batch.jobs.push_back(ReadClaimedJob(row, batch.user));
    }
  }
  if (!batch.jobs.empty()) {
    return Outcome::kClaimed;
  }
  // The statement saw jobs that somebody else had had by the time it got the lock.
  const Status released = Release(batch.lease, deadline);
  if (!released.ok() && released.error().code != ErrorCode::kAborted) {
    return released.error();
  }
  return Outcome::kAgain;
}

Result<std::optional<ClaimedBatch>> PostgresJobLedger::Claim(const ClaimOptions& options,
                                                             Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  for (int tries = 0; tries < kClaimTriesMax; ++tries) {
    // Users whose account is locked at this moment are passed over, unless there are no others:
    // then it is worth the few milliseconds to wait.
    Outcome outcome = Outcome::kNothing;
    for (const std::string_view sql : {options.gather ? kClaimGathered : kClaim,
                                       options.gather ? kClaimGatheredWaiting : kClaimWaiting}) {
      ClaimedBatch batch;
      UMBRANET_ASSIGN_OR_RETURN(outcome, TryClaim(ClaimCommand(sql, options, {}), batch, deadline));
      if (outcome == Outcome::kClaimed) {
        return Claimed(std::move(batch));
      }
      if (outcome == Outcome::kAgain) {
        break;
      }
    }
    if (outcome == Outcome::kNothing) {
      break;
    }
  }
  return Claimed();
}

Result<std::optional<ClaimedBatch>> PostgresJobLedger::ClaimJob(std::string_view job_id,
                                                                const ClaimOptions& options,
                                                                Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  if (job_id.empty()) {
    return Claimed();
  }
  ClaimedBatch batch;
  UMBRANET_ASSIGN_OR_RETURN(const Outcome outcome,
                            TryClaim(ClaimCommand(kClaimJob, options, job_id), batch, deadline));
  return outcome == Outcome::kClaimed ? Claimed(std::move(batch)) : Claimed();
}

Status PostgresJobLedger::Extend(const Lease& lease, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        const PostgresCommand extend =
            MakeCommand(kExtend, store_.given_now(), store_.seen_now(), lease.token);
        UMBRANET_ASSIGN_OR_RETURN(
            const std::vector<PostgresRows> rows,
            connection.RunAllAndCommit(std::span<const PostgresCommand>(&extend, 1)));
        if (rows[0].affected() == 0) {
          return LeaseLost(lease);
        }
        return {};
      },
      PostgresDurability::kSoon);
}

Result<std::vector<PlanRecord>> PostgresJobLedger::SavePlans(const Lease& lease,
                                                             std::span<const PlanRecord> plans,
                                                             Deadline deadline) {
  using Plans = std::vector<PlanRecord>;
  std::vector<std::string> ids;
  std::vector<PostgresBytes> bytes;
  std::vector<std::string> fallbacks;
  bool marked = false;
  for (const PlanRecord& plan : plans) {
    ids.push_back(plan.job_id);
    bytes.push_back({plan.plan});
    fallbacks.push_back(TextForPostgres(plan.fallback));
    marked = marked || !plan.fallback.empty();
  }
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<Plans> {
        std::vector<PostgresCommand> commands;
        commands.push_back(MakeCommand(kIsLeased, lease.token));
        commands.push_back(MakeCommand(kHoldJobs, ids, lease.token));
        if (marked) {
          commands.push_back(MakeCommand(kNoteFallbacks, ids, fallbacks, lease.token));
        }
        commands.push_back(MakeCommand(kInsertPlans, ids, bytes, lease.token));
        commands.push_back(MakeCommand(kSelectPlans, ids));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(commands));
        if (rows[0].empty()) {
          return LeaseLost(lease);
        }
        std::set<std::string, std::less<>> held;
        for (const PostgresRow row : rows[1]) {
          held.insert(row.String(0));
        }
        for (const std::string& id : ids) {
          if (held.count(id) == 0) {
            return NotLeased(id, lease);
          }
        }
        Plans in_force;
        for (const PostgresRow row : rows.back()) {
          in_force.push_back({row.String(0), row.String(1)});
        }
        return in_force;
      });
}

Status PostgresJobLedger::MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                                        Deadline deadline) {
  std::map<std::string, TierMask> masks;
  for (const TierProgress& one : progress) {
    TierMask& mask = masks[one.job_id];
    mask = static_cast<TierMask>(mask | (one.done & kAllReflectedTiers));
  }
  std::vector<std::string> ids;
  std::vector<std::int64_t> done;
  for (const auto& [id, mask] : masks) {
    ids.push_back(id);
    done.push_back(mask);
  }
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        std::vector<PostgresCommand> commands;
        commands.push_back(MakeCommand(kIsLeased, lease.token));
        commands.push_back(MakeCommand(kMarkTiers, ids, done, lease.token));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAllAndCommit(commands));
        if (rows[0].empty()) {
          return LeaseLost(lease);
        }
        if (rows[1].affected() != static_cast<std::int64_t>(ids.size())) {
          return Aborted("postgres: a job is not under lease " + std::to_string(lease.token));
        }
        return {};
      },
      PostgresDurability::kSoon);
}

Result<SettleReport> PostgresJobLedger::Settle(const Lease& lease,
                                               std::span<const JobFailure> failures,
                                               Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<SettleReport> {
        std::vector<PostgresCommand> commands;
        commands.push_back(MakeCommand(kLockLease, lease.token));
        commands.push_back(LockLeasedJobsCommand(lease.token));
        commands.push_back(store_.NowCommand());
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(commands));
        if (rows[0].empty()) {
          return LeaseLost(lease);
        }
        return SettleJobs(connection, rows[0][0].Int(0), store_.ReadNow(rows[2]),
                          ReadLeasedJobs(rows[1]), failures);
      },
      PostgresDurability::kSoon);
}

Result<SettleReport> PostgresJobLedger::SettleJobs(PostgresConnection& connection,
                                                   std::int64_t user_key, std::int64_t now,
                                                   std::span<const PostgresLeasedJob> jobs,
                                                   std::span<const JobFailure> failures) {
  const RetryPolicy& policy = store_.options().retry;
  SettleReport report;
  PostgresTurnCounts turns;
  std::vector<std::int64_t> done;
  std::vector<std::int64_t> returned;
  FailedJobs failed;
  std::vector<PostgresAttemptRow> attempts;
  for (const PostgresLeasedJob& job : jobs) {
    const auto failure =
        std::find_if(failures.begin(), failures.end(),
                     [&job](const JobFailure& one) { return one.job_id == job.job_id; });
    if (job.tiers_done == kAllReflectedTiers) {
      ++report.done;
      turns.reflected += job.has_turn ? 1 : 0;
      done.push_back(job.seq);
    } else if (failure == failures.end()) {
      returned.push_back(job.seq);
    } else {
      const RetryPolicy::Verdict verdict =
          policy.AfterFailure(failure->kind, job.attempts, job.solo, jobs.size() == 1);
      const bool is_dead = verdict.state == JobState::kDead;
      report.dead += is_dead ? 1 : 0;
      report.retrying += is_dead ? 0 : 1;
      turns.dead += is_dead && job.has_turn ? 1 : 0;
      failed.Add(job.seq, verdict, *failure,
                 now + policy.Delay(job.job_id, job.attempts + 1, failure->retry_after).count());
      attempts.push_back({.seq = job.seq,
                          .record = {.attempt = job.attempts + 1,
                                     .at = FromUnixMillis(now),
                                     .kind = failure->kind,
                                     .tier = failure->tier,
                                     .error = failure->error}});
    }
  }
  std::vector<PostgresCommand> commands;
  if (!done.empty()) {
    commands.push_back(MakeCommand(kFinishJobs, done, now));
    commands.push_back(DeletePlansCommand(done));
  }
  if (!returned.empty()) {
    commands.push_back(MakeCommand(kReturnJobs, returned));
  }
  if (!attempts.empty()) {
    commands.push_back(failed.Command(now));
    AddAttemptsCommands(attempts, commands);
  }
  commands.push_back(EndLeaseCommand(user_key, turns));
  UMBRANET_RETURN_IF_ERROR(connection.RunAllAndCommit(commands));
  return report;
}

Status PostgresJobLedger::Release(const Lease& lease, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows found,
                                  connection.Query(kLockLease, lease.token));
        if (found.empty()) {
          return LeaseLost(lease);
        }
        std::vector<PostgresCommand> commands;
        commands.push_back(MakeCommand(kReturnBatch, lease.token));
        commands.push_back(EndLeaseCommand(found[0].Int(0), {}));
        UMBRANET_RETURN_IF_ERROR(connection.RunAllAndCommit(commands));
        return {};
      },
      PostgresDurability::kSoon);
}

}  // namespace umbranet
