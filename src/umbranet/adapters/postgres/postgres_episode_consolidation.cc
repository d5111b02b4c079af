#include "umbranet/adapters/postgres/postgres_episode_consolidation.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "umbranet/adapters/postgres/postgres_accounts.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/base/utf8.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

// Users who hold enough episodes of whatever age, and whom nobody has.
constexpr std::string_view kSelectUsers =
    "SELECT a.user_key, b.user_key FROM account a"
    " JOIN episode_book b ON b.user_key = coalesce(a.memory_key, a.user_key)"
    " LEFT JOIN consolidation_claim k ON k.user_key = a.user_key"
    " WHERE b.user_documents + b.assistant_documents >= $2 AND coalesce(k.until_at, 0) <= $1"
    " ORDER BY coalesce(k.until_at, 0), a.user_key LIMIT $3";
constexpr std::int64_t kUsersLookedAt = 20;

#define UMBRANET_FROM_OLD_EPISODES                                                           \
  " FROM episode e WHERE e.user_key = $1 AND e.occurred_at <= $2"                            \
  " AND NOT EXISTS(SELECT 1 FROM consolidated_source s WHERE s.episode_key = e.episode_key)" \
  " AND NOT EXISTS(SELECT 1 FROM consolidation_left_alone l"                                 \
  " WHERE l.user_key = $5 AND l.memory_id = e.memory_id AND l.until_at > $3)"
constexpr std::string_view kCountOld =
    "SELECT count(*) FROM (SELECT 1" UMBRANET_FROM_OLD_EPISODES " LIMIT $4) o";
constexpr std::string_view kSelectOld =
    "SELECT e.memory_id, e.interaction_id, e.role, e.session_id, e.speaker, e.text, "
    "e.occurred_at" UMBRANET_FROM_OLD_EPISODES
    " ORDER BY e.occurred_at, e.sequence, e.ordinal, e.memory_id LIMIT $4";
// Among which a group is chosen.
constexpr std::int64_t kOldRead = 400;

constexpr std::string_view kSelectAccount =
    "SELECT tenant, user_id FROM account WHERE user_key = $1";

// Nothing when somebody else was faster.
constexpr std::string_view kTakeClaim =
    "INSERT INTO consolidation_claim AS k(user_key, until_at) VALUES($1, $2)"
    " ON CONFLICT(user_key) DO UPDATE SET token = excluded.token, until_at = excluded.until_at"
    " WHERE k.until_at <= $3 RETURNING token";
constexpr std::string_view kLockClaim =
    "SELECT k.user_key FROM consolidation_claim k JOIN account a ON a.user_key = k.user_key"
    " WHERE k.token = $1 AND a.tenant = $2 AND a.user_id = $3 FOR UPDATE OF k";
constexpr std::string_view kEndClaim =
    "UPDATE consolidation_claim SET token = nextval('consolidation_token'), until_at = $2"
    " WHERE user_key = $1";
constexpr std::string_view kDeleteClaim = "DELETE FROM consolidation_claim WHERE user_key = $1";

constexpr std::string_view kLockBook =
    "SELECT user_key FROM episode_book WHERE user_key = $1 FOR UPDATE";
constexpr std::string_view kSelectEpisodes =
    "SELECT e.memory_id, e.episode_key, e.text FROM episode e"
    " WHERE e.user_key = $1 AND e.memory_id = ANY($2)"
    " AND NOT EXISTS(SELECT 1 FROM consolidated_source s WHERE s.episode_key = e.episode_key)"
    " ORDER BY e.episode_key";
constexpr std::string_view kInsertConsolidated =
    "INSERT INTO consolidated_episode(user_key, memory_id, session_id, from_at, until_at, made_at,"
    " model, text, terms) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING consolidated_key";
constexpr std::string_view kInsertSources =
    "INSERT INTO consolidated_source(consolidated_key, place, episode_key)"
    " SELECT $1, n.place, n.episode_key"
    " FROM unnest($2::bigint[]) WITH ORDINALITY AS n(episode_key, place)";

#define UMBRANET_CONSOLIDATED_COLUMNS                                                             \
  "c.memory_id, c.session_id, c.from_at, c.until_at, c.made_at, c.model, c.text, o.ids, o.turns," \
  " o.roles"
#define UMBRANET_JOIN_SOURCES                                                       \
  " CROSS JOIN LATERAL (SELECT array_agg(e.memory_id ORDER BY s.place) AS ids,"     \
  " array_agg(e.interaction_id ORDER BY s.place) AS turns,"                         \
  " array_agg(e.role::bigint ORDER BY s.place) AS roles FROM consolidated_source s" \
  " JOIN episode e ON e.episode_key = s.episode_key"                                \
  " WHERE s.consolidated_key = c.consolidated_key) o"
constexpr std::string_view kFind =
    "WITH best AS (SELECT c.*, m.held FROM account a"
    " JOIN consolidated_episode c ON c.user_key = coalesce(a.memory_key, a.user_key)"
    " CROSS JOIN LATERAL (SELECT count(*) AS held FROM unnest($3::text[]) AS t(term)"
    " WHERE t.term = ANY(c.terms)) m"
    " WHERE a.tenant = $1 AND a.user_id = $2 AND m.held > 0"
    " AND ($4::bigint IS NULL OR c.until_at <= $4)"
    " ORDER BY m.held DESC, c.until_at DESC, c.consolidated_key LIMIT $5)"
    " SELECT " UMBRANET_CONSOLIDATED_COLUMNS " FROM best c" UMBRANET_JOIN_SOURCES
    " ORDER BY c.held DESC, c.until_at DESC, c.consolidated_key";
constexpr std::string_view kSelectPage =
    "SELECT " UMBRANET_CONSOLIDATED_COLUMNS
    " FROM account a JOIN consolidated_episode c"
    " ON c.user_key = coalesce(a.memory_key, a.user_key)" UMBRANET_JOIN_SOURCES
    " WHERE a.tenant = $1 AND a.user_id = $2 AND (c.from_at, c.memory_id) > ($3, $4)"
    " ORDER BY c.from_at, c.memory_id LIMIT $5";
constexpr std::string_view kSelectById =
    "SELECT " UMBRANET_CONSOLIDATED_COLUMNS
    ", a.user_id FROM consolidated_episode c" UMBRANET_JOIN_ACCOUNT_OF("c") UMBRANET_JOIN_SOURCES
    " WHERE c.memory_id = $1 AND a.tenant = $2 AND " UMBRANET_ROW_IS_IN_FORCE("c");
constexpr std::string_view kSelectConsolidatedIn =
    "SELECT e.memory_id, c.memory_id FROM account a"
    " JOIN episode e ON e.user_key = coalesce(a.memory_key, a.user_key)"
    " JOIN consolidated_source s ON s.episode_key = e.episode_key"
    " JOIN consolidated_episode c ON c.consolidated_key = s.consolidated_key"
    " WHERE a.tenant = $1 AND a.user_id = $2 AND e.memory_id = ANY($3) ORDER BY e.episode_key";

constexpr std::string_view kLeaveAlone =
    "INSERT INTO consolidation_left_alone AS l(user_key, memory_id, until_at)"
    " SELECT $1, n.memory_id, $3 FROM unnest($2::text[]) AS n(memory_id)"
    " ON CONFLICT(user_key, memory_id) DO UPDATE"
    " SET until_at = greatest(l.until_at, excluded.until_at)";
// Of a tenant's one, or of all of a user's.
#define UMBRANET_UNDO(condition)                                                        \
  "WITH gone AS (DELETE FROM consolidated_episode c USING account a"                    \
  " WHERE a.tenant = $1 AND " condition                                                 \
  " RETURNING c.consolidated_key, a.user_key),"                                         \
  " left_alone AS (INSERT INTO consolidation_left_alone(user_key, memory_id, until_at)" \
  " SELECT DISTINCT g.user_key, e.memory_id, $3::bigint FROM gone g"                    \
  " JOIN consolidated_source s ON s.consolidated_key = g.consolidated_key"              \
  " JOIN episode e ON e.episode_key = s.episode_key"                                    \
  " ON CONFLICT(user_key, memory_id) DO UPDATE SET until_at = excluded.until_at)"       \
  " SELECT count(*) FROM gone"
constexpr std::string_view kUndo = UMBRANET_UNDO(
    "c.memory_id = $2 AND a.user_key = coalesce((SELECT g.user_key FROM memory_generation g"
    " WHERE g.memory_key = c.user_key), c.user_key)");
constexpr std::string_view kUndoAll =
    UMBRANET_UNDO("a.user_id = $2 AND c.user_key = coalesce(a.memory_key, a.user_key)");
constexpr std::string_view kDeleteOfUser =
    "DELETE FROM consolidated_episode WHERE user_key = ANY($1)";
constexpr std::string_view kDeleteLeftAlone =
    "DELETE FROM consolidation_left_alone WHERE user_key = $1";

// The end of the year 9999, in Unix milliseconds.
constexpr std::int64_t kForEver = 253'402'300'799'000;

// Without those that a column of text cannot hold.
std::vector<std::string> TermsForPostgres(std::vector<std::string> terms) {
  std::erase_if(terms, [](const std::string& term) {
    return term.empty() || !IsValidUtf8(term) || term.find('\0') != std::string::npos;
  });
  return terms;
}

// Columns as in UMBRANET_CONSOLIDATED_COLUMNS.
ConsolidatedEpisode ReadWithSources(const PostgresRow& row, UserKey user) {
  ConsolidatedEpisode episode = ReadConsolidated(row, 0, std::move(user));
  std::vector<std::string> ids = row.Strings(7);
  std::vector<std::string> turns = row.Strings(8);
  const std::vector<std::int64_t> roles = row.Ints(9);
  for (std::size_t i = 0; i < ids.size() && i < turns.size() && i < roles.size(); ++i) {
    episode.sources.push_back(
        {std::move(ids[i]), {std::move(turns[i]), static_cast<Role>(roles[i])}});
  }
  return episode;
}

Result<std::vector<OldEpisode>> SelectGroup(PostgresConnection& connection,
                                            const PostgresMemory& of, std::int64_t before,
                                            std::int64_t now, const ConsolidationGroup& group) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(kSelectOld, of.memory_key, before, now, kOldRead, of.owner_key));
  std::vector<OldEpisode> old;
  for (const PostgresRow row : rows) {
    old.push_back(ReadOldEpisode(row));
  }
  return TakeConsolidationGroup(std::move(old), group);
}

// Takes the user for the claim, or has him looked at later. Nothing: he has too few, or somebody
// else was faster.
Result<std::optional<ConsolidationClaim>> ClaimUser(PostgresConnection& connection,
                                                    const ConsolidationPolicy& policy,
                                                    const PostgresMemory& of, std::int64_t now) {
  const std::int64_t user_key = of.owner_key;
  using Claimed = std::optional<ConsolidationClaim>;
  const auto needed =
      static_cast<std::int64_t>(std::max(policy.episodes_min, policy.group.episodes_min));
  const std::int64_t before = now - policy.age.count();
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows count,
      connection.Query(kCountOld, of.memory_key, before, now, needed, of.owner_key));
  if (count[0].Int(0) < needed) {
    UMBRANET_RETURN_IF_ERROR(
        connection.Run(kTakeClaim, user_key, now + policy.look_again.count(), now));
    return Claimed();
  }
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows taken,
      connection.Query(kTakeClaim, user_key, now + policy.claim.count(), now));
  if (taken.empty()) {
    return Claimed();
  }
  ConsolidationClaim claim;
  claim.token = static_cast<std::uint64_t>(taken[0].Int(0));
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows account, connection.Query(kSelectAccount, user_key));
  if (account.empty()) {
    return Claimed();
  }
  claim.user = {account[0].String(0), account[0].String(1)};
  // After the claim, so that what another process has just saved is seen.
  UMBRANET_ASSIGN_OR_RETURN(claim.episodes, SelectGroup(connection, of, before, now, policy.group));
  if (claim.episodes.empty()) {
    return Claimed();
  }
  return Claimed(std::move(claim));
}

// The user's key, with the claim locked. kAborted: it is void.
Result<std::int64_t> LockClaim(PostgresConnection& connection, const ConsolidationClaim& claim) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(kLockClaim, claim.token, claim.user.tenant, claim.user.user_id));
  if (rows.empty()) {
    return Aborted("postgres: the claim on the user's old episodes is void");
  }
  return rows[0].Int(0);
}

// The keys of the claim's episodes. kAborted: one of them is not what it was.
Result<std::vector<std::int64_t>> CheckEpisodes(PostgresConnection& connection,
                                                const ConsolidationClaim& claim,
                                                std::int64_t user_key) {
  std::vector<std::string> ids;
  for (const OldEpisode& episode : claim.episodes) {
    ids.push_back(episode.memory_id);
  }
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection.Query(kSelectEpisodes, user_key, ids));
  std::unordered_map<std::string, std::pair<std::int64_t, std::string>> found;
  for (const PostgresRow row : rows) {
    found.emplace(row.String(0), std::pair(row.Int(1), row.String(2)));
  }
  std::vector<std::int64_t> keys;
  for (const OldEpisode& episode : claim.episodes) {
    const auto at = found.find(episode.memory_id);
    if (at == found.end() || at->second.second != episode.text) {
      return Aborted("postgres: an episode that was to be consolidated was erased or changed");
    }
    keys.push_back(at->second.first);
  }
  return keys;
}

}  // namespace

Result<std::optional<ConsolidationClaim>> PostgresEpisodeConsolidation::Claim(
    const ConsolidationPolicy& policy, Deadline deadline) {
  using Claimed = std::optional<ConsolidationClaim>;
  const auto needed =
      static_cast<std::int64_t>(std::max(policy.episodes_min, policy.group.episodes_min));
  std::int64_t now = 0;
  std::vector<PostgresMemory> users;
  UMBRANET_RETURN_IF_ERROR(
      store_.pool().Read(deadline, [&](PostgresConnection& connection) -> Status {
        users.clear();
        UMBRANET_ASSIGN_OR_RETURN(now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                                  connection.Query(kSelectUsers, now, needed, kUsersLookedAt));
        for (const PostgresRow row : rows) {
          users.push_back({.memory_key = row.Int(1), .owner_key = row.Int(0)});
        }
        return {};
      }));
  // A transaction each, so that no user is locked while another is counted.
  for (const PostgresMemory& of : users) {
    UMBRANET_ASSIGN_OR_RETURN(
        Claimed claim, store_.pool().Transact(deadline, PostgresIsolation::kReadCommitted,
                                              [&](PostgresConnection& connection) {
                                                return ClaimUser(connection, policy, of, now);
                                              }));
    if (claim) {
      return claim;
    }
  }
  return Claimed();
}

Result<ConsolidatedEpisode> PostgresEpisodeConsolidation::Save(const ConsolidationClaim& claim,
                                                               std::string_view text,
                                                               std::string_view model,
                                                               Deadline deadline) {
  if (claim.episodes.empty()) {
    return InvalidArgument("postgres: a consolidated episode has sources");
  }
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<ConsolidatedEpisode> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t owner_key, LockClaim(connection, claim));
        // Of the generation in force by now: another one may have been put in force since the
        // claim.
        UMBRANET_ASSIGN_OR_RETURN(const auto memory,
                                  FindMemory(connection, claim.user, GenerationState::kInForce));
        const std::int64_t user_key = memory ? memory->memory_key : owner_key;
        UMBRANET_RETURN_IF_ERROR(connection.Query(kLockBook, user_key));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> keys,
                                  CheckEpisodes(connection, claim, user_key));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        ConsolidatedEpisode saved = DraftConsolidation(claim.user, claim.episodes);
        saved.text = text;
        saved.model = model;
        saved.made_at = FromUnixMillis(now);
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows row,
            connection.Query(kInsertConsolidated, user_key, saved.memory_id, saved.session_id,
                             saved.from, saved.until, saved.made_at, saved.model,
                             PostgresBytes{saved.text}, TermsForPostgres(AnalyzeTerms(text))));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertSources, row[0].Int(0), keys));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kEndClaim, owner_key, now));
        return saved;
      });
}

Status PostgresEpisodeConsolidation::PutOff(const ConsolidationClaim& claim,
                                            const ConsolidationRest& rest, Deadline deadline) {
  Status put_off = store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockClaim(connection, claim));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kEndClaim, user_key, now + rest.user.count()));
        if (rest.episodes.count() == 0) {
          return {};
        }
        std::vector<std::string> ids;
        for (const OldEpisode& episode : claim.episodes) {
          ids.push_back(episode.memory_id);
        }
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kLeaveAlone, user_key, ids, now + rest.episodes.count()));
        return {};
      });
  return !put_off.ok() && put_off.error().code == ErrorCode::kAborted ? Status()
                                                                      : std::move(put_off);
}

Result<std::vector<ConsolidatedEpisode>> PostgresEpisodeConsolidation::Find(
    const ConsolidatedQuery& query, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store_.pool().Ask(deadline, kFind, query.user.tenant, query.user.user_id,
                        TermsForPostgres(query.terms), query.as_of, query.limit));
  std::vector<ConsolidatedEpisode> found;
  for (const PostgresRow row : rows) {
    found.push_back(ReadWithSources(row, query.user));
  }
  return found;
}

Result<ConsolidatedPage> PostgresEpisodeConsolidation::List(const UserKey& user,
                                                            std::string_view cursor,
                                                            std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("postgres: unknown cursor");
  }
  // Timestamp::min is out of what a column holds.
  const std::int64_t from =
      cursor.empty() ? std::int64_t{-kForEver} : ToUnixMillis(after->occurred_at);
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            store_.pool().Ask(deadline, kSelectPage, user.tenant, user.user_id,
                                              from, after->memory_id, limit + 1));
  ConsolidatedPage page;
  for (const PostgresRow row : rows) {
    if (page.episodes.size() == limit) {
      const ConsolidatedEpisode& last = page.episodes.back();
      page.next_cursor = FormatCursor({last.from, 0, 0, last.memory_id});
      break;
    }
    page.episodes.push_back(ReadWithSources(row, user));
  }
  return page;
}

Result<std::optional<ConsolidatedEpisode>> PostgresEpisodeConsolidation::Get(
    std::string_view tenant, std::string_view memory_id, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            store_.pool().Ask(deadline, kSelectById, memory_id, tenant));
  if (rows.empty()) {
    return std::optional<ConsolidatedEpisode>();
  }
  return std::optional(ReadWithSources(rows[0], UserKey{std::string(tenant), rows[0].String(10)}));
}

Result<std::map<std::string, std::string>> PostgresEpisodeConsolidation::ConsolidatedIn(
    const UserKey& user, std::span<const std::string> memory_ids, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store_.pool().Ask(deadline, kSelectConsolidatedIn, user.tenant, user.user_id, memory_ids));
  std::map<std::string, std::string> consolidated;
  for (const PostgresRow row : rows) {
    consolidated.emplace(row.String(0), row.String(1));
  }
  return consolidated;
}

Result<bool> PostgresEpisodeConsolidation::Undo(std::string_view tenant, std::string_view memory_id,
                                                Deadline deadline) {
  return store_.pool().Transact(deadline, PostgresIsolation::kReadCommitted,
                                [&](PostgresConnection& connection) -> Result<bool> {
                                  UMBRANET_ASSIGN_OR_RETURN(
                                      const PostgresRows rows,
                                      connection.Query(kUndo, tenant, memory_id, kForEver));
                                  return rows[0].Int(0) > 0;
                                });
}

Result<std::uint64_t> PostgresEpisodeConsolidation::UndoAll(const UserKey& user,
                                                            Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                                  connection.Query(kUndoAll, user.tenant, user.user_id, kForEver));
        return static_cast<std::uint64_t>(rows[0].Int(0));
      });
}

Result<std::uint64_t> PostgresEpisodeConsolidation::EraseUser(const UserKey& user,
                                                              Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(connection, user));
        if (!user_key.has_value()) {
          return std::uint64_t{0};
        }
        // The claim first, as who saves does.
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteClaim, *user_key));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, *user_key));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t erased,
                                  connection.Run(kDeleteOfUser, memories));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteLeftAlone, *user_key));
        return static_cast<std::uint64_t>(erased);
      });
}

}  // namespace umbranet
