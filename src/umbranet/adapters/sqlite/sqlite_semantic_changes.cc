// SqliteSemanticMemory, what owners change: correcting and erasing facts, parting names,
// forgetting. What an owner changes holds in every generation of his memory.
#include <map>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/located_fact.h"
#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"
#include "umbranet/adapters/sqlite/sqlite_entity_names.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

constexpr std::string_view kSetEdits =
    "UPDATE fact_statement SET edited_text = coalesce(?, edited_text),"
    " edited_valid_to = coalesce(?, edited_valid_to) WHERE statement_key = ?";
constexpr std::string_view kSelectStatements =
    "SELECT statement_id, interaction_id FROM fact_statement WHERE head = ?"
    " ORDER BY statement_key";
constexpr std::string_view kSelectHeadId =
    "SELECT statement_id FROM fact_statement WHERE statement_key = ?";
constexpr std::string_view kSelectInAllMemories =
    "SELECT statement_key, user_key, head, subject_root, predicate, qualifier_name, object_root,"
    " reaches FROM fact_statement WHERE statement_id = ? ORDER BY statement_key";
constexpr std::string_view kDeleteStatement = "DELETE FROM fact_statement WHERE statement_key = ?";
constexpr std::string_view kDeleteUser = "DELETE FROM fact_statement WHERE user_key = ?";

Result<std::vector<std::string>> ReadIds(SqliteConnection& connection, std::string_view sql,
                                         std::int64_t key) {
  SqliteStatement rows = connection.Prepare(sql);
  rows.BindAll(key);
  std::vector<std::string> ids;
  while (rows.Step()) {
    ids.push_back(rows.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return ids;
}

// A statement as one generation of its owner's memory has it.
struct PlacedStatement {
  std::int64_t key = 0;
  std::optional<std::int64_t> head;
  FactSlot slot;
  std::string object_root;
  bool reaches = false;
};

// By memory keys.
using PlacedStatements = std::map<std::int64_t, std::vector<PlacedStatement>>;

Status AddPlaces(SqliteConnection& connection, std::string_view statement_id,
                 PlacedStatements& places) {
  SqliteStatement row = connection.Prepare(kSelectInAllMemories);
  row.BindAll(statement_id);
  while (row.Step()) {
    places[row.Int(1)].push_back({row.Int(0),
                                  row.OptionalInt(2),
                                  {row.String(3), row.String(4), row.String(5)},
                                  row.String(6),
                                  row.Int(7) != 0});
  }
  return row.status();
}

}  // namespace

Result<std::optional<MemoryItem>> SqliteSemanticMemory::Update(std::string_view tenant,
                                                               std::string_view memory_id,
                                                               const MemoryPatch& patch,
                                                               Deadline deadline) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("sqlite: text: must not be empty");
  }
  std::optional<MemoryItem> changed;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        changed.reset();
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<LocatedFact> located,
                                  LocateFact(connection, tenant, memory_id, options_.which));
        if (!located.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> head_id,
                                  ReadIds(connection, kSelectHeadId, located->head));
        for (const std::string& statement_id : head_id) {
          UMBRANET_RETURN_IF_ERROR(EditEverywhere(connection, statement_id, patch, located->user));
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<LocatedFact> now,
                                  LocateFact(connection, tenant, memory_id, options_.which));
        UMBRANET_ASSIGN_OR_RETURN(changed, ReadFactItem(connection, now.value_or(*located)));
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return changed;
}

Result<bool> SqliteSemanticMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                         Deadline deadline) {
  bool erased = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        erased = false;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<LocatedFact> located,
                                  LocateFact(connection, tenant, memory_id, options_.which));
        if (!located.has_value()) {
          return {};
        }
        std::vector<std::string> statement_ids;
        {
          SqliteStatement row = connection.Prepare(kSelectStatements);
          row.BindAll(located->head);
          while (row.Step()) {
            statement_ids.push_back(row.String(0));
            UMBRANET_RETURN_IF_ERROR(RememberErasure(connection, located->user_key, Tier::kSemantic,
                                                     row.Text(0), row.Text(1)));
          }
          UMBRANET_RETURN_IF_ERROR(row.status());
        }
        erased = true;
        return EraseEverywhere(connection, statement_ids, located->user);
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return erased;
}

Status SqliteSemanticMemory::EditEverywhere(SqliteConnection& connection,
                                            std::string_view statement_id, const MemoryPatch& patch,
                                            const UserKey& user) {
  PlacedStatements places;
  UMBRANET_RETURN_IF_ERROR(AddPlaces(connection, statement_id, places));
  for (const auto& [memory_key, statements] : places) {
    SqliteFactSlots slots(connection, index_, cache_, memory_key, user);
    for (const PlacedStatement& placed : statements) {
      UMBRANET_RETURN_IF_ERROR(connection.Run(kSetEdits, patch.text, patch.valid_to, placed.key));
      slots.Touch(placed.slot, placed.object_root, placed.reaches);
      if (placed.head.has_value()) {
        slots.TouchText(*placed.head);
      }
    }
    UMBRANET_RETURN_IF_ERROR(slots.Settle());
  }
  return {};
}

Status SqliteSemanticMemory::EraseEverywhere(SqliteConnection& connection,
                                             std::span<const std::string> statement_ids,
                                             const UserKey& user) {
  PlacedStatements places;
  for (const std::string& statement_id : statement_ids) {
    UMBRANET_RETURN_IF_ERROR(AddPlaces(connection, statement_id, places));
  }
  for (const auto& [memory_key, statements] : places) {
    SqliteFactSlots slots(connection, index_, cache_, memory_key, user);
    for (const PlacedStatement& placed : statements) {
      slots.Touch(placed.slot, placed.object_root, placed.reaches);
      if (placed.head == placed.key) {
        UMBRANET_RETURN_IF_ERROR(slots.Unindex(placed.key));
      }
      UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteStatement, placed.key));
    }
    UMBRANET_RETURN_IF_ERROR(slots.Settle());
  }
  return {};
}

Result<std::uint64_t> SqliteSemanticMemory::EraseFacts(SqliteConnection& connection,
                                                       std::int64_t user_key) {
  UMBRANET_RETURN_IF_ERROR(CloseBook(connection, user_key, Tier::kSemantic, options_.fenced));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> heads,
                            ReadFactHeads(connection, user_key));
  const UserKey nobody;  // Unindexing names no one.
  SqliteFactSlots slots(connection, index_, cache_, user_key, nobody);
  for (const std::int64_t head : heads) {
    UMBRANET_RETURN_IF_ERROR(slots.Unindex(head));
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteUser, user_key));
  UMBRANET_RETURN_IF_ERROR(EraseEntityNames(connection, user_key));
  UMBRANET_RETURN_IF_ERROR(MarkCorpusRevised(connection, user_key, CorpusKind::kFacts));
  cache_.Drop(user_key);
  return heads.size();
}

Status SqliteSemanticMemory::EraseMemory(std::int64_t memory_key, Deadline deadline) {
  const Status erased = database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::uint64_t facts,
                                  EraseFacts(connection, memory_key));
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(erased);
  return PurgeTextIndex(database_, index_, deadline);
}

Result<std::uint64_t> SqliteSemanticMemory::EraseUser(const UserKey& user, Deadline deadline) {
  return EraseAll(user, std::nullopt, deadline);
}

Result<std::uint64_t> SqliteSemanticMemory::ForgetUser(const UserKey& user,
                                                       std::int64_t through_sequence,
                                                       Deadline deadline) {
  return EraseAll(user, through_sequence, deadline);
}

Result<std::uint64_t> SqliteSemanticMemory::EraseAll(const UserKey& user,
                                                     std::optional<std::int64_t> forgotten_through,
                                                     Deadline deadline) {
  std::uint64_t removed = 0;
  bool known = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        removed = 0;
        if (forgotten_through.has_value()) {
          // Whoever is at the user's first turn has left nothing here yet.
          UMBRANET_ASSIGN_OR_RETURN(const std::int64_t account, InternAccount(connection, user));
          UMBRANET_RETURN_IF_ERROR(LeaveTombstone(connection, account, *forgotten_through));
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        UMBRANET_RETURN_IF_ERROR(EndOtherMemories(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, user));
        known = in_force.has_value();
        for (const std::int64_t memory : memories) {
          UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t facts, EraseFacts(connection, memory));
          removed += memory == in_force ? facts : 0;
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  if (known) {
    UMBRANET_RETURN_IF_ERROR(PurgeTextIndex(database_, index_, deadline));
  }
  return removed;
}

Result<std::size_t> SqliteSemanticMemory::Part(SqliteConnection& connection,
                                               std::int64_t memory_key, const UserKey& user,
                                               const std::string& name, const std::string& from) {
  UMBRANET_ASSIGN_OR_RETURN(const PartedNames parted,
                            PartNames(connection, memory_key, name, from, database_.clock().Now()));
  SqliteFactSlots slots(connection, index_, cache_, memory_key, user);
  for (const std::string& moved : parted.moved) {
    UMBRANET_RETURN_IF_ERROR(slots.MoveStatementsOf(moved));
  }
  for (const std::string& root : parted.renamed) {
    UMBRANET_RETURN_IF_ERROR(slots.TouchNamesOf(root));
  }
  UMBRANET_RETURN_IF_ERROR(slots.Settle());
  return parted.merges;
}

Result<std::size_t> SqliteSemanticMemory::Unmerge(const UserKey& user, std::string_view name,
                                                  std::string_view from, Deadline deadline) {
  const std::string parting = NormalizeName(name);
  const std::string other = NormalizeName(from);
  if (parting.empty() || (other.empty() && !from.empty())) {
    return InvalidArgument("sqlite: name: must not be empty");
  }
  std::size_t undone = 0;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        undone = 0;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> told_of,
                                  FindMemory(connection, user, options_.which));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, user));
        for (const std::int64_t memory : memories) {
          UMBRANET_ASSIGN_OR_RETURN(const std::size_t merges,
                                    Part(connection, memory, user, parting, other));
          undone += memory == told_of ? merges : 0;
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return undone;
}

}  // namespace umbranet
