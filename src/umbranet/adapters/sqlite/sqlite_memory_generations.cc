#include "umbranet/adapters/sqlite/sqlite_memory_generations.h"

#include <optional>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/ledger_repeat.h"
#include "umbranet/adapters/sqlite/ledger_rows.h"
#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"

namespace umbranet {
namespace {

using Lane = SqliteDatabase::Lane;

constexpr std::string_view kSelectGenerations =
    "SELECT g.state, g.extractor, g.began_at, g.turns, g.fallbacks,"
    " (SELECT count(*) FROM turn t WHERE t.user_key = g.user_key AND t.seq > g.through_sequence)"
    " FROM memory_generation g WHERE g.user_key = ? AND g.state IN (0, 2) ORDER BY g.state";
constexpr std::string_view kSelectExtractor =
    "SELECT extractor FROM memory_generation WHERE memory_key = ?";
constexpr std::string_view kInsertShadow =
    "INSERT INTO memory_generation(user_key, state, extractor, began_at, through_sequence)"
    " VALUES(?, 0, ?, ?, 0)";
// What an owner parted stays apart: the next generation begins with it.
constexpr std::string_view kCopyPartings =
    "INSERT INTO entity_merge(user_key, name, other, interaction_id, occurred_at, sequence,"
    " recorded_at, last_sequence, parted_at, parted_through)"
    " SELECT ?1, name, other, interaction_id, occurred_at, sequence, recorded_at, parted_through,"
    " parted_at, parted_through FROM entity_merge WHERE user_key = ?2"
    " AND parted_through IS NOT NULL";
constexpr std::string_view kSelectLacking =
    "SELECT t.seq, t.interaction_id, j.job_id, t.past_generation FROM memory_generation g"
    " JOIN turn t ON t.user_key = g.user_key AND t.seq > g.through_sequence"
    " LEFT JOIN job j ON j.seq = t.seq WHERE g.memory_key = ? ORDER BY t.seq LIMIT ?";
constexpr std::string_view kTake =
    "UPDATE memory_generation SET through_sequence = max(through_sequence, ?2),"
    " turns = turns + ?3, fallbacks = fallbacks + ?4 WHERE memory_key = ?1";
constexpr std::string_view kSelectThrough =
    "SELECT through_sequence FROM memory_generation WHERE memory_key = ?";
// What is in force has every turn that was reflected, and those that are not come later.
constexpr std::string_view kSelectReflectedThrough =
    "SELECT coalesce((SELECT min(seq) - 1 FROM job WHERE user_key = ?1 AND state IN (0, 1, 4)"
    " AND interaction_id IS NULL),"
    " (SELECT max(seq) FROM turn WHERE user_key = ?1), 0)";
constexpr std::string_view kKeep =
    "INSERT INTO memory_generation(memory_key, user_key, state, extractor, began_at,"
    " through_sequence) VALUES(?1, ?2, ?3, '', ?4, ?5) ON CONFLICT(memory_key) DO UPDATE"
    " SET state = excluded.state, through_sequence = excluded.through_sequence";
constexpr std::string_view kSetState =
    "UPDATE memory_generation SET state = ? WHERE memory_key = ?";
constexpr std::string_view kForgetTiersDone =
    "UPDATE job SET tiers_done = 0 WHERE user_key = ? AND seq > ? AND state IN (0, 1, 3, 4)";
constexpr std::string_view kSelectGone =
    "SELECT memory_key FROM memory_generation WHERE user_key = ? AND state = ?"
    " ORDER BY memory_key";
constexpr std::string_view kDeleteGeneration =
    "DELETE FROM memory_generation WHERE memory_key = ? AND state = 3";
constexpr std::string_view kInsertAudit =
    "INSERT INTO audit(at, actor, action, job_id, user_key, reason) VALUES(?, 'api', ?, '', ?, ?)";

// Nothing is searched in a shadow but what is known of the things that turns speak of.
SqliteEpisodicMemory::Options EpisodesOfShadow() {
  SqliteEpisodicMemory::Options options;
  options.cache_bytes_max = 1;
  options.cached_documents_max = 0;
  options.which = GenerationState::kShadow;
  return options;
}

SqliteSemanticMemory::Options FactsOfShadow() {
  SqliteSemanticMemory::Options options;
  options.cached_facts_of_user_max = 0;
  options.which = GenerationState::kShadow;
  return options;
}

Error NotBeingRebuilt() {
  return Aborted("sqlite: the user's memory is not being worked out anew any more");
}

Result<std::int64_t> ReadNumber(SqliteConnection& connection, std::string_view sql,
                                std::int64_t key) {
  SqliteStatement row = connection.Prepare(sql);
  row.BindAll(key);
  const std::int64_t number = row.Step() ? row.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return number;
}

// Turns behind that place will be applied to what comes into force: those that are done get another
// job, the others go on with theirs from the start. How many are reflected again.
Result<std::uint64_t> ReflectBehind(SqliteConnection& connection, const UserKey& user,
                                    std::int64_t user_key, std::int64_t through, std::int64_t now) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<TurnToRepeat> turns,
                            ReadTurnsToRepeat(connection, user_key, through));
  std::int64_t repeated = 0;
  for (const TurnToRepeat& turn : turns) {
    if (turn.state == JobState::kDone) {
      UMBRANET_RETURN_IF_ERROR(RepeatTurn(connection, user, user_key, turn, now));
      ++repeated;
    }
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kForgetTiersDone, user_key, through));
  // Whatever a worker holds of this user, it holds of the memory before.
  UMBRANET_RETURN_IF_ERROR(ReturnLeasedJobs(connection, user_key));
  UMBRANET_RETURN_IF_ERROR(CountTurns(connection, user_key, 0, {.reflected = -repeated}));
  return static_cast<std::uint64_t>(repeated);
}

}  // namespace

SqliteMemoryGenerations::SqliteMemoryGenerations(SqliteLedgerStore& store)
    : store_(store),
      episodic_(store.database(), EpisodesOfShadow()),
      semantic_(store.database(), FactsOfShadow()),
      procedural_(store.database(), GenerationState::kShadow) {}

Result<GenerationsOfUser> SqliteMemoryGenerations::Read(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  GenerationsOfUser generations;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
  if (!user_key.has_value()) {
    return generations;
  }
  SqliteStatement rows = reader->Prepare(kSelectGenerations);
  rows.BindAll(*user_key);
  while (rows.Step()) {
    MemoryGeneration generation{.extractor = rows.String(1),
                                .began_at = rows.Time(2),
                                .turns = static_cast<std::uint64_t>(rows.Int(3)),
                                .fallbacks = static_cast<std::uint64_t>(rows.Int(4)),
                                .lacking = static_cast<std::uint64_t>(rows.Int(5))};
    const auto state = static_cast<GenerationState>(rows.Int(0));
    (state == GenerationState::kShadow ? generations.shadow : generations.former) =
        std::move(generation);
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return generations;
}

Status SqliteMemoryGenerations::Begin(const UserKey& user, std::string_view extractor,
                                      Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::uint64_t removed,
                            RemoveEnded(user, deadline));
  return store_.database().Write(
      Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> shadow,
                                  FindMemory(connection, user, GenerationState::kShadow));
        if (shadow.has_value()) {
          SqliteStatement row = connection.Prepare(kSelectExtractor);
          row.BindAll(*shadow);
          const std::string by = row.Step() ? row.String(0) : std::string();
          UMBRANET_RETURN_IF_ERROR(row.status());
          if (by == extractor) {
            return {};
          }
          return FailedPrecondition("rebuild: this user's memory is being worked out anew by " +
                                    (by.empty() ? std::string("what was in force before") : by) +
                                    "; go on with that, swap it in or discard it");
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t in_force, InternMemory(connection, user));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertShadow, user_key, extractor, store_.Now()));
        return connection.Run(kCopyPartings, connection.LastInsertRowid(), in_force);
      },
      deadline);
}

Result<std::vector<LackingTurn>> SqliteMemoryGenerations::Lacking(const UserKey& user,
                                                                  std::size_t limit,
                                                                  Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> shadow,
                            FindMemory(*reader, user, GenerationState::kShadow));
  if (!shadow.has_value()) {
    return NotBeingRebuilt();
  }
  std::vector<LackingTurn> turns;
  SqliteStatement rows = reader->Prepare(kSelectLacking);
  rows.BindAll(*shadow, limit);
  while (rows.Step()) {
    const auto past = static_cast<std::uint32_t>(rows.IsNull(3) ? 0 : rows.Int(3));
    turns.push_back(
        {rows.Int(0), rows.IsNull(2) ? MakeJobId(user, rows.Text(1), past) : rows.String(2)});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return turns;
}

Status SqliteMemoryGenerations::Took(const UserKey& user, std::int64_t through_sequence,
                                     std::uint64_t turns, std::uint64_t fallbacks,
                                     Deadline deadline) {
  return store_.database().Write(
      Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> shadow,
                                  FindMemory(connection, user, GenerationState::kShadow));
        if (!shadow.has_value()) {
          return NotBeingRebuilt();
        }
        return connection.Run(kTake, *shadow, through_sequence, turns, fallbacks);
      },
      deadline);
}

Status SqliteMemoryGenerations::MakeRoom(const UserKey& user, IncomingGeneration incoming,
                                         Deadline deadline) {
  const bool forward = incoming == IncomingGeneration::kShadow;
  const GenerationState in = forward ? GenerationState::kShadow : GenerationState::kFormer;
  const GenerationState out = forward ? GenerationState::kFormer : GenerationState::kShadow;
  const Status ended = store_.database().Write(
      Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> comes,
                                  FindMemory(connection, user, in));
        if (!comes.has_value()) {
          return FailedPrecondition(forward
                                        ? "rebuild: nothing has been worked out anew for this user"
                                        : "rebuild: this user has no former memory to go back to");
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> goes,
                                  FindMemory(connection, user, out));
        return goes.has_value() ? connection.Run(kSetState, GenerationState::kGone, *goes)
                                : Status();
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(ended);
  UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::uint64_t removed,
                            RemoveEnded(user, deadline));
  return {};
}

Result<std::uint64_t> SqliteMemoryGenerations::Swap(const UserKey& user,
                                                    IncomingGeneration incoming,
                                                    Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(MakeRoom(user, incoming, deadline));
  const bool forward = incoming == IncomingGeneration::kShadow;
  std::uint64_t repeated = 0;
  const Status swapped = store_.database().Write(
      Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, store_.Intern(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(
            const std::optional<std::int64_t> comes,
            FindMemory(connection, user,
                       forward ? GenerationState::kShadow : GenerationState::kFormer));
        if (!comes.has_value()) {
          return NotBeingRebuilt();  // The user was forgotten since.
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t goes, InternMemory(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t reflected,
                                  ReadNumber(connection, kSelectReflectedThrough, user_key));
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t through,
                                  ReadNumber(connection, kSelectThrough, *comes));
        const std::int64_t now = store_.Now();
        UMBRANET_RETURN_IF_ERROR(connection.Run(
            kKeep, goes, user_key, forward ? GenerationState::kFormer : GenerationState::kShadow,
            now, reflected));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kSetState, GenerationState::kInForce, *comes));
        UMBRANET_ASSIGN_OR_RETURN(repeated,
                                  ReflectBehind(connection, user, user_key, through, now));
        return connection.Run(kInsertAudit, now, forward ? "rebuild-swap" : "rebuild-back",
                              user_key, std::to_string(repeated) + " turns to reflect again");
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(swapped);
  return repeated;
}

Result<std::uint64_t> SqliteMemoryGenerations::Discard(const UserKey& user, Deadline deadline) {
  const Status ended = store_.database().Write(
      Lane::kForeground,
      [&](SqliteConnection& connection) { return EndOtherMemories(connection, user); }, deadline);
  UMBRANET_RETURN_IF_ERROR(ended);
  return RemoveEnded(user, deadline);
}

Result<std::uint64_t> SqliteMemoryGenerations::RemoveEnded(const UserKey& user, Deadline deadline) {
  std::vector<std::int64_t> keys;
  {
    UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                              FindAccount(*reader, user));
    if (!user_key.has_value()) {
      return std::uint64_t{0};
    }
    SqliteStatement rows = reader->Prepare(kSelectGone);
    rows.BindAll(*user_key, GenerationState::kGone);
    while (rows.Step()) {
      keys.push_back(rows.Int(0));
    }
    UMBRANET_RETURN_IF_ERROR(rows.status());
  }
  for (const std::int64_t key : keys) {
    UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::uint64_t episodes,
                              episodic_.EraseMemory(key, deadline));
    UMBRANET_RETURN_IF_ERROR(semantic_.EraseMemory(key, deadline));
    UMBRANET_RETURN_IF_ERROR(procedural_.EraseMemory(key, deadline));
    const Status deleted = store_.database().Write(
        Lane::kForeground,
        [&](SqliteConnection& connection) { return connection.Run(kDeleteGeneration, key); },
        deadline);
    UMBRANET_RETURN_IF_ERROR(deleted);
  }
  return std::uint64_t{keys.size()};
}

}  // namespace umbranet
