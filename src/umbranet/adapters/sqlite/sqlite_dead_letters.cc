// What SqliteJobLedger tells, and what operators do with it.
#include <algorithm>
#include <utility>

#include "umbranet/adapters/sqlite/ledger_repeat.h"
#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

#define UMBRANET_STATUS_SELECT                                                            \
  "SELECT " UMBRANET_JOB_COLUMNS                                                          \
  ", a.tenant, a.user_id, COALESCE(j.interaction_id, t.interaction_id), j.seq FROM job j" \
  " JOIN account a ON a.user_key = j.user_key LEFT JOIN turn t ON t.seq = j.seq "
constexpr int kTenantColumn = kJobColumns;
constexpr int kUserColumn = kJobColumns + 1;
constexpr int kInteractionColumn = kJobColumns + 2;
constexpr int kSeqColumn = kJobColumns + 3;

constexpr std::string_view kSelectStatus =
    UMBRANET_STATUS_SELECT "WHERE j.job_id = ? AND a.tenant = ?";
constexpr std::string_view kSelectDeadStatus =
    UMBRANET_STATUS_SELECT "WHERE j.job_id = ? AND j.state = 3";
constexpr std::string_view kSelectFormerStatus =
    "SELECT j.job_id, j.generation, j.priority, j.mode, j.state, j.attempts, j.crashes,"
    " j.tiers_done, j.enqueued_at, j.finished_at, NULL, j.traceparent, j.last_error,"
    " j.last_error_tier, j.fallback, a.tenant, a.user_id, j.interaction_id, 0 FROM former_job j"
    " JOIN account a ON a.user_key = j.user_key WHERE j.job_id = ? AND a.tenant = ?";
constexpr std::string_view kSelectDeadPage = UMBRANET_STATUS_SELECT
    "WHERE j.state = 3 AND (?1 IS NULL OR a.tenant = ?1) AND (?2 IS NULL OR a.user_id = ?2)"
    " AND (?3 IS NULL OR j.last_error_tier = ?3) AND (?4 IS NULL OR instr(j.last_error, ?4) > 0)"
    " AND (j.finished_at, j.seq) < (?5, ?6)"
    " ORDER BY j.finished_at DESC, j.seq DESC LIMIT ?7";
constexpr std::string_view kSelectStats =
    "SELECT COALESCE(sum(state = 0 AND priority = 0), 0),"
    " COALESCE(sum(state = 0 AND priority = 1), 0), COALESCE(sum(state = 0 AND priority = 2), 0),"
    " COALESCE(sum(state = 1), 0), COALESCE(sum(state = 4), 0), COALESCE(sum(state = 3), 0),"
    " min(CASE state WHEN 0 THEN enqueued_at END), min(CASE WHEN state <> 3 THEN enqueued_at END)"
    " FROM job INDEXED BY job_open WHERE " UMBRANET_JOB_IS_OPEN;
constexpr std::string_view kSelectDeadJob = "SELECT seq FROM job WHERE job_id = ? AND state = 3";
constexpr std::string_view kSelectMatching =
    "SELECT j.seq FROM job j INDEXED BY job_dead JOIN account a ON a.user_key = j.user_key"
    " WHERE j.state = 3"
    " AND (?1 IS NULL OR a.tenant = ?1) AND (?2 IS NULL OR a.user_id = ?2)"
    " AND (?3 IS NULL OR j.last_error_tier = ?3) AND (?4 IS NULL OR instr(j.last_error, ?4) > 0)"
    " ORDER BY j.finished_at, j.seq";
constexpr std::string_view kRequeue =
    "UPDATE job SET state = 0, attempts = 0, crashes = 0, solo = 1, due_at = ?, finished_at = NULL"
    " WHERE seq = ? AND state = 3";
constexpr std::string_view kDiscard =
    "UPDATE job SET state = 5, finished_at = ?, last_error = ? WHERE seq = ? AND state = 3";
constexpr std::string_view kDeletePlan = "DELETE FROM plan WHERE seq = ?";
constexpr std::string_view kSelectOwner =
    "SELECT user_key, interaction_id IS NULL, job_id FROM job WHERE seq = ?";
constexpr std::string_view kInsertAudit =
    "INSERT INTO audit(at, actor, action, job_id, user_key, reason) VALUES(?, ?, ?, ?, ?, ?)";
constexpr std::string_view kResetCounts =
    "UPDATE account SET accepted = ?, reflected = 0, dead = 0 WHERE user_key = ?";

JobStatus ReadStatusRow(const SqliteStatement& row, std::uint32_t attempts_max) {
  return ReadJob(row, 0, {row.String(kTenantColumn), row.String(kUserColumn)},
                 row.String(kInteractionColumn), attempts_max);
}

// A status with its history, or nothing.
Result<std::optional<JobStatus>> ReadOneStatus(SqliteConnection& connection,
                                               SqliteStatement statement,
                                               std::uint32_t attempts_max) {
  std::optional<JobStatus> status;
  std::int64_t seq = 0;
  if (statement.Step()) {
    status = ReadStatusRow(statement, attempts_max);
    seq = statement.Int(kSeqColumn);
  }
  UMBRANET_RETURN_IF_ERROR(statement.status());
  if (status.has_value() && seq != 0) {
    UMBRANET_ASSIGN_OR_RETURN(status->history, ReadHistory(connection, seq));
  }
  return status;
}

struct JobOwner {
  std::int64_t user_key = 0;
  bool has_turn = true;
  std::string job_id;
};

Result<JobOwner> ReadOwner(SqliteConnection& connection, std::int64_t seq) {
  SqliteStatement row = connection.Prepare(kSelectOwner);
  row.BindAll(seq);
  JobOwner owner;
  if (row.Step()) {
    owner = {row.Int(0), row.Int(1) != 0, row.String(2)};
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return owner;
}

// 0 when there is no such dead job.
Result<std::int64_t> FindDeadSeq(SqliteConnection& connection, std::string_view job_id) {
  SqliteStatement row = connection.Prepare(kSelectDeadJob);
  row.BindAll(job_id);
  const std::int64_t seq = row.Step() ? row.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return seq;
}

}  // namespace

Result<std::optional<JobStatus>> SqliteJobLedger::Find(std::string_view tenant,
                                                       std::string_view job_id, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  for (const std::string_view sql : {kSelectStatus, kSelectFormerStatus}) {
    SqliteStatement row = reader->Prepare(sql);
    row.BindAll(job_id, tenant);
    UMBRANET_ASSIGN_OR_RETURN(
        std::optional<JobStatus> status,
        ReadOneStatus(*reader, std::move(row), store_.options().retry.attempts_max));
    if (status.has_value()) {
      return status;
    }
  }
  return std::optional<JobStatus>();
}

Result<LedgerStats> SqliteJobLedger::Stats(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  SqliteStatement row = reader->Prepare(kSelectStats);
  LedgerStats stats;
  if (row.Step()) {
    stats.ready_high = static_cast<std::uint64_t>(row.Int(0));
    stats.ready_normal = static_cast<std::uint64_t>(row.Int(1));
    stats.ready_low = static_cast<std::uint64_t>(row.Int(2));
    stats.leased = static_cast<std::uint64_t>(row.Int(3));
    stats.retry_wait = static_cast<std::uint64_t>(row.Int(4));
    stats.dead = static_cast<std::uint64_t>(row.Int(5));
    stats.oldest_ready_at = row.OptionalTime(6);
    stats.oldest_unfinished_at = row.OptionalTime(7);
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return stats;
}

Result<DeadPage> SqliteJobLedger::ListDead(const DeadFilter& filter, std::string_view cursor,
                                           std::size_t limit, Deadline deadline) {
  const std::optional<DeadCursor> start = ParseDeadCursor(cursor);
  if (!start.has_value()) {
    return InvalidArgument("sqlite: this cursor is none of the dead letters'; start without one");
  }
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  DeadPage page;
  SqliteStatement row = reader->Prepare(kSelectDeadPage);
  // One more than asked for tells whether there is a next page.
  row.BindAll(filter.tenant, filter.user_id, filter.tier, filter.error_contains, start->finished_at,
              start->seq, limit + 1);
  DeadCursor last = *start;
  while (row.Step()) {
    if (page.jobs.size() == limit) {
      page.next_cursor = limit == 0 ? std::string(cursor) : FormatDeadCursor(last);
      break;
    }
    JobStatus status = ReadStatusRow(row, store_.options().retry.attempts_max);
    last = {ToUnixMillis(status.finished_at.value_or(Timestamp{})), row.Int(kSeqColumn)};
    UMBRANET_ASSIGN_OR_RETURN(status.history, ReadHistory(*reader, last.seq));
    page.jobs.push_back(std::move(status));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return page;
}

Result<std::optional<JobStatus>> SqliteJobLedger::FindDead(std::string_view job_id,
                                                           Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  SqliteStatement row = reader->Prepare(kSelectDeadStatus);
  row.BindAll(job_id);
  return ReadOneStatus(*reader, std::move(row), store_.options().retry.attempts_max);
}

Result<std::uint64_t> SqliteJobLedger::RequeueDead(std::string_view job_id, std::string_view actor,
                                                   Deadline deadline) {
  return Change<std::uint64_t>(
      Lane::kForeground, deadline, [&](SqliteConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t seq, FindDeadSeq(connection, job_id));
        if (seq == 0) {
          return std::uint64_t{0};
        }
        UMBRANET_RETURN_IF_ERROR(RequeueOne(connection, seq, actor));
        return std::uint64_t{1};
      });
}

Result<std::uint64_t> SqliteJobLedger::RequeueDeadMatching(const DeadFilter& filter,
                                                           std::string_view actor,
                                                           Deadline deadline) {
  return Change<std::uint64_t>(
      Lane::kForeground, deadline, [&](SqliteConnection& connection) -> Result<std::uint64_t> {
        std::vector<std::int64_t> seqs;
        {
          SqliteStatement row = connection.Prepare(kSelectMatching);
          row.BindAll(filter.tenant, filter.user_id, filter.tier, filter.error_contains);
          while (row.Step()) {
            seqs.push_back(row.Int(0));
          }
          UMBRANET_RETURN_IF_ERROR(row.status());
        }
        for (const std::int64_t seq : seqs) {
          UMBRANET_RETURN_IF_ERROR(RequeueOne(connection, seq, actor));
        }
        return std::uint64_t{seqs.size()};
      });
}

Status SqliteJobLedger::RequeueOne(SqliteConnection& connection, std::int64_t seq,
                                   std::string_view actor) {
  const std::int64_t now = store_.Now();
  UMBRANET_ASSIGN_OR_RETURN(const JobOwner owner, ReadOwner(connection, seq));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kRequeue, now, seq));
  UMBRANET_RETURN_IF_ERROR(
      CountTurns(connection, owner.user_key, 0, {.dead = owner.has_turn ? -1 : 0}));
  UMBRANET_RETURN_IF_ERROR(OfferHead(connection, owner.user_key, now, seq));
  return connection.Run(kInsertAudit, now, actor, "requeue", owner.job_id, owner.user_key, "");
}

Result<std::uint64_t> SqliteJobLedger::DiscardDead(std::string_view job_id, std::string_view actor,
                                                   std::string_view reason, Deadline deadline) {
  return Change<std::uint64_t>(
      Lane::kForeground, deadline, [&](SqliteConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t seq, FindDeadSeq(connection, job_id));
        if (seq == 0) {
          return std::uint64_t{0};
        }
        UMBRANET_ASSIGN_OR_RETURN(const JobOwner owner, ReadOwner(connection, seq));
        const std::int64_t now = store_.Now();
        const std::string record =
            "discarded by " + std::string(actor) + ": " + std::string(reason);
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDiscard, now, CutError(record), seq));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeletePlan, seq));
        // The turn stays in the journal, but nobody waits for it any more.
        if (owner.has_turn) {
          UMBRANET_RETURN_IF_ERROR(CountTurns(connection, owner.user_key, -1, {.dead = -1}));
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertAudit, now, actor, "discard", owner.job_id,
                                                owner.user_key, reason));
        return std::uint64_t{1};
      });
}

Result<std::uint64_t> SqliteJobLedger::ReflectAgain(const UserKey& user, Deadline deadline) {
  return Change<std::uint64_t>(
      Lane::kForeground, deadline, [&](SqliteConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<TurnToRepeat> turns,
                                  ReadTurnsToRepeat(connection, user_key, 0));
        const std::int64_t now = store_.Now();
        for (const TurnToRepeat& turn : turns) {
          UMBRANET_RETURN_IF_ERROR(RepeatTurn(connection, user, user_key, turn, now));
        }
        // Whatever a worker holds of this user, it holds of the memory before. Jobs without turns
        // go back.
        UMBRANET_RETURN_IF_ERROR(ReturnLeasedJobs(connection, user_key));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kResetCounts, turns.size(), user_key));
        return std::uint64_t{turns.size()};
      });
}

}  // namespace umbranet
