// What SqliteJobLedger does behind everybody's back: reaping, promoting, purging.
#include <set>
#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"

namespace umbranet {

namespace {

constexpr std::string_view kSelectExpired =
    "SELECT user_key, worker FROM lease WHERE lease_until <= ? ORDER BY token";
constexpr std::string_view kSelectDue =
    "SELECT seq, user_key FROM job WHERE state = 4 AND available_at <= ?"
    " ORDER BY available_at, seq LIMIT ?";
constexpr std::string_view kPromote =
    "UPDATE job SET state = 0, due_at = available_at, available_at = NULL, holds_user = 0"
    " WHERE seq = ?";
constexpr std::string_view kSelectOldFinished =
    "SELECT seq FROM job WHERE state IN (2, 5) AND finished_at < ?"
    " ORDER BY finished_at, seq LIMIT ?";
constexpr std::string_view kSelectOldDead =
    "SELECT seq FROM job WHERE state = 3 AND finished_at < ? ORDER BY finished_at, seq LIMIT ?";
constexpr std::string_view kKeepOutcome =
    "UPDATE turn SET (past_generation, past_state) ="
    " (SELECT generation, state FROM job WHERE job.seq = turn.seq)"
    " WHERE seq = ?1 AND EXISTS (SELECT 1 FROM job WHERE job.seq = ?1"
    " AND interaction_id IS NULL AND (generation > 0 OR state <> 2))";
constexpr std::string_view kDeletePlan = "DELETE FROM plan WHERE seq = ?";
constexpr std::string_view kDeleteAttempts = "DELETE FROM attempt WHERE seq = ?";
constexpr std::string_view kDeleteJob = "DELETE FROM job WHERE seq = ?";
constexpr std::string_view kPurgeFormer =
    "DELETE FROM former_job WHERE job_id IN (SELECT job_id FROM former_job WHERE finished_at < ?"
    " ORDER BY finished_at LIMIT ?)";
constexpr std::string_view kPurgeAnswers =
    "DELETE FROM answer WHERE (tenant, idempotency_key) IN"
    " (SELECT tenant, idempotency_key FROM answer WHERE stored_at <= ? ORDER BY stored_at LIMIT ?)";
constexpr std::string_view kPurgeAudit =
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)";

Status Reap(SqliteConnection& connection, const RetryPolicy& policy, std::int64_t now,
            SweepReport& report) {
  std::vector<std::pair<std::int64_t, std::string>> expired;
  {
    SqliteStatement leases = connection.Prepare(kSelectExpired);
    leases.BindAll(now);
    while (leases.Step()) {
      expired.emplace_back(leases.Int(0), leases.String(1));
    }
    UMBRANET_RETURN_IF_ERROR(leases.status());
  }
  for (const auto& [user_key, worker] : expired) {
    UMBRANET_ASSIGN_OR_RETURN(
        const CrashCount crashed,
        CrashLease(connection, policy, user_key, "the lease of " + worker + " expired", now));
    ++report.expired;
    report.killed += crashed.killed;
  }
  return {};
}

Status Promote(SqliteConnection& connection, std::size_t limit, std::int64_t now,
               SweepReport& report) {
  std::vector<std::int64_t> seqs;
  std::set<std::int64_t> users;
  {
    SqliteStatement due = connection.Prepare(kSelectDue);
    due.BindAll(now, limit);
    while (due.Step()) {
      seqs.push_back(due.Int(0));
      users.insert(due.Int(1));
    }
    UMBRANET_RETURN_IF_ERROR(due.status());
  }
  for (const std::int64_t seq : seqs) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kPromote, seq));
  }
  for (const std::int64_t user_key : users) {
    UMBRANET_RETURN_IF_ERROR(RefreshHead(connection, user_key));
  }
  report.promoted += seqs.size();
  return {};
}

Status PurgeJobs(SqliteConnection& connection, std::string_view select, std::int64_t before,
                 std::size_t limit, SweepReport& report) {
  std::vector<std::int64_t> seqs;
  {
    SqliteStatement old = connection.Prepare(select);
    old.BindAll(before, limit);
    while (old.Step()) {
      seqs.push_back(old.Int(0));
    }
    UMBRANET_RETURN_IF_ERROR(old.status());
  }
  for (const std::int64_t seq : seqs) {
    // The turn remembers what became of it, for a client that hands it in again years later.
    for (const std::string_view step : {kKeepOutcome, kDeletePlan, kDeleteAttempts, kDeleteJob}) {
      UMBRANET_RETURN_IF_ERROR(connection.Run(step, seq));
    }
  }
  report.purged += seqs.size();
  return {};
}

}  // namespace

Result<SweepReport> SqliteJobLedger::Sweep(Deadline deadline) {
  return Change<SweepReport>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<SweepReport> {
        const SqliteLedgerStore::Options& options = store_.options();
        const std::size_t limit = options.sweep_max;
        const std::int64_t now = store_.Now();
        SweepReport report;
        UMBRANET_RETURN_IF_ERROR(Reap(connection, options.retry, now, report));
        UMBRANET_RETURN_IF_ERROR(Promote(connection, limit, now, report));
        UMBRANET_RETURN_IF_ERROR(PurgeJobs(connection, kSelectOldFinished,
                                           now - options.done_retention.count(), limit, report));
        UMBRANET_RETURN_IF_ERROR(PurgeJobs(connection, kSelectOldDead,
                                           now - options.dead_retention.count(), limit, report));
        if (report.purged > 0) {
          UMBRANET_RETURN_IF_ERROR(store_.KeepSequence(connection));
        }
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kPurgeFormer, now - options.done_retention.count(), limit));
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kPurgeAnswers, now - options.answer_retention.count(), limit));
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kPurgeAudit, now - options.audit_retention.count(), limit));
        return report;
      });
}

}  // namespace umbranet
