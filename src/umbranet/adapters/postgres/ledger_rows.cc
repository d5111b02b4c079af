#include "umbranet/adapters/postgres/ledger_rows.h"

#include <algorithm>
#include <utility>

#include "umbranet/base/utf8.h"

namespace umbranet {

namespace {

constexpr std::string_view kMakeAccounts =
    "INSERT INTO account(tenant, user_id) SELECT x.tenant, x.user_id"
    " FROM unnest($1::text[], $2::text[]) AS x(tenant, user_id) WHERE NOT EXISTS"
    " (SELECT 1 FROM account a WHERE a.tenant = x.tenant AND a.user_id = x.user_id)"
    " ORDER BY x.tenant COLLATE \"C\", x.user_id COLLATE \"C\" ON CONFLICT DO NOTHING";
// A statement of its own, so that it sees what was committed while the one before waited.
constexpr std::string_view kLockAccounts =
    "SELECT a.user_key, a.tenant, a.user_id, a.erased_at FROM account a"
    " JOIN unnest($1::text[], $2::text[]) AS x(tenant, user_id)"
    " ON a.tenant = x.tenant AND a.user_id = x.user_id"
    " ORDER BY a.user_key FOR UPDATE OF a";
// Ids are uuids as a rule; a job that is there already is left as it is.
#define UMBRANET_INSERT_JOBS                                                                      \
  "INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at,"        \
  " due_at, interaction_id, traceparent)"                                                         \
  " SELECT x.seq, x.user_key, x.job_id, x.generation, x.priority, x.mode, 0, $7::bigint,"         \
  " $7::bigint + x.delay, x.interaction_id, x.traceparent"                                        \
  " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[],"              \
  " $6::bigint[], $8::bigint[], $9::text[], $10::text[]) AS x(seq, user_key, job_id, generation," \
  " priority, mode, delay, interaction_id, traceparent)"
constexpr std::string_view kInsertJobs =
    UMBRANET_INSERT_JOBS " ON CONFLICT(job_id) DO NOTHING RETURNING seq";
constexpr std::string_view kInsertJobsOfNewTurns = UMBRANET_INSERT_JOBS
    " WHERE EXISTS (SELECT 1 FROM turn t WHERE t.seq = x.seq)"
    " ON CONFLICT(job_id) DO NOTHING RETURNING seq";
// Of a user who waits for a job that crashed: he has no head.
#define UMBRANET_ACCOUNT_IS_HELD \
  "EXISTS (SELECT 1 FROM job w WHERE w.user_key = a.user_key AND w.holds_user)"
constexpr std::string_view kCountAccepted =
    "UPDATE account a SET accepted = a.accepted + n.fresh,"
    " head_due = CASE WHEN a.head_due <= n.due_at THEN a.head_due"
    " WHEN " UMBRANET_ACCOUNT_IS_HELD
    " THEN NULL ELSE n.due_at END,"
    " head_seq = CASE WHEN a.head_due <= n.due_at THEN a.head_seq"
    " WHEN " UMBRANET_ACCOUNT_IS_HELD
    " THEN NULL ELSE n.seq END"
    " FROM (SELECT DISTINCT ON (j.user_key) j.user_key, j.due_at, j.seq,"
    " count(*) OVER (PARTITION BY j.user_key) AS fresh FROM job j WHERE j.seq = ANY($1)"
    " ORDER BY j.user_key, j.due_at, j.seq) n WHERE a.user_key = n.user_key";
#define UMBRANET_HEAD_OF_ACCOUNT                                                            \
  "(head_due, head_seq) = (SELECT j.due_at, j.seq FROM job j WHERE j.user_key = a.user_key" \
  " AND j.state = 0 AND NOT " UMBRANET_ACCOUNT_IS_HELD " ORDER BY j.due_at, j.seq LIMIT 1)"
constexpr std::string_view kRefreshHeads =
    "UPDATE account a SET " UMBRANET_HEAD_OF_ACCOUNT " WHERE a.user_key = ANY($1)";
constexpr std::string_view kEndLease =
    "UPDATE account a SET lease_token = NULL, leased_at = NULL, lease_ms = NULL, cap_ms = NULL,"
    " lease_until = NULL, worker = NULL, worker_number = NULL, reflected = a.reflected + $2,"
    " dead = a.dead + $3, memory_version = a.memory_version + 1, " UMBRANET_HEAD_OF_ACCOUNT
    " WHERE a.user_key = $1";
constexpr std::string_view kCountTurns =
    "UPDATE account SET accepted = accepted + $2, reflected = reflected + $3, dead = dead + $4,"
    " memory_version = memory_version + 1 WHERE user_key = $1";
constexpr std::string_view kLockLeased =
    "SELECT seq, job_id, attempts, crashes, solo, tiers_done, interaction_id IS NULL FROM job"
    " WHERE lease_token = $1 AND state = 1 ORDER BY seq FOR UPDATE";
constexpr std::string_view kInsertAttempts =
    "INSERT INTO attempt(seq, ordinal, attempt, at, kind, tier, error)"
    " SELECT x.seq, COALESCE((SELECT max(a.ordinal) FROM attempt a WHERE a.seq = x.seq), 0) + 1,"
    " x.attempt, x.at, x.kind, x.tier, x.error FROM unnest($1::bigint[], $2::bigint[],"
    " $3::bigint[], $4::bigint[], $5::text[], $6::text[])"
    " AS x(seq, attempt, at, kind, tier, error)";
constexpr std::string_view kTrimAttempts =
    "DELETE FROM attempt a USING (SELECT b.seq, max(b.ordinal) AS latest FROM attempt b"
    " WHERE b.seq = ANY($1) GROUP BY b.seq) n WHERE a.seq = n.seq AND a.ordinal <= n.latest - $2";
constexpr std::string_view kSelectAttempts =
    "SELECT attempt, at, kind, tier, error FROM attempt WHERE seq = $1 ORDER BY ordinal";
constexpr std::string_view kRetireJobs =
    "WITH gone AS (DELETE FROM job WHERE seq = ANY($1) RETURNING *),"
    " plans AS (DELETE FROM plan WHERE seq = ANY($1)),"
    " attempts AS (DELETE FROM attempt WHERE seq = ANY($1))"
    " INSERT INTO former_job(job_id, user_key, interaction_id, generation, priority, mode, state,"
    " attempts, crashes, tiers_done, enqueued_at, finished_at, traceparent, last_error,"
    " last_error_tier, fallback)"
    " SELECT j.job_id, j.user_key, t.interaction_id, j.generation, j.priority, j.mode,"
    " CASE j.state WHEN 2 THEN 2 ELSE 5 END, j.attempts, j.crashes, j.tiers_done, j.enqueued_at,"
    " COALESCE(j.finished_at, $2), j.traceparent, j.last_error, j.last_error_tier,"
    " j.fallback"
    " FROM gone j JOIN turn t ON t.seq = j.seq";
constexpr std::string_view kDeletePlans = "DELETE FROM plan WHERE seq = ANY($1)";

struct UserColumns {
  std::vector<std::string> tenants;
  std::vector<std::string> user_ids;
};

}  // namespace

Result<std::vector<AttemptRecord>> ReadHistory(PostgresConnection& connection, std::int64_t seq) {
  std::vector<AttemptRecord> history;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectAttempts, seq));
  for (const PostgresRow row : rows) {
    history.push_back({.attempt = static_cast<std::uint32_t>(row.Int(0)),
                       .at = row.Time(1),
                       .kind = static_cast<FailureKind>(row.Int(2)),
                       .tier = row.String(3),
                       .error = row.String(4)});
  }
  return history;
}

std::string TextForPostgres(std::string_view text) {
  std::string clean(text);
  std::replace(clean.begin(), clean.end(), '\0', '?');
  if (!IsValidUtf8(clean)) {
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7F; },
        '?');
  }
  return clean;
}

std::string ErrorForPostgres(std::string_view error) {
  return TextForPostgres(CutError(error));
}

std::vector<PostgresCommand> LockAccountsCommands(std::span<const UserKey> users) {
  UserColumns columns;
  for (const UserKey& user : users) {
    columns.tenants.push_back(user.tenant);
    columns.user_ids.push_back(user.user_id);
  }
  std::vector<PostgresCommand> commands;
  commands.push_back(MakeCommand(kMakeAccounts, columns.tenants, columns.user_ids));
  commands.push_back(MakeCommand(kLockAccounts, columns.tenants, columns.user_ids));
  return commands;
}

Result<std::int64_t> LockAccount(PostgresConnection& connection, const UserKey& user) {
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      connection.RunAll(LockAccountsCommands(std::span<const UserKey>(&user, 1))));
  if (rows[1].empty()) {
    return Internal(connection.name() + ": an account is gone");
  }
  return rows[1][0].Int(0);
}

PostgresCommand InsertJobsCommand(std::span<const PostgresJobRow> jobs, std::int64_t now,
                                  bool only_with_new_turn) {
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> user_keys;
  std::vector<std::string> ids;
  std::vector<std::int64_t> generations;
  std::vector<std::int64_t> priorities;
  std::vector<std::int64_t> modes;
  std::vector<std::int64_t> delays;
  std::vector<std::optional<std::string>> interaction_ids;
  std::vector<std::string> traces;
  for (const PostgresJobRow& row : jobs) {
    const ReflectionJob& job = *row.job;
    seqs.push_back(row.seq);
    user_keys.push_back(row.user_key);
    ids.push_back(job.job_id);
    generations.push_back(job.generation);
    priorities.push_back(static_cast<std::int64_t>(job.priority));
    modes.push_back(static_cast<std::int64_t>(job.mode));
    delays.push_back(DueDelay(job.priority).count());
    interaction_ids.push_back(row.has_turn ? std::nullopt : std::optional(job.interaction_id));
    traces.push_back(TextForPostgres(job.traceparent));
  }
  return MakeCommand(only_with_new_turn ? kInsertJobsOfNewTurns : kInsertJobs, seqs, user_keys, ids,
                     generations, priorities, modes, now, delays, interaction_ids, traces);
}

PostgresCommand CountAcceptedCommand(std::span<const std::int64_t> seqs) {
  return MakeCommand(kCountAccepted, seqs);
}

PostgresCommand RefreshHeadsCommand(std::span<const std::int64_t> user_keys) {
  return MakeCommand(kRefreshHeads, user_keys);
}

PostgresCommand CountTurnsCommand(std::int64_t user_key, std::int64_t accepted,
                                  PostgresTurnCounts counts) {
  return MakeCommand(kCountTurns, user_key, accepted, counts.reflected, counts.dead);
}

PostgresCommand EndLeaseCommand(std::int64_t user_key, PostgresTurnCounts counts) {
  return MakeCommand(kEndLease, user_key, counts.reflected, counts.dead);
}

void AddAttemptsCommands(std::span<const PostgresAttemptRow> attempts,
                         std::vector<PostgresCommand>& commands) {
  if (attempts.empty()) {
    return;
  }
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> numbers;
  std::vector<Timestamp> times;
  std::vector<std::int64_t> kinds;
  std::vector<std::string> tiers;
  std::vector<std::string> errors;
  for (const PostgresAttemptRow& one : attempts) {
    seqs.push_back(one.seq);
    numbers.push_back(one.record.attempt);
    times.push_back(one.record.at);
    kinds.push_back(static_cast<std::int64_t>(one.record.kind));
    tiers.push_back(TextForPostgres(one.record.tier));
    errors.push_back(ErrorForPostgres(one.record.error));
  }
  commands.push_back(MakeCommand(kInsertAttempts, seqs, numbers, times, kinds, tiers, errors));
  commands.push_back(MakeCommand(kTrimAttempts, seqs, kJobHistoryMax));
}

PostgresCommand LockLeasedJobsCommand(std::uint64_t token) {
  return MakeCommand(kLockLeased, token);
}

std::vector<PostgresLeasedJob> ReadLeasedJobs(const PostgresRows& rows) {
  std::vector<PostgresLeasedJob> jobs;
  for (const PostgresRow row : rows) {
    jobs.push_back({.seq = row.Int(0),
                    .job_id = row.String(1),
                    .attempts = static_cast<std::uint32_t>(row.Int(2)),
                    .crashes = static_cast<std::uint32_t>(row.Int(3)),
                    .solo = row.Bool(4),
                    .tiers_done = static_cast<TierMask>(row.Int(5)),
                    .has_turn = row.Bool(6)});
  }
  return jobs;
}

PostgresCommand RetireJobsCommand(std::span<const std::int64_t> seqs, std::int64_t now) {
  return MakeCommand(kRetireJobs, seqs, now);
}

PostgresCommand DeletePlansCommand(std::span<const std::int64_t> seqs) {
  return MakeCommand(kDeletePlans, seqs);
}

}  // namespace umbranet
