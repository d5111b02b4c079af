// Tier 4 in PostgreSQL: what turns said about how things are to be done. A user has few such
// statements, so the rules are folded (domain/rule_book.h) whenever they are read. Writers of one
// user's rules, in whatever generation of his memory, take turns on his row of rule_book.
//
// All methods may be called from any thread. Pool and clock must outlive this.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/domain/generation_state.h"
#include "umbranet/ports/procedural_memory.h"

namespace umbranet {

class PostgresProceduralMemory final : public ProceduralMemory {
 public:
  PostgresProceduralMemory(PostgresPool& pool, const Clock& clock,
                           GenerationState which = GenerationState::kInForce)
      : pool_(pool), clock_(clock), which_(which) {}

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

  // Removes what one generation of a user's memory has here.
  Status EraseMemory(std::int64_t memory_key, Deadline deadline);

 private:
  PostgresPool& pool_;
  const Clock& clock_;
  const GenerationState which_;
};

}  // namespace umbranet
