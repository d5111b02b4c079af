// Enqueueing, what PostgresJobLedger tells, and what operators do with it.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "umbranet/adapters/postgres/ledger_repeat.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

#define UMBRANET_STATUS_SELECT                                                            \
  "SELECT " UMBRANET_JOB_COLUMNS                                                          \
  ", a.tenant, a.user_id, COALESCE(j.interaction_id, t.interaction_id), j.seq FROM job j" \
  " JOIN account a ON a.user_key = j.user_key LEFT JOIN turn t ON t.seq = j.seq "
#define UMBRANET_DEAD_FILTER                                                                   \
  "j.state = 3 AND ($1::text IS NULL OR a.tenant = $1)"                                        \
  " AND ($2::text IS NULL OR a.user_id = $2) AND ($3::text IS NULL OR j.last_error_tier = $3)" \
  " AND ($4::text IS NULL OR strpos(j.last_error, $4) > 0)"
constexpr int kTenantColumn = kJobColumns;
constexpr int kUserColumn = kJobColumns + 1;
constexpr int kInteractionColumn = kJobColumns + 2;
constexpr int kSeqColumn = kJobColumns + 3;
constexpr int kHasHistoryColumn = kJobColumns + 4;

constexpr std::string_view kSelectKnownJobs =
    "SELECT job_id FROM job WHERE job_id = ANY($1)"
    " UNION SELECT job_id FROM former_job WHERE job_id = ANY($1)";
constexpr std::string_view kSelectTurnOfJob =
    "SELECT t.seq, t.past_generation, t.past_state, j.generation, j.state"
    " FROM turn t LEFT JOIN job j ON j.seq = t.seq"
    " WHERE t.user_key = $1 AND t.interaction_id = $2";
constexpr std::string_view kNextSeq = "SELECT nextval('ledger_seq')";

constexpr std::string_view kSelectStatus =
    UMBRANET_STATUS_SELECT "WHERE j.job_id = $1 AND a.tenant = $2";
// The same, and whether there is a history.
constexpr std::string_view kSelectStatusAlone =
    "SELECT s.*, EXISTS (SELECT 1 FROM attempt t WHERE t.seq = s.seq) FROM (" UMBRANET_STATUS_SELECT
    "WHERE j.job_id = $1 AND a.tenant = $2) s";
constexpr std::string_view kSelectDeadStatus =
    UMBRANET_STATUS_SELECT "WHERE j.job_id = $1 AND j.state = 3";
constexpr std::string_view kSelectFormerStatus =
    "SELECT j.job_id, j.generation, j.priority, j.mode, j.state, j.attempts, j.crashes,"
    " j.tiers_done, j.enqueued_at, j.finished_at, NULL::bigint, j.traceparent, j.last_error,"
    " j.last_error_tier, j.fallback, a.tenant, a.user_id, j.interaction_id, 0 FROM former_job j"
    " JOIN account a ON a.user_key = j.user_key WHERE j.job_id = $1 AND a.tenant = $2";
constexpr std::string_view kSelectDeadPage =
    UMBRANET_STATUS_SELECT "WHERE " UMBRANET_DEAD_FILTER
                           " AND (j.finished_at, j.seq) < ($5, $6)"
                           " ORDER BY j.finished_at DESC, j.seq DESC LIMIT $7";
constexpr std::string_view kSelectStats =
    "SELECT count(*) FILTER (WHERE state = 0 AND priority = 0),"
    " count(*) FILTER (WHERE state = 0 AND priority = 1),"
    " count(*) FILTER (WHERE state = 0 AND priority = 2), count(*) FILTER (WHERE state = 1),"
    " count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 3),"
    " min(enqueued_at) FILTER (WHERE state = 0), min(enqueued_at) FILTER (WHERE state <> 3)"
    " FROM job WHERE state IN (0, 1, 3, 4)";
constexpr std::string_view kSelectUserOfDead =
    "SELECT user_key FROM job WHERE job_id = $1 AND state = 3";
constexpr std::string_view kSelectMatching =
    "SELECT j.seq, j.user_key FROM job j JOIN account a ON a.user_key = j.user_key"
    " WHERE " UMBRANET_DEAD_FILTER " ORDER BY j.finished_at, j.seq";
constexpr std::string_view kLockUsers =
    "SELECT user_key FROM account WHERE user_key = ANY($1) ORDER BY user_key FOR UPDATE";
constexpr std::string_view kRequeue =
    "UPDATE job SET state = 0, attempts = 0, crashes = 0, solo = true, due_at = $2,"
    " finished_at = NULL WHERE seq = ANY($1) AND state = 3"
    " RETURNING job_id, user_key, interaction_id IS NULL";
constexpr std::string_view kRequeueOne =
    "UPDATE job SET state = 0, attempts = 0, crashes = 0, solo = true, due_at = $2,"
    " finished_at = NULL WHERE job_id = $1 AND state = 3"
    " RETURNING job_id, user_key, interaction_id IS NULL";
constexpr std::string_view kDiscard =
    "UPDATE job SET state = 5, finished_at = $2, last_error = $3 WHERE job_id = $1 AND state = 3"
    " RETURNING seq, user_key, interaction_id IS NULL";
constexpr std::string_view kInsertAudit =
    "INSERT INTO audit(at, actor, action, job_id, user_key, reason) VALUES($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kResetCounts =
    "UPDATE account SET accepted = $2, reflected = 0, dead = 0, memory_version = memory_version + 1"
    " WHERE user_key = $1";

JobStatus ReadStatusRow(const PostgresRow& row, std::uint32_t attempts_max) {
  return ReadJob(row, 0, {row.String(kTenantColumn), row.String(kUserColumn)},
                 row.String(kInteractionColumn), attempts_max);
}

// A status with its history, or nothing.
Result<std::optional<JobStatus>> ReadOneStatus(PostgresConnection& connection,
                                               const PostgresRows& rows,
                                               std::uint32_t attempts_max) {
  std::optional<JobStatus> status;
  if (rows.empty()) {
    return status;
  }
  status = ReadStatusRow(rows[0], attempts_max);
  const std::int64_t seq = rows[0].Int(kSeqColumn);
  if (seq != 0) {
    UMBRANET_ASSIGN_OR_RETURN(status->history, ReadHistory(connection, seq));
  }
  return status;
}

std::optional<std::string> Cleaned(const std::optional<std::string>& text) {
  return text.has_value() ? std::optional(TextForPostgres(*text)) : std::nullopt;
}

// What follows from dead jobs that are ready again. Their accounts are locked.
std::vector<PostgresCommand> AfterRequeue(const PostgresRows& requeued, std::string_view actor,
                                          std::int64_t now) {
  std::vector<PostgresCommand> commands;
  std::map<std::int64_t, std::int64_t> turns;
  std::vector<std::int64_t> users;
  for (const PostgresRow row : requeued) {
    turns[row.Int(1)] += row.Bool(2) ? 1 : 0;
    users.push_back(row.Int(1));
    commands.push_back(MakeCommand(kInsertAudit, now, TextForPostgres(actor), "requeue",
                                   row.String(0), row.Int(1), ""));
  }
  for (const auto& [user_key, count] : turns) {
    commands.push_back(CountTurnsCommand(user_key, 0, {.dead = -count}));
  }
  commands.push_back(RefreshHeadsCommand(users));
  return commands;
}

}  // namespace

Status PostgresJobLedger::Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) {
  if (jobs.empty()) {
    return {};
  }
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        std::set<UserKey> distinct;
        std::vector<std::string> ids;
        for (const ReflectionJob& job : jobs) {
          distinct.insert(job.user);
          ids.push_back(job.job_id);
        }
        const std::vector<UserKey> users(distinct.begin(), distinct.end());
        std::vector<PostgresCommand> commands = LockAccountsCommands(users);
        commands.push_back(store_.NowCommand());
        commands.push_back(MakeCommand(kSelectKnownJobs, ids));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(commands));
        const std::int64_t now = store_.ReadNow(rows[2]);
        std::map<UserKey, std::int64_t> user_keys;
        for (const PostgresRow row : rows[1]) {
          user_keys[{row.String(1), row.String(2)}] = row.Int(0);
        }
        std::set<std::string, std::less<>> known;
        for (const PostgresRow row : rows[3]) {
          known.insert(row.String(0));
        }
        for (const ReflectionJob& job : jobs) {
          if (known.insert(job.job_id).second) {
            UMBRANET_RETURN_IF_ERROR(EnqueueOne(connection, user_keys[job.user], job, now));
          }
        }
        return {};
      });
}

Status PostgresJobLedger::EnqueueOne(PostgresConnection& connection, std::int64_t user_key,
                                     const ReflectionJob& job, std::int64_t now) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows turn,
                            connection.Query(kSelectTurnOfJob, user_key, job.interaction_id));
  PostgresJobRow row{.user_key = user_key, .job = &job, .has_turn = !turn.empty()};
  std::vector<PostgresCommand> commands;
  if (turn.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows next, connection.Query(kNextSeq));
    row.seq = next[0].Int(0);
  } else {
    row.seq = turn[0].Int(0);
    const bool has_job = !turn[0].IsNull(3);
    const bool has_state = has_job || !turn[0].IsNull(2);
    const auto state =
        has_state ? static_cast<JobState>(turn[0].Int(has_job ? 4 : 2)) : JobState::kDone;
    // The turn has had this generation or a later one: that it is not found by its id only means
    // that retention has removed it.
    if (job.generation <= turn[0].Int(has_job ? 3 : 1)) {
      return {};
    }
    if (has_job) {
      commands.push_back(RetireJobsCommand(std::span<const std::int64_t>(&row.seq, 1), now));
    }
    commands.push_back(CountTurnsCommand(user_key, state == JobState::kCancelled ? 1 : 0,
                                         {.reflected = state == JobState::kDone ? -1 : 0,
                                          .dead = state == JobState::kDead ? -1 : 0}));
  }
  commands.push_back(InsertJobsCommand(std::span<const PostgresJobRow>(&row, 1), now,
                                       /*only_with_new_turn=*/false));
  commands.push_back(RefreshHeadsCommand(std::span<const std::int64_t>(&user_key, 1)));
  UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
  return {};
}

Result<std::optional<JobStatus>> PostgresJobLedger::Find(std::string_view tenant,
                                                         std::string_view job_id,
                                                         Deadline deadline) {
  using Found = std::optional<JobStatus>;
  PostgresPool& pool = store_.pool();
  const std::uint32_t attempts_max = store_.options().retry.attempts_max;
  // In this order, since a job goes from the one table to the other and never back.
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows job,
                            pool.Ask(deadline, kSelectStatusAlone, job_id, tenant));
  if (!job.empty() && !job[0].Bool(kHasHistoryColumn)) {
    return Found(ReadStatusRow(job[0], attempts_max));
  }
  if (job.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows former,
                              pool.Ask(deadline, kSelectFormerStatus, job_id, tenant));
    return former.empty() ? Found() : Found(ReadStatusRow(former[0], attempts_max));
  }
  return pool.Snapshot(deadline, [&](PostgresConnection& connection) -> Result<Found> {
    std::vector<PostgresCommand> commands;
    commands.push_back(MakeCommand(kSelectStatus, job_id, tenant));
    commands.push_back(MakeCommand(kSelectFormerStatus, job_id, tenant));
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
    return ReadOneStatus(connection, rows[0].empty() ? rows[1] : rows[0], attempts_max);
  });
}

Result<LedgerStats> PostgresJobLedger::Stats(Deadline deadline) {
  return store_.pool().Read(deadline, [](PostgresConnection& connection) -> Result<LedgerStats> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectStats));
    LedgerStats stats;
    stats.ready_high = static_cast<std::uint64_t>(rows[0].Int(0));
    stats.ready_normal = static_cast<std::uint64_t>(rows[0].Int(1));
    stats.ready_low = static_cast<std::uint64_t>(rows[0].Int(2));
    stats.leased = static_cast<std::uint64_t>(rows[0].Int(3));
    stats.retry_wait = static_cast<std::uint64_t>(rows[0].Int(4));
    stats.dead = static_cast<std::uint64_t>(rows[0].Int(5));
    stats.oldest_ready_at = rows[0].OptionalTime(6);
    stats.oldest_unfinished_at = rows[0].OptionalTime(7);
    return stats;
  });
}

Result<DeadPage> PostgresJobLedger::ListDead(const DeadFilter& filter, std::string_view cursor,
                                             std::size_t limit, Deadline deadline) {
  const std::optional<DeadCursor> start = ParseDeadCursor(cursor);
  if (!start.has_value()) {
    return InvalidArgument("postgres: this cursor is none of the dead letters'; start without one");
  }
  return store_.pool().Snapshot(deadline, [&](PostgresConnection& connection) -> Result<DeadPage> {
    // One more than asked for tells whether there is a next page.
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query(kSelectDeadPage, Cleaned(filter.tenant), Cleaned(filter.user_id),
                         Cleaned(filter.tier), Cleaned(filter.error_contains), start->finished_at,
                         start->seq, std::min<std::size_t>(limit, 1'000'000) + 1));
    DeadPage page;
    DeadCursor last = *start;
    for (const PostgresRow row : rows) {
      if (page.jobs.size() == limit) {
        page.next_cursor = limit == 0 ? std::string(cursor) : FormatDeadCursor(last);
        break;
      }
      JobStatus status = ReadStatusRow(row, store_.options().retry.attempts_max);
      last = {ToUnixMillis(status.finished_at.value_or(Timestamp{})), row.Int(kSeqColumn)};
      UMBRANET_ASSIGN_OR_RETURN(status.history, ReadHistory(connection, last.seq));
      page.jobs.push_back(std::move(status));
    }
    return page;
  });
}

Result<std::optional<JobStatus>> PostgresJobLedger::FindDead(std::string_view job_id,
                                                             Deadline deadline) {
  using Found = std::optional<JobStatus>;
  return store_.pool().Snapshot(deadline, [&](PostgresConnection& connection) -> Result<Found> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectDeadStatus, job_id));
    return ReadOneStatus(connection, rows, store_.options().retry.attempts_max);
  });
}

Result<std::uint64_t> PostgresJobLedger::RequeueDead(std::string_view job_id,
                                                     std::string_view actor, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows user,
                                  connection.Query(kSelectUserOfDead, job_id));
        if (user.empty()) {
          return std::uint64_t{0};
        }
        const std::vector<std::int64_t> users = {user[0].Int(0)};
        UMBRANET_RETURN_IF_ERROR(connection.Query(kLockUsers, users));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows requeued,
                                  connection.Query(kRequeueOne, job_id, now));
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(AfterRequeue(requeued, actor, now)));
        return static_cast<std::uint64_t>(requeued.size());
      });
}

Result<std::uint64_t> PostgresJobLedger::RequeueDeadMatching(const DeadFilter& filter,
                                                             std::string_view actor,
                                                             Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows matching,
            connection.Query(kSelectMatching, Cleaned(filter.tenant), Cleaned(filter.user_id),
                             Cleaned(filter.tier), Cleaned(filter.error_contains)));
        std::vector<std::int64_t> seqs;
        std::vector<std::int64_t> users;
        for (const PostgresRow row : matching) {
          seqs.push_back(row.Int(0));
          users.push_back(row.Int(1));
        }
        UMBRANET_RETURN_IF_ERROR(connection.Query(kLockUsers, users));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows requeued,
                                  connection.Query(kRequeue, seqs, now));
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(AfterRequeue(requeued, actor, now)));
        return static_cast<std::uint64_t>(requeued.size());
      });
}

Result<std::uint64_t> PostgresJobLedger::DiscardDead(std::string_view job_id,
                                                     std::string_view actor,
                                                     std::string_view reason, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows user,
                                  connection.Query(kSelectUserOfDead, job_id));
        if (user.empty()) {
          return std::uint64_t{0};
        }
        const std::vector<std::int64_t> users = {user[0].Int(0)};
        UMBRANET_RETURN_IF_ERROR(connection.Query(kLockUsers, users));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        const std::string record =
            "discarded by " + std::string(actor) + ": " + std::string(reason);
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows discarded,
            connection.Query(kDiscard, job_id, now, ErrorForPostgres(record)));
        if (discarded.empty()) {
          return std::uint64_t{0};
        }
        const std::vector<std::int64_t> seqs = {discarded[0].Int(0)};
        std::vector<PostgresCommand> commands;
        commands.push_back(DeletePlansCommand(seqs));
        // The turn stays in the journal, but nobody waits for it any more.
        if (discarded[0].Bool(2)) {
          commands.push_back(CountTurnsCommand(users[0], -1, {.dead = -1}));
        }
        commands.push_back(MakeCommand(kInsertAudit, now, TextForPostgres(actor), "discard", job_id,
                                       users[0], TextForPostgres(reason)));
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
        return std::uint64_t{1};
      });
}

Result<std::uint64_t> PostgresJobLedger::ReflectAgain(const UserKey& user, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresTurnToRepeat> turns,
                                  ReadTurnsToRepeat(connection, user, user_key, 0));
        UMBRANET_RETURN_IF_ERROR(RepeatTurns(connection, user_key, turns, now));
        // Whatever a worker holds of this user, it holds of the memory before. Jobs without turns
        // go back.
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(
            std::array{ReturnLeasedJobsCommand(user_key), EndLeaseCommand(user_key, {}),
                       MakeCommand(kResetCounts, user_key, turns.size())}));
        return std::uint64_t{turns.size()};
      });
}

}  // namespace umbranet
