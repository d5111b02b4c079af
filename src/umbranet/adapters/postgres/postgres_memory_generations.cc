#include "umbranet/adapters/postgres/postgres_memory_generations.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/ledger_repeat.h"
#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/base/crash_point.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectGenerations =
    "SELECT g.state, g.extractor, g.began_at, g.turns, g.fallbacks,"
    " (SELECT count(*) FROM turn t WHERE t.user_key = g.user_key AND t.seq > g.through_sequence)"
    " FROM account a JOIN memory_generation g ON g.user_key = a.user_key AND g.state IN (0, 2)"
    " WHERE a.tenant = $1 AND a.user_id = $2 ORDER BY g.state";
constexpr std::string_view kSelectOf =
    "SELECT memory_key, extractor, through_sequence FROM memory_generation"
    " WHERE user_key = $1 AND state = $2";
constexpr std::string_view kInsertAnnounced =
    "INSERT INTO memory_generation(user_key, state, extractor, began_at, through_sequence)"
    " VALUES($1, 3, $2, $3, 0) RETURNING memory_key";
constexpr std::string_view kShow =
    "UPDATE memory_generation SET state = 0 WHERE memory_key = $1 AND state = 3 AND NOT EXISTS"
    " (SELECT 1 FROM memory_generation WHERE user_key = $2 AND state = 0)";
constexpr std::string_view kSelectLacking =
    "SELECT t.seq, t.interaction_id, j.job_id, t.past_generation FROM memory_generation g"
    " JOIN turn t ON t.user_key = g.user_key AND t.seq > g.through_sequence"
    " LEFT JOIN job j ON j.seq = t.seq WHERE g.memory_key = $1 ORDER BY t.seq LIMIT $2";
constexpr std::string_view kTake =
    "UPDATE memory_generation SET through_sequence = greatest(through_sequence, $2),"
    " turns = turns + $3, fallbacks = fallbacks + $4 WHERE memory_key = $1 AND state = 0";
// What is in force has every turn that was reflected, and those that are not come later.
constexpr std::string_view kSelectReflectedThrough =
    "SELECT coalesce((SELECT min(seq) - 1 FROM job WHERE user_key = $1 AND state IN (0, 1, 4)"
    " AND interaction_id IS NULL), (SELECT max(seq) FROM turn WHERE user_key = $1), 0)";
constexpr std::string_view kKeep =
    "INSERT INTO memory_generation(memory_key, user_key, state, extractor, began_at,"
    " through_sequence) VALUES($1, $2, $3, '', $4, $5) ON CONFLICT (memory_key) DO UPDATE"
    " SET state = excluded.state, through_sequence = excluded.through_sequence";
constexpr std::string_view kSetState =
    "UPDATE memory_generation SET state = $1 WHERE memory_key = $2";
constexpr std::string_view kPutInForce =
    "UPDATE account SET memory_key = nullif($2::bigint, user_key),"
    " memory_version = memory_version + 1 WHERE user_key = $1";
constexpr std::string_view kForgetTiersDone =
    "UPDATE job SET tiers_done = 0 WHERE user_key = $1 AND seq > $2 AND state IN (0, 1, 3, 4)";
constexpr std::string_view kSelectKept =
    "SELECT memory_key FROM memory_generation WHERE user_key = $1 AND state <> 3"
    " ORDER BY memory_key";
constexpr std::string_view kSelectGone =
    "SELECT memory_key FROM memory_generation WHERE user_key = $1 AND state = 3"
    " ORDER BY memory_key";
constexpr std::string_view kDeleteGeneration =
    "DELETE FROM memory_generation WHERE memory_key = $1 AND state = 3";
constexpr std::string_view kInsertAudit =
    "INSERT INTO audit(at, actor, action, job_id, user_key, reason)"
    " VALUES($1, 'api', $2, '', $3, $4)";

PostgresEpisodicMemory::Options EpisodesOfShadow(PostgresEpisodicMemory::Options options) {
  // Nothing is searched in a shadow but what is known of the things that turns speak of.
  options.cache_bytes_max = 1;
  options.which = GenerationState::kShadow;
  return options;
}

// As tier 3 numbers it: a user's first generation is that of his own key.
std::int64_t NumberOf(std::int64_t memory_key, std::int64_t user_key) {
  return memory_key == user_key ? 0 : memory_key;
}

struct Generation {
  std::int64_t memory_key = 0;
  std::string extractor;
  std::int64_t through_sequence = 0;
};

Result<std::optional<Generation>> FindGeneration(PostgresConnection& connection,
                                                 std::int64_t user_key, GenerationState state) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectOf, user_key, state));
  return rows.empty()
             ? std::nullopt
             : std::optional(Generation{rows[0].Int(0), rows[0].String(1), rows[0].Int(2)});
}

struct Ways {
  GenerationState in;
  GenerationState out;
};

Ways WaysOf(IncomingGeneration incoming) {
  return incoming == IncomingGeneration::kShadow
             ? Ways{GenerationState::kShadow, GenerationState::kFormer}
             : Ways{GenerationState::kFormer, GenerationState::kShadow};
}

// Turns behind that place will be applied to what comes into force: those that are done get another
// job, the others go on with theirs from the start. How many are reflected again.
Result<std::uint64_t> ReflectBehind(PostgresConnection& connection, const UserKey& user,
                                    std::int64_t user_key, std::int64_t through, std::int64_t now) {
  // Whatever a worker holds of this user, it holds of the memory before. Waits for tiers that have
  // checked their lease.
  UMBRANET_RETURN_IF_ERROR(connection.RunAll(std::array{
      ReturnLeasedJobsCommand(user_key), MakeCommand(kForgetTiersDone, user_key, through)}));
  UMBRANET_ASSIGN_OR_RETURN(std::vector<PostgresTurnToRepeat> turns,
                            ReadTurnsToRepeat(connection, user, user_key, through));
  std::erase_if(turns,
                [](const PostgresTurnToRepeat& turn) { return turn.state != JobState::kDone; });
  UMBRANET_RETURN_IF_ERROR(RepeatTurns(connection, user_key, turns, now));
  const auto repeated = static_cast<std::int64_t>(turns.size());
  UMBRANET_RETURN_IF_ERROR(
      connection.RunAll(std::array{EndLeaseCommand(user_key, {.reflected = -repeated})}));
  return std::uint64_t{turns.size()};
}

}  // namespace

PostgresMemoryGenerations::PostgresMemoryGenerations(PostgresLedgerStore& store,
                                                     SemanticGenerations& semantic,
                                                     const Clock& clock,
                                                     PostgresEpisodicMemory::Options episodes)
    : store_(store),
      semantic_(semantic),
      episodic_(store.pool(), EpisodesOfShadow(episodes)),
      procedural_(store.pool(), clock, GenerationState::kShadow) {}

Result<GenerationsOfUser> PostgresMemoryGenerations::Read(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, store_.pool().Ask(deadline, kSelectGenerations,
                                                                       user.tenant, user.user_id));
  GenerationsOfUser generations;
  for (const PostgresRow row : rows) {
    MemoryGeneration generation{.extractor = row.String(1),
                                .began_at = row.Time(2),
                                .turns = static_cast<std::uint64_t>(row.Int(3)),
                                .fallbacks = static_cast<std::uint64_t>(row.Int(4)),
                                .lacking = static_cast<std::uint64_t>(row.Int(5))};
    const auto state = static_cast<GenerationState>(row.Int(0));
    (state == GenerationState::kShadow ? generations.shadow : generations.former) =
        std::move(generation);
  }
  return generations;
}

Result<std::int64_t> PostgresMemoryGenerations::Announce(const UserKey& user,
                                                         std::string_view extractor,
                                                         Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::int64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Generation> shadow,
                                  FindGeneration(connection, user_key, GenerationState::kShadow));
        if (shadow.has_value()) {
          const std::string& by = shadow->extractor;
          if (by == TextForPostgres(extractor)) {
            return std::int64_t{0};
          }
          return FailedPrecondition("rebuild: this user's memory is being worked out anew by " +
                                    (by.empty() ? std::string("what was in force before") : by) +
                                    "; go on with that, swap it in or discard it");
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows made,
            connection.Query(kInsertAnnounced, user_key, TextForPostgres(extractor), now));
        return made[0].Int(0);
      });
}

Status PostgresMemoryGenerations::Begin(const UserKey& user, std::string_view extractor,
                                        Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(RemoveEnded(user, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t memory_key, Announce(user, extractor, deadline));
  if (memory_key == 0) {
    return {};
  }
  UMBRANET_CRASH_POINT("rebuild.after_announce");
  UMBRANET_RETURN_IF_ERROR(semantic_.Prepare(user, memory_key, deadline));
  UMBRANET_CRASH_POINT("rebuild.after_prepare");
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t shown,
                                  connection.Run(kShow, memory_key, user_key));
        return shown == 1 ? Status()
                          : Aborted(
                                "rebuild: another request has begun or discarded a rebuild of"
                                " this user's memory meanwhile");
      });
}

Result<std::vector<LackingTurn>> PostgresMemoryGenerations::Lacking(const UserKey& user,
                                                                    std::size_t limit,
                                                                    Deadline deadline) {
  using Turns = std::vector<LackingTurn>;
  return store_.pool().Snapshot(deadline, [&](PostgresConnection& connection) -> Result<Turns> {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> shadow,
                              FindMemory(connection, user, GenerationState::kShadow));
    if (!shadow.has_value()) {
      return NotBeingRebuilt();
    }
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kSelectLacking, shadow->memory_key, limit));
    Turns turns;
    for (const PostgresRow row : rows) {
      const auto past = static_cast<std::uint32_t>(row.Int(3));
      turns.push_back(
          {row.Int(0), row.IsNull(2) ? MakeJobId(user, row.Text(1), past) : row.String(2)});
    }
    return turns;
  });
}

Status PostgresMemoryGenerations::Took(const UserKey& user, std::int64_t through_sequence,
                                       std::uint64_t turns, std::uint64_t fallbacks,
                                       Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> shadow,
                                  FindMemory(connection, user, GenerationState::kShadow));
        if (!shadow.has_value()) {
          return NotBeingRebuilt();
        }
        UMBRANET_ASSIGN_OR_RETURN(
            const std::int64_t took,
            connection.Run(kTake, shadow->memory_key, through_sequence,
                           static_cast<std::int64_t>(turns), static_cast<std::int64_t>(fallbacks)));
        return took == 1 ? Status() : NotBeingRebuilt();
      });
}

Result<std::int64_t> PostgresMemoryGenerations::MakeRoom(const UserKey& user,
                                                         IncomingGeneration incoming,
                                                         Deadline deadline) {
  const Ways ways = WaysOf(incoming);
  std::int64_t number = 0;
  const Status made_room = store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Generation> comes,
                                  FindGeneration(connection, user_key, ways.in));
        if (!comes.has_value()) {
          return FailedPrecondition(ways.in == GenerationState::kShadow
                                        ? "rebuild: nothing has been worked out anew for this user"
                                        : "rebuild: this user has no former memory to go back to");
        }
        number = NumberOf(comes->memory_key, user_key);
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Generation> goes,
                                  FindGeneration(connection, user_key, ways.out));
        if (goes.has_value()) {
          UMBRANET_RETURN_IF_ERROR(
              connection.Run(kSetState, GenerationState::kGone, goes->memory_key));
        }
        return {};
      });
  UMBRANET_RETURN_IF_ERROR(made_room);
  UMBRANET_CRASH_POINT("rebuild.after_room");
  UMBRANET_RETURN_IF_ERROR(RemoveEnded(user, deadline));
  return number;
}

Result<std::uint64_t> PostgresMemoryGenerations::Swap(const UserKey& user,
                                                      IncomingGeneration incoming,
                                                      Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t number, MakeRoom(user, incoming, deadline));
  UMBRANET_RETURN_IF_ERROR(semantic_.Align(user, number, deadline));
  UMBRANET_CRASH_POINT("rebuild.after_align");
  Result<std::uint64_t> repeated = Turn(user, incoming, number, deadline);
  UMBRANET_CRASH_POINT_PASSED("rebuild.after_swap");
  return repeated;
}

Result<std::uint64_t> PostgresMemoryGenerations::Turn(const UserKey& user,
                                                      IncomingGeneration incoming,
                                                      std::int64_t number, Deadline deadline) {
  const Ways ways = WaysOf(incoming);
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Generation> comes,
                                  FindGeneration(connection, user_key, ways.in));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Generation> in_the_way,
                                  FindGeneration(connection, user_key, ways.out));
        if (!comes.has_value() || NumberOf(comes->memory_key, user_key) != number ||
            in_the_way.has_value()) {
          return NotBeingRebuilt();  // Forgotten since, or another request was quicker.
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> goes,
                                  FindMemory(connection, user, GenerationState::kInForce));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now, store_.Now(connection));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows reflected,
                                  connection.Query(kSelectReflectedThrough, user_key));
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(std::array{
            MakeCommand(kKeep, goes->memory_key, user_key, ways.out, now, reflected[0].Int(0)),
            MakeCommand(kSetState, GenerationState::kInForce, comes->memory_key),
            MakeCommand(kPutInForce, user_key, comes->memory_key)}));
        UMBRANET_ASSIGN_OR_RETURN(
            const std::uint64_t repeated,
            ReflectBehind(connection, user, user_key, comes->through_sequence, now));
        const std::string_view action =
            incoming == IncomingGeneration::kShadow ? "rebuild-swap" : "rebuild-back";
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kInsertAudit, now, action, user_key,
                           std::to_string(repeated) + " turns to reflect again"));
        return repeated;
      });
}

Result<std::uint64_t> PostgresMemoryGenerations::Discard(const UserKey& user, Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) { return EndOtherMemories(connection, user); }));
  return RemoveEnded(user, deadline);
}

Result<std::uint64_t> PostgresMemoryGenerations::RemoveEnded(const UserKey& user,
                                                             Deadline deadline) {
  std::vector<std::int64_t> gone;
  std::vector<std::int64_t> kept;
  UMBRANET_RETURN_IF_ERROR(
      store_.pool().Snapshot(deadline, [&](PostgresConnection& connection) -> Status {
        gone.clear();
        kept.clear();
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        if (!in_force.has_value()) {
          return {};
        }
        const std::int64_t user_key = in_force->owner_key;
        kept.push_back(NumberOf(in_force->memory_key, user_key));
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows others,
                                  connection.Query(kSelectKept, user_key));
        for (const PostgresRow row : others) {
          kept.push_back(NumberOf(row.Int(0), user_key));
        }
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows ended,
                                  connection.Query(kSelectGone, user_key));
        for (const PostgresRow row : ended) {
          gone.push_back(row.Int(0));
        }
        return {};
      }));
  if (kept.empty()) {
    return std::uint64_t{0};
  }
  // Also what this database knows nothing of: it may have been restored from a copy.
  UMBRANET_RETURN_IF_ERROR(semantic_.Retain(user, kept, deadline));
  if (gone.empty()) {
    return std::uint64_t{0};
  }
  UMBRANET_CRASH_POINT("rebuild.after_retain");
  for (const std::int64_t key : gone) {
    UMBRANET_RETURN_IF_ERROR(episodic_.EraseMemory(key, deadline));
    UMBRANET_RETURN_IF_ERROR(procedural_.EraseMemory(key, deadline));
    const Status deleted = store_.pool().Transact(
        deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteGeneration, key));
          return {};
        });
    UMBRANET_RETURN_IF_ERROR(deleted);
  }
  return std::uint64_t{gone.size()};
}

}  // namespace umbranet
