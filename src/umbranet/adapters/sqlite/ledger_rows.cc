#include "umbranet/adapters/sqlite/ledger_rows.h"

#include <algorithm>
#include <utility>

namespace umbranet {

namespace {

constexpr std::string_view kInsertJob =
    "INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at, due_at,"
    " interaction_id, traceparent) VALUES(?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)"
    " ON CONFLICT(job_id) DO NOTHING";
// Of a user who waits for a job that crashed: he has no head.
#define UMBRANET_USER_IS_HELD(key) \
  "EXISTS (SELECT 1 FROM job WHERE user_key = " key " AND holds_user = 1)"
#define UMBRANET_HEAD_OF_USER                                                                  \
  "(head_due, head_seq) = (SELECT due_at, seq FROM job WHERE user_key = ?1 AND state = 0 AND " \
  "NOT " UMBRANET_USER_IS_HELD("?1") " ORDER BY due_at, seq LIMIT 1)"
constexpr std::string_view kOfferHead =
    "UPDATE account SET head_due = ?1, head_seq = ?2 WHERE user_key = ?3"
    " AND (head_due > ?1 OR (head_due IS NULL AND NOT " UMBRANET_USER_IS_HELD("?3") "))";
constexpr std::string_view kRefreshHead =
    "UPDATE account SET " UMBRANET_HEAD_OF_USER " WHERE user_key = ?1";
constexpr std::string_view kEndLease =
    "UPDATE account SET lease_token = NULL, reflected = reflected + ?2, dead = dead + ?3,"
    " " UMBRANET_HEAD_OF_USER " WHERE user_key = ?1";
constexpr std::string_view kDeleteLease = "DELETE FROM lease WHERE user_key = ?";
constexpr std::string_view kCountTurns =
    "UPDATE account SET accepted = accepted + ?, reflected = reflected + ?, dead = dead + ?"
    " WHERE user_key = ?";
constexpr std::string_view kSelectLeased =
    "SELECT seq, job_id, attempts, crashes, solo, tiers_done, interaction_id IS NULL FROM job"
    " WHERE user_key = ? AND state = 1 AND solo IN (0, 1) AND " UMBRANET_JOB_IS_OPEN
    " ORDER BY seq";
constexpr std::string_view kCrashJob =
    "UPDATE job SET state = ?1, crashes = ?2, solo = ?3, last_error = ?4, last_error_tier = '',"
    " finished_at = CASE ?1 WHEN 3 THEN ?5 END, available_at = CASE ?1 WHEN 4 THEN ?6 END,"
    " holds_user = ?1 = 4 WHERE seq = ?7";
constexpr std::string_view kSelectOrdinal =
    "SELECT ordinal FROM attempt WHERE seq = ? ORDER BY ordinal DESC LIMIT 1";
constexpr std::string_view kInsertAttempt =
    "INSERT INTO attempt(seq, ordinal, attempt, at, kind, tier, error)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kTrimAttempts = "DELETE FROM attempt WHERE seq = ? AND ordinal <= ?";
constexpr std::string_view kSelectAttempts =
    "SELECT attempt, at, kind, tier, error FROM attempt WHERE seq = ? ORDER BY ordinal";
constexpr std::string_view kCopyToFormer =
    "INSERT INTO former_job(job_id, user_key, interaction_id, generation, priority, mode, state,"
    " attempts, crashes, tiers_done, enqueued_at, finished_at, traceparent, last_error,"
    " last_error_tier, fallback)"
    " SELECT j.job_id, j.user_key, t.interaction_id, j.generation, j.priority, j.mode,"
    " CASE j.state WHEN 2 THEN 2 ELSE 5 END, j.attempts, j.crashes, j.tiers_done, j.enqueued_at,"
    " COALESCE(j.finished_at, ?2), j.traceparent, j.last_error, j.last_error_tier,"
    " j.fallback"
    " FROM job j JOIN turn t ON t.seq = j.seq WHERE j.seq = ?1";
constexpr std::string_view kDeletePlan = "DELETE FROM plan WHERE seq = ?";
constexpr std::string_view kDeleteAttempts = "DELETE FROM attempt WHERE seq = ?";
constexpr std::string_view kDeleteJob = "DELETE FROM job WHERE seq = ?";

}  // namespace

Result<std::vector<AttemptRecord>> ReadHistory(SqliteConnection& connection, std::int64_t seq) {
  std::vector<AttemptRecord> history;
  SqliteStatement rows = connection.Prepare(kSelectAttempts);
  rows.BindAll(seq);
  while (rows.Step()) {
    history.push_back({.attempt = static_cast<std::uint32_t>(rows.Int(0)),
                       .at = rows.Time(1),
                       .kind = static_cast<FailureKind>(rows.Int(2)),
                       .tier = rows.String(3),
                       .error = rows.String(4)});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return history;
}

Status InsertJob(SqliteConnection& connection, std::int64_t seq, std::int64_t user_key,
                 const ReflectionJob& job, bool has_turn, std::int64_t now) {
  SqliteStatement insert = connection.Prepare(kInsertJob);
  const std::int64_t due_at = now + DueDelay(job.priority).count();
  const auto interaction_id =
      has_turn ? std::nullopt : std::optional<std::string_view>(job.interaction_id);
  insert.BindAll(seq, user_key, job.job_id, job.generation, job.priority, job.mode, now, due_at,
                 interaction_id, job.traceparent);
  UMBRANET_RETURN_IF_ERROR(insert.Run());
  if (connection.Changes() == 0) {
    return Error{ErrorCode::kAlreadyExists, "sqlite: there is a job " + job.job_id + " already"};
  }
  return OfferHead(connection, user_key, due_at, seq);
}

Status OfferHead(SqliteConnection& connection, std::int64_t user_key, std::int64_t due_at,
                 std::int64_t seq) {
  return connection.Run(kOfferHead, due_at, seq, user_key);
}

Status RefreshHead(SqliteConnection& connection, std::int64_t user_key) {
  return connection.Run(kRefreshHead, user_key);
}

Status EndLease(SqliteConnection& connection, std::int64_t user_key, TurnCounts counts) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteLease, user_key));
  return connection.Run(kEndLease, user_key, counts.reflected, counts.dead);
}

Status CountTurns(SqliteConnection& connection, std::int64_t user_key, std::int64_t accepted,
                  TurnCounts counts) {
  return connection.Run(kCountTurns, accepted, counts.reflected, counts.dead, user_key);
}

Result<std::vector<LeasedJob>> ReadLeasedJobs(SqliteConnection& connection, std::int64_t user_key) {
  std::vector<LeasedJob> jobs;
  SqliteStatement rows = connection.Prepare(kSelectLeased);
  rows.BindAll(user_key);
  while (rows.Step()) {
    jobs.push_back({.seq = rows.Int(0),
                    .job_id = rows.String(1),
                    .attempts = static_cast<std::uint32_t>(rows.Int(2)),
                    .crashes = static_cast<std::uint32_t>(rows.Int(3)),
                    .solo = rows.Int(4) != 0,
                    .tiers_done = static_cast<TierMask>(rows.Int(5)),
                    .has_turn = rows.Int(6) != 0});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return jobs;
}

Result<CrashCount> CrashLease(SqliteConnection& connection, const RetryPolicy& policy,
                              std::int64_t user_key, std::string_view error, std::int64_t now) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<LeasedJob> jobs,
                            ReadLeasedJobs(connection, user_key));
  CrashCount count;
  TurnCounts turns;
  for (const LeasedJob& job : jobs) {
    const RetryPolicy::CrashVerdict verdict = policy.AfterCrash(job.crashes, job.solo);
    UMBRANET_RETURN_IF_ERROR(connection.Run(kCrashJob, verdict.state, verdict.crashes, verdict.solo,
                                            CutError(error), now, now + verdict.delay.count(),
                                            job.seq));
    UMBRANET_RETURN_IF_ERROR(AddAttempt(connection, job.seq,
                                        {.attempt = job.attempts + 1,
                                         .at = FromUnixMillis(now),
                                         .kind = FailureKind::kTransient,
                                         .tier = {},
                                         .error = std::string(error)}));
    ++count.crashed;
    if (verdict.state == JobState::kDead) {
      ++count.killed;
      turns.dead += job.has_turn ? 1 : 0;
    }
  }
  UMBRANET_RETURN_IF_ERROR(EndLease(connection, user_key, turns));
  return count;
}

Status AddAttempt(SqliteConnection& connection, std::int64_t seq, const AttemptRecord& record) {
  std::int64_t last = 0;
  {
    SqliteStatement found = connection.Prepare(kSelectOrdinal);
    found.BindAll(seq);
    last = found.Step() ? found.Int(0) : 0;
    UMBRANET_RETURN_IF_ERROR(found.status());
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertAttempt, seq, last + 1, record.attempt, record.at,
                                          record.kind, record.tier, CutError(record.error)));
  if (last + 1 > kJobHistoryMax) {
    return connection.Run(kTrimAttempts, seq, last + 1 - kJobHistoryMax);
  }
  return {};
}

Status RetireJob(SqliteConnection& connection, std::int64_t seq, std::int64_t now) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kCopyToFormer, seq, now));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeletePlan, seq));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteAttempts, seq));
  return connection.Run(kDeleteJob, seq);
}

}  // namespace umbranet
