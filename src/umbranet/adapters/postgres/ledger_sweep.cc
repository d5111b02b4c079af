#include "umbranet/adapters/postgres/ledger_sweep.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/growth_statistics.h"
#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"

namespace umbranet {

namespace {

// One sweeper at a time; released with the transaction.
constexpr std::string_view kLockSweep =
    "SELECT pg_try_advisory_xact_lock(hashtext('umbranet sweep'), hashtext(current_schema()))";
// Advisory locks of two halves are listed with objsubid 2, the halves as unsigned numbers.
constexpr std::string_view kSelectExpired =
    "WITH alive AS MATERIALIZED (SELECT k.objid::bigint AS number FROM pg_locks k"
    " WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.granted AND k.database ="
    " (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND k.classid::bigint"
    " = hashtext('umbranet worker ' || current_schema())::bigint & 4294967295)"
    " SELECT a.lease_token, COALESCE(a.worker, ''), a.lease_until <= $1 FROM account a"
    " WHERE a.lease_token IS NOT NULL AND ((a.lease_until <= $1 AND NOT $2)"
    " OR (a.worker_number IS NOT NULL"
    " AND clock_timestamp() > pg_postmaster_start_time() + $3::bigint * interval '1 ms'"
    " AND NOT EXISTS (SELECT 1 FROM alive WHERE alive.number = a.worker_number)))"
    " ORDER BY a.lease_token LIMIT $4";
constexpr std::string_view kTryLockLease =
    "SELECT user_key FROM account WHERE lease_token = $1 FOR UPDATE SKIP LOCKED";
constexpr std::string_view kCountLeased =
    "SELECT count(*) FROM job WHERE lease_token = $1 AND state = 1";
// A tier that is in the middle of its transaction holds its jobs.
constexpr std::string_view kTryLockJobs =
    "SELECT seq, job_id, attempts, crashes, solo, tiers_done, interaction_id IS NULL FROM job"
    " WHERE lease_token = $1 AND state = 1 ORDER BY seq FOR UPDATE SKIP LOCKED";
constexpr std::string_view kCrashJobs =
    "UPDATE job j SET state = x.state::smallint, lease_token = NULL, crashes = x.crashes,"
    " solo = x.solo <> 0, last_error = $2, last_error_tier = '',"
    " finished_at = CASE x.state WHEN 3 THEN $3::bigint END,"
    " available_at = CASE x.state WHEN 4 THEN x.available_at END, holds_user = x.state = 4"
    " FROM unnest($1::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])"
    " AS x(seq, state, crashes, solo, available_at) WHERE j.seq = x.seq AND j.state = 1";
constexpr std::string_view kSelectDue =
    "SELECT seq, user_key FROM job WHERE state = 4 AND available_at <= $1"
    " ORDER BY available_at, seq LIMIT $2";
constexpr std::string_view kTryLockAccounts =
    "SELECT user_key FROM account WHERE user_key = ANY($1) ORDER BY user_key"
    " FOR UPDATE SKIP LOCKED";
// The whole condition again: what was read before may not be so any more.
constexpr std::string_view kPromote =
    "UPDATE job SET state = 0, due_at = available_at, available_at = NULL, holds_user = false"
    " WHERE seq = ANY($1) AND user_key = ANY($2) AND state = 4 AND available_at <= $3";
// The turn remembers what became of it, for a client that hands it in again years later.
#define UMBRANET_PURGE(states)                                                                   \
  "WITH old AS MATERIALIZED (SELECT seq FROM job WHERE state IN (" states                        \
  ")"                                                                                            \
  " AND finished_at < $1 ORDER BY finished_at, seq LIMIT $2 FOR UPDATE SKIP LOCKED),"            \
  " gone AS (DELETE FROM job j USING old o WHERE j.seq = o.seq AND j.state IN (" states          \
  ")"                                                                                            \
  " RETURNING j.seq, j.generation, j.state, j.interaction_id),"                                  \
  " plans AS (DELETE FROM plan p USING gone g WHERE p.seq = g.seq),"                             \
  " attempts AS (DELETE FROM attempt a USING gone g WHERE a.seq = g.seq),"                       \
  " kept AS (UPDATE turn t SET past_generation = g.generation, past_state = g.state FROM gone g" \
  " WHERE t.seq = g.seq AND g.interaction_id IS NULL AND (g.generation > 0 OR g.state <> 2))"    \
  " SELECT count(*) FROM gone"
constexpr std::string_view kPurgeFinished = UMBRANET_PURGE("2, 5");
constexpr std::string_view kPurgeDead = UMBRANET_PURGE("3");
constexpr std::string_view kPurgeFormer =
    "DELETE FROM former_job WHERE job_id IN (SELECT job_id FROM former_job WHERE finished_at < $1"
    " ORDER BY finished_at LIMIT $2)";
constexpr std::string_view kPurgeAnswers =
    "DELETE FROM answer WHERE (tenant, idempotency_key) IN"
    " (SELECT tenant, idempotency_key FROM answer WHERE stored_at <= $1"
    " ORDER BY stored_at LIMIT $2)";
constexpr std::string_view kPurgeAudit =
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT $2)";
constexpr std::string_view kKeepNow =
    "UPDATE ledger_value SET value = $1 WHERE name = 'last_now' AND value < $1";

// Ends the lease as RetryPolicy::AfterCrash says for each of its jobs. False: left to next time.
Result<bool> CrashLease(PostgresConnection& connection, const RetryPolicy& policy,
                        std::int64_t token, std::string_view error, std::int64_t now,
                        ReapReport& report) {
  std::vector<PostgresCommand> commands;
  commands.push_back(MakeCommand(kTryLockLease, token));
  commands.push_back(MakeCommand(kCountLeased, token));
  commands.push_back(MakeCommand(kTryLockJobs, token));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
  const std::vector<PostgresLeasedJob> jobs = ReadLeasedJobs(rows[2]);
  if (rows[0].empty() || rows[1][0].Int(0) != static_cast<std::int64_t>(jobs.size())) {
    return false;
  }
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> states;
  std::vector<std::int64_t> crashes;
  std::vector<std::int64_t> solo;
  std::vector<std::int64_t> available_at;
  std::vector<PostgresAttemptRow> attempts;
  PostgresTurnCounts turns;
  for (const PostgresLeasedJob& job : jobs) {
    const RetryPolicy::CrashVerdict verdict = policy.AfterCrash(job.crashes, job.solo);
    seqs.push_back(job.seq);
    states.push_back(static_cast<std::int64_t>(verdict.state));
    crashes.push_back(verdict.crashes);
    solo.push_back(verdict.solo ? 1 : 0);
    available_at.push_back(now + verdict.delay.count());
    attempts.push_back({.seq = job.seq,
                        .record = {.attempt = job.attempts + 1,
                                   .at = FromUnixMillis(now),
                                   .kind = FailureKind::kTransient,
                                   .tier = {},
                                   .error = std::string(error)}});
    if (verdict.state == JobState::kDead) {
      ++report.killed;
      turns.dead += job.has_turn ? 1 : 0;
    }
  }
  commands.clear();
  commands.push_back(MakeCommand(kCrashJobs, seqs, ErrorForPostgres(error), now, states, crashes,
                                 solo, available_at));
  AddAttemptsCommands(attempts, commands);
  commands.push_back(EndLeaseCommand(rows[0][0].Int(0), turns));
  UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
  ++report.expired;
  return true;
}

Result<std::uint64_t> Promote(PostgresConnection& connection, std::size_t limit, std::int64_t now) {
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> users;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows due, connection.Query(kSelectDue, now, limit));
  for (const PostgresRow row : due) {
    seqs.push_back(row.Int(0));
    users.push_back(row.Int(1));
  }
  if (seqs.empty()) {
    return std::uint64_t{0};
  }
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows locked, connection.Query(kTryLockAccounts, users));
  users.clear();
  for (const PostgresRow row : locked) {
    users.push_back(row.Int(0));
  }
  std::vector<PostgresCommand> commands;
  commands.push_back(MakeCommand(kPromote, seqs, users, now));
  commands.push_back(RefreshHeadsCommand(users));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
  return static_cast<std::uint64_t>(rows[0].affected());
}

Result<std::uint64_t> Purge(PostgresConnection& connection,
                            const PostgresLedgerStore::Options& options, std::int64_t now) {
  const std::size_t limit = options.sweep_max;
  const std::int64_t done = now - options.done_retention.count();
  std::vector<PostgresCommand> commands;
  commands.push_back(MakeCommand(kPurgeFinished, done, limit));
  commands.push_back(MakeCommand(kPurgeDead, now - options.dead_retention.count(), limit));
  commands.push_back(MakeCommand(kPurgeFormer, done, limit));
  commands.push_back(MakeCommand(kPurgeAnswers, now - options.answer_retention.count(), limit));
  commands.push_back(MakeCommand(kPurgeAudit, now - options.audit_retention.count(), limit));
  commands.push_back(MakeCommand(kKeepNow, now));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
  return static_cast<std::uint64_t>(rows[0][0].Int(0) + rows[1][0].Int(0));
}

}  // namespace

Result<ReapReport> ReapLeases(PostgresConnection& connection, PostgresLedgerStore& store,
                              std::int64_t now, const Reaping& reaping) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows expired,
                            connection.Query(kSelectExpired, now, reaping.only_of_the_dead,
                                             reaping.grace.count(), store.options().sweep_max));
  ReapReport report;
  for (const PostgresRow row : expired) {
    const std::string worker = row.String(1);
    const std::string error = row.Bool(2) ? "the lease of " + worker + " expired"
                                          : "the process ended while " + worker + " worked on it";
    UMBRANET_RETURN_IF_ERROR(
        CrashLease(connection, store.options().retry, row.Int(0), error, now, report));
  }
  return report;
}

Result<ReapReport> ReapLeases(PostgresLedgerStore& store, const Reaping& reaping,
                              Deadline deadline) {
  return store.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<ReapReport> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store.Now(connection));
        return ReapLeases(connection, store, now, reaping);
      },
      PostgresDurability::kSoon);
}

Result<SweepReport> PostgresJobLedger::Sweep(Deadline deadline) {
  bool is_ours = false;
  auto swept = store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<SweepReport> {
        SweepReport report;
        std::vector<PostgresCommand> commands;
        commands.push_back(MakeCommand(kLockSweep));
        commands.push_back(store_.NowCommand());
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(commands));
        is_ours = rows[0][0].Bool(0);
        if (!is_ours) {
          return report;  // Somebody else is at it.
        }
        const std::int64_t now = store_.ReadNow(rows[1]);
        UMBRANET_ASSIGN_OR_RETURN(const ReapReport reaped, ReapLeases(connection, store_, now, {}));
        report.expired = reaped.expired;
        report.killed = reaped.killed;
        UMBRANET_ASSIGN_OR_RETURN(report.promoted,
                                  Promote(connection, store_.options().sweep_max, now));
        UMBRANET_ASSIGN_OR_RETURN(report.purged, Purge(connection, store_.options(), now));
        return report;
      },
      PostgresDurability::kSoon);
  if (swept.ok() && is_ours) {
    // What fails is tried again a second later, and costs speed meanwhile and nothing else.
    (void)AnalyseGrownTables(store_.pool(), deadline);
  }
  return swept;
}

}  // namespace umbranet
