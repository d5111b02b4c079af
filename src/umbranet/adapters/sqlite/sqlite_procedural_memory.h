// Tier 4 in the ledger's file: what turns said about how things are to be done. A user has few such
// statements, so the rules are folded (FoldRuleStatements) whenever they are read.
//
// All methods may be called from any thread. The database must outlive this.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/ports/procedural_memory.h"

namespace umbranet {

class SqliteProceduralMemory final : public ProceduralMemory {
 public:
  // Of the memory in force, or of the shadow, to which plans are applied without a lease.
  explicit SqliteProceduralMemory(SqliteDatabase& database,
                                  GenerationState which = GenerationState::kInForce)
      : database_(database), which_(which) {}

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;
  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override;
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override;
  // valid_to is when the rule ends to be in force.
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override;
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::vector<Rule>> Active(const UserKey& user, std::optional<Timestamp> as_of,
                                   std::size_t limit, Deadline deadline) override;

  // The rows of one generation that is nobody's any more.
  Status EraseMemory(std::int64_t memory_key, Deadline deadline);

 private:
  SqliteDatabase& database_;
  const GenerationState which_;
};

}  // namespace umbranet
