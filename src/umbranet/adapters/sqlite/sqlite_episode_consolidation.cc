#include "umbranet/adapters/sqlite/sqlite_episode_consolidation.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

// Users whose memory in force holds enough episodes of whatever age, and whom nobody has.
constexpr std::string_view kSelectUsers =
    "SELECT c.user_key, coalesce(g.user_key, c.user_key) FROM corpus c"
    " LEFT JOIN memory_generation g ON g.memory_key = c.user_key"
    " LEFT JOIN consolidation_claim k ON k.user_key = coalesce(g.user_key, c.user_key)"
    " WHERE c.kind IN (0, 1) AND " UMBRANET_STATE_OF_MEMORY
    " = 1 AND coalesce(k.until_at, 0) <= ?1"
    " GROUP BY c.user_key HAVING sum(c.documents) >= ?2"
    " ORDER BY coalesce(k.until_at, 0), c.user_key LIMIT ?3";
constexpr std::int64_t kUsersLookedAt = 20;

#define UMBRANET_FROM_OLD_EPISODES                                                           \
  " FROM episode e WHERE e.user_key = ?1 AND e.occurred_at <= ?2"                            \
  " AND NOT EXISTS(SELECT 1 FROM consolidated_source s WHERE s.episode_key = e.episode_key)" \
  " AND NOT EXISTS(SELECT 1 FROM consolidation_left_alone l"                                 \
  " WHERE l.user_key = ?3 AND l.memory_id = e.memory_id AND l.until_at > ?4)"
constexpr std::string_view kCountOld =
    "SELECT count(*) FROM (SELECT 1" UMBRANET_FROM_OLD_EPISODES " LIMIT ?5)";
constexpr std::string_view kSelectOld =
    "SELECT e.memory_id, e.interaction_id, e.role, (SELECT s.session_id FROM episode_session s"
    " WHERE s.session_key = e.session_key), e.speaker, e.text, "
    "e.occurred_at" UMBRANET_FROM_OLD_EPISODES
    " ORDER BY e.occurred_at, e.sequence, e.ordinal, e.memory_id LIMIT ?5";
// Among which a group is chosen.
constexpr std::int64_t kOldRead = 400;

constexpr std::string_view kIsClaimed =
    "SELECT 1 FROM consolidation_claim WHERE user_key = ? AND until_at > ?";
// Its key is a new one, so that of a claim before it is void.
constexpr std::string_view kPutClaim =
    "INSERT OR REPLACE INTO consolidation_claim(user_key, until_at, held) VALUES(?, ?, ?)";
constexpr std::string_view kEndHeldClaims =
    "UPDATE consolidation_claim SET until_at = 0 WHERE held = 1";
constexpr std::string_view kHoldsClaim =
    "SELECT 1 FROM consolidation_claim WHERE claim_key = ? AND user_key = ?";
constexpr std::string_view kDeleteClaim = "DELETE FROM consolidation_claim WHERE user_key = ?";

constexpr std::string_view kSelectSource =
    "SELECT e.episode_key, e.text, s.consolidated_key FROM episode e"
    " LEFT JOIN consolidated_source s ON s.episode_key = e.episode_key"
    " WHERE e.memory_id = ? AND e.user_key = ?";
constexpr std::string_view kInsertConsolidated =
    "INSERT INTO consolidated_episode(user_key, memory_id, session_id, from_at, until_at, made_at,"
    " model, text, terms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kInsertSource =
    "INSERT INTO consolidated_source(consolidated_key, place, episode_key) VALUES(?, ?, ?)";

#define UMBRANET_CONSOLIDATED_COLUMNS                                                         \
  "c.consolidated_key, c.memory_id, c.session_id, c.from_at, c.until_at, c.made_at, c.model," \
  " c.text"
constexpr std::string_view kSelectByKey =
    "SELECT " UMBRANET_CONSOLIDATED_COLUMNS
    " FROM consolidated_episode c WHERE c.consolidated_key = ?";
constexpr std::string_view kSelectPage =
    "SELECT " UMBRANET_CONSOLIDATED_COLUMNS
    " FROM consolidated_episode c WHERE c.user_key = ? AND (c.from_at, c.memory_id) > (?, ?)"
    " ORDER BY c.from_at, c.memory_id LIMIT ?";
constexpr std::string_view kSelectById =
    "SELECT " UMBRANET_CONSOLIDATED_COLUMNS
    ", a.user_id FROM consolidated_episode c" UMBRANET_JOIN_OWNER(
        "c") " WHERE c.memory_id = ? AND a.tenant = ? AND " UMBRANET_STATE_OF_MEMORY " = 1";
constexpr std::string_view kSelectInAllMemories =
    "SELECT c.consolidated_key, a.user_key FROM consolidated_episode c" UMBRANET_JOIN_OWNER(
        "c") " WHERE c.memory_id = ? AND a.tenant = ? ORDER BY c.consolidated_key";
constexpr std::string_view kSelectIds =
    "SELECT memory_id FROM consolidated_episode WHERE user_key = ? ORDER BY from_at, memory_id";
constexpr std::string_view kSelectSources =
    "SELECT e.memory_id, e.interaction_id, e.role FROM consolidated_source s"
    " JOIN episode e ON e.episode_key = s.episode_key WHERE s.consolidated_key = ? ORDER BY "
    "s.place";
constexpr std::string_view kSelectTerms =
    "SELECT consolidated_key, until_at, terms FROM consolidated_episode WHERE user_key = ?"
    " ORDER BY consolidated_key";
constexpr std::string_view kSelectConsolidatedIn =
    "SELECT c.memory_id FROM episode e JOIN consolidated_source s ON s.episode_key = e.episode_key"
    " JOIN consolidated_episode c ON c.consolidated_key = s.consolidated_key"
    " WHERE e.memory_id = ? AND e.user_key = ?";

constexpr std::string_view kLeaveSourcesAlone =
    "INSERT INTO consolidation_left_alone(user_key, memory_id, until_at)"
    " SELECT ?1, e.memory_id, ?2 FROM consolidated_source s"
    " JOIN episode e ON e.episode_key = s.episode_key WHERE s.consolidated_key = ?3"
    " ON CONFLICT(user_key, memory_id) DO UPDATE SET until_at = max(until_at, excluded.until_at)";
constexpr std::string_view kLeaveAlone =
    "INSERT INTO consolidation_left_alone(user_key, memory_id, until_at) VALUES(?, ?, ?)"
    " ON CONFLICT(user_key, memory_id) DO UPDATE SET until_at = max(until_at, excluded.until_at)";
constexpr std::string_view kDeleteConsolidated =
    "DELETE FROM consolidated_episode WHERE consolidated_key = ?";
constexpr std::string_view kDeleteOfMemory = "DELETE FROM consolidated_episode WHERE user_key = ?";
constexpr std::string_view kDeleteLeftAlone =
    "DELETE FROM consolidation_left_alone WHERE user_key = ?";

// The end of the year 9999, in Unix milliseconds.
constexpr std::int64_t kForEver = 253'402'300'799'000;

struct Candidate {
  std::int64_t memory_key = 0;
  std::int64_t owner_key = 0;
};

struct Chosen {
  std::vector<Candidate> too_few;  // Before the one that was chosen.
  std::optional<Candidate> candidate;
  ConsolidationClaim claim;
};

Status ReadSources(SqliteConnection& connection, std::int64_t key, ConsolidatedEpisode& episode) {
  SqliteStatement rows = connection.Prepare(kSelectSources);
  rows.BindAll(key);
  while (rows.Step()) {
    episode.sources.push_back({rows.String(0), {rows.String(1), static_cast<Role>(rows.Int(2))}});
  }
  return rows.status();
}

Result<std::vector<Candidate>> SelectUsers(SqliteConnection& connection, std::int64_t now,
                                           std::size_t needed) {
  std::vector<Candidate> users;
  SqliteStatement rows = connection.Prepare(kSelectUsers);
  rows.BindAll(now, needed, kUsersLookedAt);
  while (rows.Step()) {
    users.push_back({rows.Int(0), rows.Int(1)});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return users;
}

Result<std::vector<OldEpisode>> SelectGroup(SqliteConnection& connection, const Candidate& of,
                                            std::int64_t before, std::int64_t now,
                                            const ConsolidationGroup& group) {
  std::vector<OldEpisode> old;
  SqliteStatement rows = connection.Prepare(kSelectOld);
  rows.BindAll(of.memory_key, before, of.owner_key, now, kOldRead);
  while (rows.Step()) {
    old.push_back(ReadOldEpisode(rows));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return TakeConsolidationGroup(std::move(old), group);
}

// Counting takes its time, so it is a reader who chooses; the claim is then made on condition.
Result<Chosen> Choose(SqliteConnection& connection, const ConsolidationPolicy& policy,
                      std::int64_t now) {
  const std::size_t needed = std::max(policy.episodes_min, policy.group.episodes_min);
  const std::int64_t before = now - policy.age.count();
  Chosen chosen;
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Candidate> users,
                            SelectUsers(connection, now, needed));
  for (const Candidate& user : users) {
    SqliteStatement count = connection.Prepare(kCountOld);
    count.BindAll(user.memory_key, before, user.owner_key, now, needed);
    const bool enough = count.Step() && count.Int(0) >= static_cast<std::int64_t>(needed);
    UMBRANET_RETURN_IF_ERROR(count.status());
    if (enough) {
      UMBRANET_ASSIGN_OR_RETURN(chosen.claim.episodes,
                                SelectGroup(connection, user, before, now, policy.group));
      UMBRANET_ASSIGN_OR_RETURN(chosen.claim.user, ReadAccount(connection, user.owner_key));
      chosen.candidate = user;
      return chosen;
    }
    chosen.too_few.push_back(user);
  }
  return chosen;
}

Result<bool> HasRow(SqliteStatement row) {
  const bool is_there = row.Step();
  UMBRANET_RETURN_IF_ERROR(row.status());
  return is_there;
}

template <typename... Values>
Result<bool> Exists(SqliteConnection& connection, std::string_view sql, const Values&... values) {
  SqliteStatement row = connection.Prepare(sql);
  row.BindAll(values...);
  return HasRow(std::move(row));
}

Status RestUnlessClaimed(SqliteConnection& connection, std::int64_t owner_key, std::int64_t now,
                         Millis rest) {
  UMBRANET_ASSIGN_OR_RETURN(const bool claimed, Exists(connection, kIsClaimed, owner_key, now));
  return claimed ? Status() : connection.Run(kPutClaim, owner_key, now + rest.count(), false);
}

// The owner's key. kAborted: the claim is void.
Result<std::int64_t> CheckClaim(SqliteConnection& connection, const ConsolidationClaim& claim) {
  UMBRANET_ASSIGN_OR_RETURN(const auto owner_key, FindAccount(connection, claim.user));
  bool holds = false;
  if (owner_key.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(holds, Exists(connection, kHoldsClaim, claim.token, *owner_key));
  }
  if (!holds) {
    return Aborted("sqlite: the claim on the user's old episodes is void");
  }
  return *owner_key;
}

// The keys of the claim's episodes. kAborted: one of them is not what it was.
Result<std::vector<std::int64_t>> CheckEpisodes(SqliteConnection& connection,
                                                const ConsolidationClaim& claim,
                                                std::int64_t memory_key) {
  std::vector<std::int64_t> keys;
  for (const OldEpisode& episode : claim.episodes) {
    SqliteStatement row = connection.Prepare(kSelectSource);
    row.BindAll(episode.memory_id, memory_key);
    const bool same = row.Step() && row.Text(1) == episode.text && row.IsNull(2);
    const std::int64_t key = same ? row.Int(0) : 0;
    UMBRANET_RETURN_IF_ERROR(row.status());
    if (!same) {
      return Aborted("sqlite: an episode that was to be consolidated was erased or changed");
    }
    keys.push_back(key);
  }
  return keys;
}

Result<std::vector<std::string>> SelectIds(SqliteConnection& connection, std::int64_t memory_key) {
  std::vector<std::string> ids;
  SqliteStatement rows = connection.Prepare(kSelectIds);
  rows.BindAll(memory_key);
  while (rows.Step()) {
    ids.push_back(rows.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return ids;
}

Result<bool> UndoOne(SqliteConnection& connection, std::string_view tenant,
                     std::string_view memory_id) {
  std::vector<std::pair<std::int64_t, std::int64_t>> found;
  {
    SqliteStatement rows = connection.Prepare(kSelectInAllMemories);
    rows.BindAll(memory_id, tenant);
    while (rows.Step()) {
      found.emplace_back(rows.Int(0), rows.Int(1));
    }
    UMBRANET_RETURN_IF_ERROR(rows.status());
  }
  for (const auto& [key, owner_key] : found) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaveSourcesAlone, owner_key, kForEver, key));
    UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteConsolidated, key));
  }
  return !found.empty();
}

// The keys of the best for the query.
Result<std::vector<std::int64_t>> BestKeys(SqliteConnection& connection, std::int64_t memory_key,
                                           const ConsolidatedQuery& query) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>> found;  // Best first by value.
  SqliteStatement rows = connection.Prepare(kSelectTerms);
  rows.BindAll(memory_key);
  while (rows.Step()) {
    if (query.as_of && rows.Time(1) > *query.as_of) {
      continue;
    }
    const std::string held = " " + rows.String(2) + " ";
    const auto matches =
        std::count_if(query.terms.begin(), query.terms.end(), [&held](const std::string& term) {
          return !term.empty() && held.find(" " + term + " ") != std::string::npos;
        });
    if (matches > 0) {
      found.emplace_back(-matches, -rows.Int(1), rows.Int(0));
    }
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  std::sort(found.begin(), found.end());
  found.resize(std::min(found.size(), query.limit));
  std::vector<std::int64_t> keys;
  keys.reserve(found.size());
  for (const auto& each : found) {
    keys.push_back(std::get<2>(each));
  }
  return keys;
}

}  // namespace

Status SqliteEpisodeConsolidation::EndClaimsOfTheDead(Deadline deadline) {
  // Whoever comes meanwhile waits, or his claim would be taken for one of the dead.
  const MutexLock lock(mutex_);
  if (dead_are_gone_) {
    return {};
  }
  UMBRANET_RETURN_IF_ERROR(store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [](SqliteConnection& connection) { return connection.Run(kEndHeldClaims); }, deadline));
  dead_are_gone_ = true;
  return {};
}

Result<std::optional<ConsolidationClaim>> SqliteEpisodeConsolidation::Claim(
    const ConsolidationPolicy& policy, Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(EndClaimsOfTheDead(deadline));
  const std::int64_t now = store_.Now();
  Chosen chosen;
  {
    UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
    UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
    UMBRANET_ASSIGN_OR_RETURN(chosen, Choose(*reader, policy, now));
  }
  if (!chosen.candidate && chosen.too_few.empty()) {
    return std::optional<ConsolidationClaim>();
  }
  std::uint64_t token = 0;
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        token = 0;
        for (const Candidate& user : chosen.too_few) {
          UMBRANET_RETURN_IF_ERROR(
              RestUnlessClaimed(connection, user.owner_key, now, policy.look_again));
        }
        if (!chosen.candidate) {
          return {};
        }
        const std::int64_t owner_key = chosen.candidate->owner_key;
        UMBRANET_ASSIGN_OR_RETURN(const bool claimed,
                                  Exists(connection, kIsClaimed, owner_key, now));
        if (!claimed) {
          UMBRANET_RETURN_IF_ERROR(
              connection.Run(kPutClaim, owner_key, now + policy.claim.count(), true));
          token = static_cast<std::uint64_t>(connection.LastInsertRowid());
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  if (token == 0) {
    return std::optional<ConsolidationClaim>();
  }
  chosen.claim.token = token;
  return std::optional(std::move(chosen.claim));
}

Result<ConsolidatedEpisode> SqliteEpisodeConsolidation::Save(const ConsolidationClaim& claim,
                                                             std::string_view text,
                                                             std::string_view model,
                                                             Deadline deadline) {
  if (claim.episodes.empty()) {
    return InvalidArgument("sqlite: a consolidated episode has sources");
  }
  ConsolidatedEpisode saved = DraftConsolidation(claim.user, claim.episodes);
  saved.text = text;
  saved.model = model;
  const std::int64_t now = store_.Now();
  saved.made_at = FromUnixMillis(now);
  const std::string terms = JoinTerms(AnalyzeTerms(text));
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t owner_key, CheckClaim(connection, claim));
        UMBRANET_ASSIGN_OR_RETURN(const auto memory_key,
                                  FindMemory(connection, claim.user, GenerationState::kInForce));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> keys,
                                  CheckEpisodes(connection, claim, memory_key.value_or(owner_key)));
        UMBRANET_RETURN_IF_ERROR(connection.Run(
            kInsertConsolidated, memory_key.value_or(owner_key), saved.memory_id, saved.session_id,
            saved.from, saved.until, saved.made_at, saved.model, saved.text, terms));
        const std::int64_t key = connection.LastInsertRowid();
        std::int64_t place = 0;
        for (const std::int64_t episode_key : keys) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertSource, key, place++, episode_key));
        }
        return connection.Run(kPutClaim, owner_key, now, false);
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return saved;
}

Status SqliteEpisodeConsolidation::PutOff(const ConsolidationClaim& claim,
                                          const ConsolidationRest& rest, Deadline deadline) {
  const std::int64_t now = store_.Now();
  Status put_off = store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t owner_key, CheckClaim(connection, claim));
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kPutClaim, owner_key, now + rest.user.count(), false));
        if (rest.episodes.count() == 0) {
          return {};
        }
        for (const OldEpisode& episode : claim.episodes) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaveAlone, owner_key, episode.memory_id,
                                                  now + rest.episodes.count()));
        }
        return {};
      },
      deadline);
  return !put_off.ok() && put_off.error().code == ErrorCode::kAborted ? Status()
                                                                      : std::move(put_off);
}

Result<std::vector<ConsolidatedEpisode>> SqliteEpisodeConsolidation::Find(
    const ConsolidatedQuery& query, Deadline deadline) {
  std::vector<ConsolidatedEpisode> found;
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const auto memory_key,
                            FindMemory(*reader, query.user, GenerationState::kInForce));
  if (!memory_key.has_value()) {
    return found;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> keys,
                            BestKeys(*reader, *memory_key, query));
  for (const std::int64_t key : keys) {
    SqliteStatement row = reader->Prepare(kSelectByKey);
    row.BindAll(key);
    if (row.Step()) {
      found.push_back(ReadConsolidated(row, 1, query.user));
      UMBRANET_RETURN_IF_ERROR(ReadSources(*reader, key, found.back()));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  return found;
}

Result<ConsolidatedPage> SqliteEpisodeConsolidation::List(const UserKey& user,
                                                          std::string_view cursor,
                                                          std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("sqlite: unknown cursor");
  }
  ConsolidatedPage page;
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const auto memory_key,
                            FindMemory(*reader, user, GenerationState::kInForce));
  if (!memory_key.has_value()) {
    return page;
  }
  SqliteStatement rows = reader->Prepare(kSelectPage);
  rows.BindAll(*memory_key, after->occurred_at, after->memory_id, limit + 1);
  while (rows.Step()) {
    if (page.episodes.size() == limit) {
      const ConsolidatedEpisode& last = page.episodes.back();
      page.next_cursor = FormatCursor({last.from, 0, 0, last.memory_id});
      break;
    }
    page.episodes.push_back(ReadConsolidated(rows, 1, user));
    UMBRANET_RETURN_IF_ERROR(ReadSources(*reader, rows.Int(0), page.episodes.back()));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return page;
}

Result<std::optional<ConsolidatedEpisode>> SqliteEpisodeConsolidation::Get(
    std::string_view tenant, std::string_view memory_id, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  std::optional<ConsolidatedEpisode> found;
  SqliteStatement row = reader->Prepare(kSelectById);
  row.BindAll(memory_id, tenant);
  if (row.Step()) {
    found = ReadConsolidated(row, 1, {std::string(tenant), row.String(8)});
    UMBRANET_RETURN_IF_ERROR(ReadSources(*reader, row.Int(0), *found));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return found;
}

Result<std::map<std::string, std::string>> SqliteEpisodeConsolidation::ConsolidatedIn(
    const UserKey& user, std::span<const std::string> memory_ids, Deadline deadline) {
  std::map<std::string, std::string> consolidated;
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const auto memory_key,
                            FindMemory(*reader, user, GenerationState::kInForce));
  for (const std::string& memory_id : memory_ids) {
    SqliteStatement row = reader->Prepare(kSelectConsolidatedIn);
    row.BindAll(memory_id, memory_key.value_or(0));
    if (row.Step()) {
      consolidated.emplace(memory_id, row.String(0));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  return consolidated;
}

Result<bool> SqliteEpisodeConsolidation::Undo(std::string_view tenant, std::string_view memory_id,
                                              Deadline deadline) {
  bool undone = false;
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(undone, UndoOne(connection, tenant, memory_id));
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return undone;
}

Result<std::uint64_t> SqliteEpisodeConsolidation::UndoAll(const UserKey& user, Deadline deadline) {
  std::uint64_t undone = 0;
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        undone = 0;
        UMBRANET_ASSIGN_OR_RETURN(const auto memory_key,
                                  FindMemory(connection, user, GenerationState::kInForce));
        if (!memory_key.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                                  SelectIds(connection, *memory_key));
        for (const std::string& memory_id : ids) {
          UMBRANET_ASSIGN_OR_RETURN(const bool is_there,
                                    UndoOne(connection, user.tenant, memory_id));
          undone += is_there ? 1 : 0;
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return undone;
}

Result<std::uint64_t> SqliteEpisodeConsolidation::EraseUser(const UserKey& user,
                                                            Deadline deadline) {
  std::uint64_t erased = 0;
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        erased = 0;
        UMBRANET_ASSIGN_OR_RETURN(const auto owner_key, FindAccount(connection, user));
        if (!owner_key.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const auto in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, user));
        for (const std::int64_t memory_key : memories) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteOfMemory, memory_key));
          erased += memory_key == in_force ? static_cast<std::uint64_t>(connection.Changes()) : 0;
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteLeftAlone, *owner_key));
        return connection.Run(kDeleteClaim, *owner_key);
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return erased;
}

}  // namespace umbranet
