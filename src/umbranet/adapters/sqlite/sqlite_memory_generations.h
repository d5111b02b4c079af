// Generations of a user's memory in the ledger's file. See ports/memory_generations.h.
//
// A generation is a memory key under which the tiers' rows stand (sqlite_memory_keys.h), so a swap
// turns one row and copies nothing. Any thread. The store must outlive this.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/ports/memory_generations.h"

namespace umbranet {

class SqliteMemoryGenerations final : public MemoryGenerations {
 public:
  explicit SqliteMemoryGenerations(SqliteLedgerStore& store);

  [[nodiscard]] Tiers shadow() override { return {episodic_, semantic_, procedural_}; }

  Result<GenerationsOfUser> Read(const UserKey& user, Deadline deadline) override;
  Status Begin(const UserKey& user, std::string_view extractor, Deadline deadline) override;
  Result<std::vector<LackingTurn>> Lacking(const UserKey& user, std::size_t limit,
                                           Deadline deadline) override;
  Status Took(const UserKey& user, std::int64_t through_sequence, std::uint64_t turns,
              std::uint64_t fallbacks, Deadline deadline) override;
  Result<std::uint64_t> Swap(const UserKey& user, IncomingGeneration incoming,
                             Deadline deadline) override;
  // Goes in slices. When it fails half way nobody finds what is left, and the next Discard or Begin
  // removes it.
  Result<std::uint64_t> Discard(const UserKey& user, Deadline deadline) override;

 private:
  // Removes the rows of the user's generations that were ended, and then those themselves.
  Result<std::uint64_t> RemoveEnded(const UserKey& user, Deadline deadline);
  // Ends the one that was former before, and says whether there is one of `incoming`.
  Status MakeRoom(const UserKey& user, IncomingGeneration incoming, Deadline deadline);

  SqliteLedgerStore& store_;
  SqliteEpisodicMemory episodic_;
  SqliteSemanticMemory semantic_;
  SqliteProceduralMemory procedural_;
};

}  // namespace umbranet
