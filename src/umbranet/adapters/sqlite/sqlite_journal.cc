#include "umbranet/adapters/sqlite/sqlite_journal.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "umbranet/adapters/sqlite/ledger_rows.h"
#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

constexpr std::string_view kInsertTurn =
    "INSERT INTO turn(seq, user_key, interaction_id, session_id, speaker, occurred_at, accepted_at,"
    " priority, origin, metadata, user_message, assistant_response)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(user_key, interaction_id) DO NOTHING";
constexpr std::string_view kSelectDuplicate =
    "SELECT t.seq, t.past_generation, t.past_state, j.job_id, j.state"
    " FROM turn t LEFT JOIN job j ON j.seq = t.seq"
    " WHERE t.user_key = ? AND t.interaction_id = ?";
constexpr std::string_view kCountAccepted =
    "UPDATE account SET accepted = accepted + 1 WHERE user_key = ?";
constexpr std::string_view kSelectErasedAt = "SELECT erased_at FROM account WHERE user_key = ?";
constexpr std::string_view kSelectForeignJob =
    "SELECT seq, user_key, state FROM job WHERE job_id = ?";
constexpr std::string_view kMoveJob =
    "UPDATE job SET seq = ?1, interaction_id = NULL WHERE seq = ?2";
constexpr std::string_view kMovePlan = "UPDATE plan SET seq = ?1 WHERE seq = ?2";
constexpr std::string_view kMoveAttempts = "UPDATE attempt SET seq = ?1 WHERE seq = ?2";
constexpr std::string_view kSelectTurn =
    "SELECT " UMBRANET_TURN_COLUMNS " FROM turn t WHERE t.user_key = ? AND t.interaction_id = ?";
constexpr std::string_view kSelectTurnBySeq =
    "SELECT " UMBRANET_TURN_COLUMNS " FROM turn t WHERE t.seq = ? AND t.user_key = ?";
constexpr std::string_view kSelectPage =
    "SELECT " UMBRANET_TURN_COLUMNS ", " UMBRANET_JOB_COLUMNS
    ", t.past_generation, t.past_state FROM turn t LEFT JOIN job j ON j.seq = t.seq"
    " WHERE t.user_key = ? AND t.seq > ? ORDER BY t.seq LIMIT ?";
constexpr std::string_view kSelectRecent = "SELECT " UMBRANET_TURN_COLUMNS
                                           " FROM turn t WHERE t.user_key = ? AND t.session_id = ?"
                                           " AND t.seq < ? ORDER BY t.seq DESC LIMIT ?";
// One range of the index job_open for each state and solo, since only within one of them rows come
// in the order of seq.
constexpr std::string_view kSelectUnreflected =
    "SELECT seq FROM job WHERE user_key = ? AND state = ? AND solo = ? AND (tiers_done & 1) = 0"
    " AND interaction_id IS NULL AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq DESC LIMIT ?";
// The same in one go, in any order, for a user who has few of them.
constexpr std::string_view kSelectFewUnreflected =
    "SELECT seq FROM job INDEXED BY job_open WHERE user_key = ? AND " UMBRANET_JOB_IS_OPEN
    " AND (tiers_done & 1) = 0 AND interaction_id IS NULL";
constexpr std::string_view kSelectUnfinished =
    "SELECT accepted - reflected FROM account WHERE user_key = ?";
#define UMBRANET_OLDEST(state, solo)                                                        \
  "SELECT * FROM (SELECT seq, enqueued_at FROM job INDEXED BY job_open WHERE user_key = ?1" \
  " AND state = " state " AND solo = " solo                                                 \
  " AND interaction_id IS NULL AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq LIMIT 1)"
// Of each kind of those that are ready, leased or waiting to be tried again.
constexpr std::string_view kSelectOldest = UMBRANET_OLDEST("0", "0") " UNION ALL " UMBRANET_OLDEST(
    "0", "1") " UNION ALL " UMBRANET_OLDEST("1", "0") " UNION ALL " UMBRANET_OLDEST("1", "1")
    " UNION ALL " UMBRANET_OLDEST("4", "0") " UNION ALL " UMBRANET_OLDEST("4", "1");
#undef UMBRANET_OLDEST
constexpr std::string_view kSelectFreshness =
    "SELECT accepted, reflected, dead, erased_at FROM account WHERE user_key = ?";
// What is erased before the rows that it hangs on.
constexpr std::string_view kSeqsOfUser =
    "(SELECT seq FROM turn WHERE user_key = ?1"
    " UNION SELECT seq FROM job WHERE user_key = ?1 AND interaction_id IS NOT NULL)";
constexpr std::string_view kCountUnfinished =
    "SELECT count(*) FROM job WHERE user_key = ? AND state IN (0, 1, 4) AND " UMBRANET_JOB_IS_OPEN;
constexpr std::string_view kCountDead =
    "SELECT count(*) FROM job WHERE user_key = ? AND state = 3 AND " UMBRANET_JOB_IS_OPEN;
constexpr std::string_view kErasePlans = "DELETE FROM plan WHERE seq IN ";
constexpr std::string_view kEraseAttempts = "DELETE FROM attempt WHERE seq IN ";
constexpr std::string_view kEraseJobs = "DELETE FROM job WHERE seq IN ";
constexpr std::string_view kEraseFormer = "DELETE FROM former_job WHERE user_key = ?";
constexpr std::string_view kEraseAudit = "DELETE FROM audit WHERE user_key = ?";
constexpr std::string_view kEraseShadowRuns = "DELETE FROM shadow_run WHERE user_key = ?";
constexpr std::string_view kEraseAnswers = "DELETE FROM answer WHERE user_key = ?";
constexpr std::string_view kEraseLease = "DELETE FROM lease WHERE user_key = ?";
constexpr std::string_view kEraseTurns = "DELETE FROM turn WHERE user_key = ?";
constexpr std::string_view kNextForgotten =
    "UPDATE ledger_value SET value = max(?, value + 1) WHERE name = 'last_forgotten'"
    " RETURNING value";
constexpr std::string_view kLeaveTombstone =
    "UPDATE account SET accepted = 0, reflected = 0, dead = 0, head_due = NULL, head_seq = NULL,"
    " lease_token = NULL, erased_at = ? WHERE user_key = ?";
constexpr std::string_view kSelectAnswer =
    "SELECT fingerprint, http_status, body, stored_at FROM answer"
    " WHERE tenant = ? AND idempotency_key = ? AND stored_at > ?";
constexpr std::string_view kInsertAnswer =
    "INSERT INTO answer(tenant, idempotency_key, user_key, fingerprint, http_status, body,"
    " stored_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT(tenant, idempotency_key) DO UPDATE SET user_key = excluded.user_key,"
    " fingerprint = excluded.fingerprint, http_status = excluded.http_status,"
    " body = excluded.body, stored_at = excluded.stored_at WHERE answer.stored_at <= ?8";

constexpr JobState kOpen[] = {JobState::kReady, JobState::kLeased, JobState::kRetryWait,
                              JobState::kDead};

Result<AcceptedTurn> ReadDuplicate(SqliteConnection& connection, std::int64_t user_key,
                                   const Interaction& turn) {
  SqliteStatement found = connection.Prepare(kSelectDuplicate);
  found.BindAll(user_key, turn.interaction_id);
  AcceptedTurn duplicate{.interaction_id = turn.interaction_id, .job_id = {}, .duplicate = true};
  if (found.Step()) {
    duplicate.sequence = found.Int(0);
    if (found.IsNull(3)) {
      const auto generation = static_cast<std::uint32_t>(found.OptionalInt(1).value_or(0));
      duplicate.job_id = MakeJobId(turn.user, turn.interaction_id, generation);
      duplicate.state = found.IsNull(2) ? JobState::kDone : static_cast<JobState>(found.Int(2));
    } else {
      duplicate.job_id = found.Text(3);
      duplicate.state = static_cast<JobState>(found.Int(4));
    }
  }
  UMBRANET_RETURN_IF_ERROR(found.status());
  return duplicate;
}

// A turn that was accepted elsewhere (a spool) or asked before its user was forgotten must not come
// back. Strictly before: what is accepted in the same millisecond is a new beginning.
Status CheckNotForgotten(SqliteConnection& connection, std::int64_t user_key, Timestamp since) {
  if (since == Timestamp{}) {
    return {};
  }
  SqliteStatement found = connection.Prepare(kSelectErasedAt);
  found.BindAll(user_key);
  const std::optional<std::int64_t> erased_at = found.Step() ? found.OptionalInt(0) : std::nullopt;
  UMBRANET_RETURN_IF_ERROR(found.status());
  if (erased_at.has_value() && ToUnixMillis(since) < *erased_at) {
    return Aborted("sqlite: the user was forgotten after this turn was accepted");
  }
  return {};
}

// The wall's time and not the ledger's, which may be ahead of it: turns are compared with it that
// were stamped elsewhere. But always later than the last one's, in the order of commits.
Result<Timestamp> NextForgotten(SqliteConnection& connection, Timestamp wall) {
  SqliteStatement next = connection.Prepare(kNextForgotten);
  next.BindAll(wall);
  const Timestamp time = next.Step() ? next.Time(0) : wall;
  UMBRANET_RETURN_IF_ERROR(next.status());
  return time;
}

// How many rows were removed.
Result<std::uint64_t> RunErasing(SqliteConnection& connection, std::string_view sql,
                                 std::int64_t user_key) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(sql, user_key));
  return static_cast<std::uint64_t>(connection.Changes());
}

// Jobs of every state, with all that hangs on them; the lease too.
Status EraseJobs(SqliteConnection& connection, std::int64_t user_key, JournalErasure& erasure) {
  for (const auto& [select, count] : {std::pair{kCountUnfinished, &erasure.jobs_cancelled},
                                      std::pair{kCountDead, &erasure.dead_letters}}) {
    SqliteStatement row = connection.Prepare(select);
    row.BindAll(user_key);
    *count = row.Step() ? static_cast<std::uint64_t>(row.Int(0)) : 0;
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  const std::string seqs(kSeqsOfUser);
  UMBRANET_ASSIGN_OR_RETURN(erasure.plans,
                            RunErasing(connection, std::string(kErasePlans) + seqs, user_key));
  UMBRANET_ASSIGN_OR_RETURN(erasure.attempts,
                            RunErasing(connection, std::string(kEraseAttempts) + seqs, user_key));
  UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t jobs,
                            RunErasing(connection, std::string(kEraseJobs) + seqs, user_key));
  UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t former,
                            RunErasing(connection, kEraseFormer, user_key));
  erasure.jobs_finished = jobs + former - erasure.jobs_cancelled - erasure.dead_letters;
  return connection.Run(kEraseLease, user_key);
}

}  // namespace

Result<std::vector<AcceptedTurn>> SqliteJournal::Accept(std::span<const Interaction> turns,
                                                        RunMode mode, std::string_view traceparent,
                                                        Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(store_.database().CheckReserve());
  std::vector<AcceptedTurn> accepted;
  accepted.reserve(turns.size());
  Status written = store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        for (const Interaction& turn : turns) {
          UMBRANET_ASSIGN_OR_RETURN(AcceptedTurn one,
                                    AcceptOne(connection, turn, mode, traceparent));
          accepted.push_back(std::move(one));
        }
        return {};
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return accepted;
}

Result<AcceptedTurn> SqliteJournal::AcceptOne(SqliteConnection& connection, const Interaction& turn,
                                              RunMode mode, std::string_view traceparent) {
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, turn.user));
  UMBRANET_RETURN_IF_ERROR(CheckNotForgotten(connection, user_key, KnownSince(turn)));
  const std::int64_t now = store_.Now();
  const std::int64_t seq = store_.NextSequence();
  const std::int64_t accepted_at =
      turn.accepted_at == Timestamp{} ? now : ToUnixMillis(turn.accepted_at);
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertTurn, seq, user_key, turn.interaction_id,
                                          turn.session_id, turn.speaker, turn.occurred_at,
                                          accepted_at, turn.priority, turn.origin, turn.metadata,
                                          turn.user_message, turn.assistant_response));
  if (connection.Changes() == 0) {
    return ReadDuplicate(connection, user_key, turn);
  }
  const ReflectionJob job = JobOfTurn(turn, mode, traceparent);
  const Status inserted = InsertJob(connection, seq, user_key, job, /*has_turn=*/true, now);
  if (!inserted.ok()) {
    if (inserted.error().code == ErrorCode::kAlreadyExists) {
      return AdoptJob(connection, user_key, job, seq);
    }
    return inserted.error();
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kCountAccepted, user_key));
  return AcceptedTurn{.interaction_id = turn.interaction_id,
                      .job_id = job.job_id,
                      .duplicate = false,
                      .state = JobState::kReady,
                      .sequence = seq};
}

// The job came before its turn, from a foreign producer: from now on it has the turn's sequence.
Result<AcceptedTurn> SqliteJournal::AdoptJob(SqliteConnection& connection, std::int64_t user_key,
                                             const ReflectionJob& job, std::int64_t seq) {
  std::int64_t job_seq = 0;
  std::int64_t owner = 0;
  JobState state = JobState::kReady;
  {
    SqliteStatement found = connection.Prepare(kSelectForeignJob);
    found.BindAll(job.job_id);
    if (found.Step()) {
      job_seq = found.Int(0);
      owner = found.Int(1);
      state = static_cast<JobState>(found.Int(2));
    }
    UMBRANET_RETURN_IF_ERROR(found.status());
  }
  if (owner != user_key) {
    return Error{ErrorCode::kAlreadyExists,
                 "sqlite: job " + job.job_id + " belongs to another user"};
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kMoveJob, seq, job_seq));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kMovePlan, seq, job_seq));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kMoveAttempts, seq, job_seq));
  UMBRANET_RETURN_IF_ERROR(RefreshHead(connection, user_key));
  UMBRANET_RETURN_IF_ERROR(CountTurns(
      connection, user_key, state == JobState::kCancelled ? 0 : 1,
      {.reflected = state == JobState::kDone ? 1 : 0, .dead = state == JobState::kDead ? 1 : 0}));
  return AcceptedTurn{.interaction_id = job.interaction_id,
                      .job_id = job.job_id,
                      .duplicate = false,
                      .state = state,
                      .sequence = seq};
}

Result<std::vector<Interaction>> SqliteJournal::Read(const UserKey& user,
                                                     std::span<const std::string> interaction_ids,
                                                     Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  std::vector<Interaction> turns;
  if (!user_key.has_value()) {
    return turns;
  }
  SqliteStatement row = reader->Prepare(kSelectTurn);
  for (const std::string& id : interaction_ids) {
    row.Reset();
    row.BindAll(*user_key, id);
    if (row.Step()) {
      turns.push_back(ReadTurn(row, 0, user));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  const auto earlier = [](const Interaction& a, const Interaction& b) {
    return a.sequence < b.sequence;
  };
  const auto same = [](const Interaction& a, const Interaction& b) {
    return a.sequence == b.sequence;
  };
  std::sort(turns.begin(), turns.end(), earlier);
  turns.erase(std::unique(turns.begin(), turns.end(), same), turns.end());
  return turns;
}

Result<JournalPage> SqliteJournal::List(const UserKey& user, std::string_view cursor,
                                        std::size_t limit, Deadline deadline) {
  const std::optional<std::int64_t> after = ParseJournalCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("sqlite: this cursor is none of the journal's; start without one");
  }
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  JournalPage page;
  if (!user_key.has_value()) {
    return page;
  }
  const std::uint32_t attempts_max = store_.options().retry.attempts_max;
  SqliteStatement row = reader->Prepare(kSelectPage);
  // One more than asked for tells whether there is a next page.
  row.BindAll(*user_key, *after, limit + 1);
  while (row.Step()) {
    if (page.entries.size() == limit) {
      page.next_cursor = limit == 0 ? std::string(cursor)
                                    : std::to_string(page.entries.back().interaction.sequence);
      break;
    }
    JournalEntry entry{.interaction = ReadTurn(row, 0, user), .reflection = {}};
    if (row.IsNull(kTurnColumns)) {
      entry.reflection =
          StatusWithoutJob(entry.interaction, row.OptionalInt(kTurnColumns + kJobColumns),
                           row.OptionalInt(kTurnColumns + kJobColumns + 1), attempts_max);
    } else {
      entry.reflection =
          ReadJob(row, kTurnColumns, user, entry.interaction.interaction_id, attempts_max);
    }
    page.entries.push_back(std::move(entry));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return page;
}

Result<std::vector<Interaction>> SqliteJournal::Recent(const UserKey& user,
                                                       std::string_view session_id,
                                                       std::int64_t before_sequence,
                                                       std::size_t limit, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  std::vector<Interaction> turns;
  if (!user_key.has_value()) {
    return turns;
  }
  SqliteStatement row = reader->Prepare(kSelectRecent);
  const std::int64_t before =
      before_sequence > 0 ? before_sequence : std::numeric_limits<std::int64_t>::max();
  row.BindAll(*user_key, session_id, before, limit);
  while (row.Step()) {
    turns.push_back(ReadTurn(row, 0, user));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  std::reverse(turns.begin(), turns.end());
  return turns;
}

Result<std::vector<std::int64_t>> SqliteJournal::Unreflected(const UserKey& user, std::size_t limit,
                                                             Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  // A turn that moves from one state to the next must not be missed between two of the queries.
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  std::vector<std::int64_t> seqs;
  if (!user_key.has_value()) {
    return seqs;
  }
  const auto take = [&seqs](SqliteStatement& row) -> Status {
    while (row.Step()) {
      seqs.push_back(row.Int(0));
    }
    return row.status();
  };
  SqliteStatement unfinished = reader->Prepare(kSelectUnfinished);
  unfinished.BindAll(*user_key);
  const bool few = unfinished.Step() && unfinished.Int(0) <= static_cast<std::int64_t>(limit);
  UMBRANET_RETURN_IF_ERROR(unfinished.status());
  if (few) {
    SqliteStatement row = reader->Prepare(kSelectFewUnreflected);
    row.BindAll(*user_key);
    UMBRANET_RETURN_IF_ERROR(take(row));
  } else {
    SqliteStatement row = reader->Prepare(kSelectUnreflected);
    for (const JobState state : kOpen) {
      for (const int solo : {0, 1}) {
        row.Reset();
        row.BindAll(*user_key, state, solo, limit);
        UMBRANET_RETURN_IF_ERROR(take(row));
      }
    }
  }
  std::sort(seqs.begin(), seqs.end(), std::greater<>());
  seqs.resize(std::min(seqs.size(), limit));
  return seqs;
}

Result<std::vector<Interaction>> SqliteJournal::ReadAt(const UserKey& user,
                                                       std::span<const std::int64_t> sequences,
                                                       Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  std::vector<Interaction> turns;
  if (!user_key.has_value()) {
    return turns;
  }
  SqliteStatement row = reader->Prepare(kSelectTurnBySeq);
  for (const std::int64_t sequence : sequences) {
    row.Reset();
    row.BindAll(sequence, *user_key);
    if (row.Step()) {
      turns.push_back(ReadTurn(row, 0, user));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  return turns;
}

Result<Freshness> SqliteJournal::ReadFreshness(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(*reader, user));
  Freshness freshness;
  if (!user_key.has_value()) {
    return freshness;
  }
  {
    SqliteStatement counts = reader->Prepare(kSelectFreshness);
    counts.BindAll(*user_key);
    if (counts.Step()) {
      freshness.accepted = static_cast<std::uint64_t>(counts.Int(0));
      freshness.reflected = static_cast<std::uint64_t>(counts.Int(1));
      freshness.dead = static_cast<std::uint64_t>(counts.Int(2));
      freshness.pending = freshness.accepted - freshness.reflected - freshness.dead;
      if (const auto erased_at = counts.OptionalInt(3); erased_at.has_value()) {
        freshness.forgotten_at = FromUnixMillis(*erased_at);
      }
    }
    UMBRANET_RETURN_IF_ERROR(counts.status());
  }
  if (freshness.pending == 0) {
    return freshness;
  }
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
  SqliteStatement row = reader->Prepare(kSelectOldest);
  row.BindAll(*user_key);
  while (row.Step()) {
    if (row.Int(0) < oldest) {
      oldest = row.Int(0);
      freshness.oldest_pending_at = row.Time(1);
    }
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return freshness;
}

Result<JournalErasure> SqliteJournal::EraseUser(const UserKey& user, Deadline deadline) {
  JournalErasure erasure;
  Status written = store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        erasure = {};
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, user));
        UMBRANET_RETURN_IF_ERROR(EraseJobs(connection, user_key, erasure));
        for (const auto& [erase, count] :
             {std::pair{kEraseAudit, &erasure.acts}, std::pair{kEraseAnswers, &erasure.answers},
              std::pair{kEraseShadowRuns, &erasure.shadow_plans},
              std::pair{kEraseTurns, &erasure.turns}}) {
          UMBRANET_ASSIGN_OR_RETURN(*count, RunErasing(connection, erase, user_key));
        }
        UMBRANET_RETURN_IF_ERROR(store_.KeepSequence(connection));
        erasure.last_sequence = store_.last_sequence();
        UMBRANET_ASSIGN_OR_RETURN(erasure.forgotten_at,
                                  NextForgotten(connection, store_.database().clock().Now()));
        return connection.Run(kLeaveTombstone, erasure.forgotten_at, user_key);
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return erasure;
}

Result<std::optional<StoredAnswer>> SqliteJournal::FindAnswer(std::string_view tenant,
                                                              std::string_view idempotency_key,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  SqliteStatement row = reader->Prepare(kSelectAnswer);
  row.BindAll(tenant, idempotency_key, store_.Now() - store_.options().answer_retention.count());
  std::optional<StoredAnswer> answer;
  if (row.Step()) {
    answer = StoredAnswer{.fingerprint = row.String(0),
                          .http_status = static_cast<int>(row.Int(1)),
                          .body = row.String(2),
                          .stored_at = row.Time(3)};
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return answer;
}

Status SqliteJournal::SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                                 const StoredAnswer& answer, Deadline deadline) {
  return store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, user));
        if (const Status held = CheckNotForgotten(connection, user_key, answer.began_at);
            !held.ok()) {
          return held.error().code == ErrorCode::kAborted ? Status() : held;
        }
        const std::int64_t now = store_.Now();
        // The first answer stays, until its time is over.
        return connection.Run(kInsertAnswer, user.tenant, idempotency_key, user_key,
                              answer.fingerprint, answer.http_status, answer.body, now,
                              now - store_.options().answer_retention.count());
      },
      deadline);
}

}  // namespace umbranet
