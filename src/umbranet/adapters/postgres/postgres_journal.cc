#include "umbranet/adapters/postgres/postgres_journal.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "umbranet/adapters/postgres/accept_turns.h"
#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

#define UMBRANET_USER_KEY \
  "(SELECT a.user_key FROM account a WHERE a.tenant = $1 AND a.user_id = $2)"
// One look at the index turn_by_id for each, also in the plan for a user with few turns.
constexpr std::string_view kSelectTurns =
    "SELECT " UMBRANET_TURN_COLUMNS
    " FROM (SELECT DISTINCT u.id FROM unnest($3::text[]) AS u(id)) x CROSS JOIN LATERAL"
    " (SELECT s.* FROM turn s WHERE s.user_key = " UMBRANET_USER_KEY
    " AND s.interaction_id = x.id LIMIT 1) t ORDER BY t.seq";
constexpr std::string_view kSelectPage =
    "SELECT " UMBRANET_TURN_COLUMNS ", " UMBRANET_JOB_COLUMNS
    ", t.past_generation, t.past_state FROM turn t LEFT JOIN job j ON j.seq = t.seq"
    " WHERE t.user_key = " UMBRANET_USER_KEY " AND t.seq > $3 ORDER BY t.seq LIMIT $4";
constexpr std::string_view kSelectRecent =
    "SELECT " UMBRANET_TURN_COLUMNS " FROM turn t WHERE t.user_key = " UMBRANET_USER_KEY
    " AND t.session_id = $3 AND t.seq < $4 ORDER BY t.seq DESC LIMIT $5";
// The conditions of the index job_open.
#define UMBRANET_UNREFLECTED                                                             \
  " AND j.state IN (0, 1, 3, 4) AND (j.tiers_done & 1) = 0 AND j.interaction_id IS NULL" \
  " ORDER BY j.seq DESC LIMIT $3"
constexpr std::string_view kSelectUnreflected =
    "SELECT j.seq FROM job j WHERE j.user_key = " UMBRANET_USER_KEY UMBRANET_UNREFLECTED;
constexpr std::string_view kSelectTurnsAt =
    "SELECT " UMBRANET_TURN_COLUMNS
    " FROM unnest($3::bigint[]) WITH ORDINALITY AS wanted(seq, place)"
    " JOIN turn t ON t.seq = wanted.seq WHERE t.user_key = " UMBRANET_USER_KEY
    " ORDER BY wanted.place";
#define UMBRANET_FRESHNESS                                                                \
  "SELECT a.accepted, a.reflected, a.dead, a.erased_at, (SELECT j.enqueued_at FROM job j" \
  " WHERE j.user_key = a.user_key AND j.state IN (0, 1, 4) AND j.interaction_id IS NULL"  \
  " ORDER BY j.seq LIMIT 1), a.memory_version"
#define UMBRANET_OF_ACCOUNT " FROM account a WHERE a.tenant = $1 AND a.user_id = $2"
constexpr std::string_view kSelectFreshness = UMBRANET_FRESHNESS UMBRANET_OF_ACCOUNT;
// Where nothing waits, the jobs are not looked at.
constexpr std::string_view kSelectOpening = UMBRANET_FRESHNESS
    ", CASE WHEN a.accepted <> a.reflected THEN ARRAY(SELECT j.seq FROM job j"
    " WHERE j.user_key = a.user_key" UMBRANET_UNREFLECTED
    ") END,"
    " ARRAY(SELECT t.seq FROM turn t WHERE t.user_key = a.user_key AND t.session_id = $4"
    " ORDER BY t.seq DESC LIMIT $5)" UMBRANET_OF_ACCOUNT;
constexpr std::string_view kEraseJobs =
    "WITH gone AS (DELETE FROM job WHERE user_key = $1 RETURNING seq, state),"
    " plans AS (DELETE FROM plan p USING gone g WHERE p.seq = g.seq RETURNING 1),"
    " attempts AS (DELETE FROM attempt t USING gone g WHERE t.seq = g.seq RETURNING 1)"
    " SELECT count(*) FILTER (WHERE state IN (0, 1, 4)), count(*) FILTER (WHERE state IN (2, 5)),"
    " count(*) FILTER (WHERE state = 3), (SELECT count(*) FROM plans),"
    " (SELECT count(*) FROM attempts) FROM gone";
constexpr std::string_view kEraseTurns = "DELETE FROM turn WHERE user_key = $1";
constexpr std::string_view kEraseFormer = "DELETE FROM former_job WHERE user_key = $1";
constexpr std::string_view kEraseAudit = "DELETE FROM audit WHERE user_key = $1";
constexpr std::string_view kEraseShadowRuns = "DELETE FROM shadow_run WHERE user_key = $1";
constexpr std::string_view kEraseAnswers = "DELETE FROM answer WHERE user_key = $1";
// The wall's time and not the ledger's, which may be ahead of it: turns are compared with it that
// were stamped elsewhere. But always later than the last one's: its row is locked until the commit,
// so that times rise in the order of commits. Nothing may be locked after it.
constexpr std::string_view kLeaveTombstone =
    "WITH last AS (UPDATE ledger_value SET value = GREATEST(ledger_wall($2), value + 1)"
    " WHERE name = 'last_forgotten' RETURNING value)"
    " UPDATE account SET accepted = 0, reflected = 0, dead = 0, head_due = NULL, head_seq = NULL,"
    " lease_token = NULL, leased_at = NULL, lease_ms = NULL, cap_ms = NULL, lease_until = NULL,"
    " worker = NULL, worker_number = NULL, erased_at = last.value,"
    " memory_version = memory_version + 1 FROM last WHERE user_key = $1"
    " RETURNING erased_at, nextval('ledger_seq')";
constexpr std::string_view kSelectErasedAt = "SELECT erased_at FROM account WHERE user_key = $1";
constexpr std::string_view kSelectAnswer =
    "SELECT fingerprint, http_status, body, stored_at FROM answer"
    " WHERE tenant = $1 AND idempotency_key = $2 AND stored_at > ledger_now($3, $4) - $5";
// The first answer stays, until its time is over.
constexpr std::string_view kInsertAnswer =
    "INSERT INTO answer(tenant, idempotency_key, user_key, fingerprint, http_status, body,"
    " stored_at) VALUES($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT(tenant, idempotency_key) DO UPDATE SET user_key = excluded.user_key,"
    " fingerprint = excluded.fingerprint, http_status = excluded.http_status,"
    " body = excluded.body, stored_at = excluded.stored_at WHERE answer.stored_at <= $8";

// Of turns, which may be long, so many go in the company of others at most.
constexpr std::size_t kAskedTurnsMax = 16;

std::int64_t LimitOf(std::size_t limit) {
  return static_cast<std::int64_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max()));
}

// Up to `turns` of them.
template <typename... Values>
Result<PostgresRows> ReadSome(PostgresPool& pool, Deadline deadline, std::size_t turns,
                              std::string_view sql, const Values&... values) {
  if (turns <= kAskedTurnsMax) {
    return pool.Ask(deadline, sql, values...);
  }
  return pool.Read(
      deadline, [&](PostgresConnection& connection) { return connection.Query(sql, values...); });
}

// Of the columns of UMBRANET_FRESHNESS; a user of whom nothing is known has no row.
Freshness ReadFreshnessOf(const PostgresRows& rows) {
  Freshness freshness;
  freshness.memory_version = rows.empty() ? 0 : rows[0].Int(5);
  if (rows.empty()) {
    return freshness;
  }
  freshness.accepted = static_cast<std::uint64_t>(rows[0].Int(0));
  freshness.reflected = static_cast<std::uint64_t>(rows[0].Int(1));
  freshness.dead = static_cast<std::uint64_t>(rows[0].Int(2));
  freshness.pending = freshness.accepted - freshness.reflected - freshness.dead;
  freshness.forgotten_at = rows[0].OptionalTime(3);
  if (freshness.pending > 0) {
    freshness.oldest_pending_at = rows[0].OptionalTime(4);
  }
  return freshness;
}

std::vector<Interaction> ReadTurns(const PostgresRows& rows, const UserKey& user) {
  std::vector<Interaction> turns;
  for (const PostgresRow row : rows) {
    turns.push_back(ReadTurn(row, 0, user));
  }
  return turns;
}

}  // namespace

PostgresJournal::PostgresJournal(PostgresLedgerStore& store)
    : store_(store),
      batcher_({.turns_max = store.options().accept_turns_max,
                .threads = store.options().accept_threads},
               [&store](std::span<const AcceptRequest* const> requests, Deadline deadline) {
                 return AcceptTurns(store, requests, deadline);
               }) {}

Result<std::vector<AcceptedTurn>> PostgresJournal::Accept(std::span<const Interaction> turns,
                                                          RunMode mode,
                                                          std::string_view traceparent,
                                                          Deadline deadline) {
  if (turns.empty()) {
    return std::vector<AcceptedTurn>();
  }
  return batcher_.Accept({.turns = {turns.begin(), turns.end()},
                          .mode = mode,
                          .traceparent = std::string(traceparent),
                          .deadline = deadline});
}

Result<std::vector<Interaction>> PostgresJournal::Read(const UserKey& user,
                                                       std::span<const std::string> interaction_ids,
                                                       Deadline deadline) {
  using Turns = std::vector<Interaction>;
  return store_.pool().Read(deadline, [&](PostgresConnection& connection) -> Result<Turns> {
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query(kSelectTurns, user.tenant, user.user_id, interaction_ids));
    return ReadTurns(rows, user);
  });
}

Result<JournalPage> PostgresJournal::List(const UserKey& user, std::string_view cursor,
                                          std::size_t limit, Deadline deadline) {
  const std::optional<std::int64_t> after = ParseJournalCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("postgres: this cursor is none of the journal's; start without one");
  }
  const std::uint32_t attempts_max = store_.options().retry.attempts_max;
  return store_.pool().Read(deadline, [&](PostgresConnection& connection) -> Result<JournalPage> {
    // One more than asked for tells whether there is a next page.
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query(kSelectPage, user.tenant, user.user_id, *after, LimitOf(limit) + 1));
    JournalPage page;
    for (const PostgresRow row : rows) {
      if (page.entries.size() == limit) {
        page.next_cursor = limit == 0 ? std::string(cursor)
                                      : std::to_string(page.entries.back().interaction.sequence);
        break;
      }
      constexpr int kJob = kTurnColumns;
      constexpr int kPast = kTurnColumns + kJobColumns;
      JournalEntry entry{.interaction = ReadTurn(row, 0, user), .reflection = {}};
      entry.reflection =
          row.IsNull(kJob)
              ? StatusWithoutJob(entry.interaction, row.OptionalInt(kPast),
                                 row.OptionalInt(kPast + 1), attempts_max)
              : ReadJob(row, kJob, user, entry.interaction.interaction_id, attempts_max);
      page.entries.push_back(std::move(entry));
    }
    return page;
  });
}

Result<std::vector<Interaction>> PostgresJournal::Recent(const UserKey& user,
                                                         std::string_view session_id,
                                                         std::int64_t before_sequence,
                                                         std::size_t limit, Deadline deadline) {
  const std::int64_t before =
      before_sequence > 0 ? before_sequence : std::numeric_limits<std::int64_t>::max();
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            ReadSome(store_.pool(), deadline, limit, kSelectRecent, user.tenant,
                                     user.user_id, session_id, before, LimitOf(limit)));
  std::vector<Interaction> turns = ReadTurns(rows, user);
  std::reverse(turns.begin(), turns.end());
  return turns;
}

Result<std::vector<std::int64_t>> PostgresJournal::Unreflected(const UserKey& user,
                                                               std::size_t limit,
                                                               Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store_.pool().Ask(deadline, kSelectUnreflected, user.tenant, user.user_id, LimitOf(limit)));
  std::vector<std::int64_t> sequences;
  for (const PostgresRow row : rows) {
    sequences.push_back(row.Int(0));
  }
  return sequences;
}

Result<std::vector<Interaction>> PostgresJournal::ReadAt(const UserKey& user,
                                                         std::span<const std::int64_t> sequences,
                                                         Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            ReadSome(store_.pool(), deadline, sequences.size(), kSelectTurnsAt,
                                     user.tenant, user.user_id, sequences));
  return ReadTurns(rows, user);
}

Result<Freshness> PostgresJournal::ReadFreshness(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, store_.pool().Ask(deadline, kSelectFreshness,
                                                                       user.tenant, user.user_id));
  return ReadFreshnessOf(rows);
}

Result<RecallOpening> PostgresJournal::OpenRecall(const RecallOpeningQuery& query,
                                                  Deadline deadline) {
  const std::size_t tail = query.session_id ? kSessionTailMax : 0;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            store_.pool().Ask(deadline, kSelectOpening, query.user.tenant,
                                              query.user.user_id, LimitOf(query.unreflected_max),
                                              query.session_id.value_or(""), LimitOf(tail)));
  RecallOpening opening{.freshness = ReadFreshnessOf(rows), .unreflected = {}, .session = {}};
  opening.unreflected.emplace();
  if (query.session_id) {
    opening.session.emplace();
  }
  if (!rows.empty()) {
    opening.unreflected = rows[0].Ints(6);
    if (opening.session) {
      opening.session->sequences = rows[0].Ints(7);
    }
  }
  return opening;
}

Result<JournalErasure> PostgresJournal::EraseUser(const UserKey& user, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<JournalErasure> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        std::vector<PostgresCommand> commands;
        for (const std::string_view erase : {kEraseJobs, kEraseTurns, kEraseFormer, kEraseAudit,
                                             kEraseAnswers, kEraseShadowRuns}) {
          commands.push_back(MakeCommand(erase, user_key));
        }
        commands.push_back(MakeCommand(kLeaveTombstone, user_key, store_.given_now()));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(commands));
        const auto count = [&rows](int column) {
          return static_cast<std::uint64_t>(rows[0][0].Int(column));
        };
        const auto removed = [&rows](std::size_t command) {
          return static_cast<std::uint64_t>(rows[command].affected());
        };
        return JournalErasure{.turns = removed(1),
                              .jobs_cancelled = count(0),
                              .jobs_finished = count(1) + removed(2),
                              .dead_letters = count(2),
                              .plans = count(3),
                              .attempts = count(4),
                              .answers = removed(4),
                              .acts = removed(3),
                              .shadow_plans = removed(5),
                              .last_sequence = rows[6][0].Int(1),
                              .forgotten_at = rows[6][0].Time(0)};
      });
}

Result<std::optional<StoredAnswer>> PostgresJournal::FindAnswer(std::string_view tenant,
                                                                std::string_view idempotency_key,
                                                                Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store_.pool().Ask(deadline, kSelectAnswer, tenant, PostgresBytes{idempotency_key},
                        store_.given_now(), store_.seen_now(),
                        store_.options().answer_retention.count()));
  std::optional<StoredAnswer> answer;
  if (!rows.empty()) {
    answer = StoredAnswer{.fingerprint = rows[0].String(0),
                          .http_status = static_cast<int>(rows[0].Int(1)),
                          .body = rows[0].String(2),
                          .stored_at = rows[0].Time(3)};
  }
  return answer;
}

Status PostgresJournal::SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                                   const StoredAnswer& answer, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        // Locked, so that an answer is not saved for a user who is being forgotten.
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows account,
                                  connection.Query(kSelectErasedAt, user_key));
        const std::optional<Timestamp> erased_at = account[0].OptionalTime(0);
        if (answer.began_at != Timestamp{} && erased_at && answer.began_at < *erased_at) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_RETURN_IF_ERROR(connection.Run(
            kInsertAnswer, user.tenant, PostgresBytes{idempotency_key}, user_key,
            PostgresBytes{answer.fingerprint}, answer.http_status, PostgresBytes{answer.body}, now,
            now - store_.options().answer_retention.count()));
        return {};
      });
}

}  // namespace umbranet
