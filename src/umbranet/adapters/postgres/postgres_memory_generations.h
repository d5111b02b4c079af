// Generations of a user's memory where PostgreSQL keeps the ledger and tiers 2 and 4, and another
// store tier 3. See ports/memory_generations.h.
//
// A generation is a memory key under which the tiers' rows stand (postgres_memory_keys.h), and the
// number of the graph of tier 3. PostgreSQL alone says which one is in force, so a swap is one
// transaction of it. What has to be done to the other store is done before the row that lets
// anybody find it is there, or after it is gone: whoever dies between leaves a generation that
// nobody finds, and the next Begin or Discard removes it.
//
// Any thread. The store and tier 3 must outlive this.
#pragma once

#include <cstdint>
#include <string_view>

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/adapters/postgres/postgres_episodic_memory.h"
#include "umbranet/adapters/postgres/postgres_procedural_memory.h"
#include "umbranet/ports/memory_generations.h"
#include "umbranet/ports/semantic_generations.h"

namespace umbranet {

class PostgresMemoryGenerations final : public MemoryGenerations {
 public:
  // `clock` stamps what is said in a shadow.
  PostgresMemoryGenerations(PostgresLedgerStore& store, SemanticGenerations& semantic,
                            const Clock& clock, PostgresEpisodicMemory::Options episodes = {});

  [[nodiscard]] Tiers shadow() override { return {episodic_, semantic_.shadow(), procedural_}; }

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
  // The key of a generation that nobody finds yet; 0: the user has a shadow of that extractor.
  Result<std::int64_t> Announce(const UserKey& user, std::string_view extractor, Deadline deadline);
  // Ends the one that was former before, and says which one is `incoming`.
  Result<std::int64_t> MakeRoom(const UserKey& user, IncomingGeneration incoming,
                                Deadline deadline);
  // The swap itself; `number` is the incoming one's, as MakeRoom has told it.
  Result<std::uint64_t> Turn(const UserKey& user, IncomingGeneration incoming, std::int64_t number,
                             Deadline deadline);

  PostgresLedgerStore& store_;
  SemanticGenerations& semantic_;
  PostgresEpisodicMemory episodic_;
  PostgresProceduralMemory procedural_;
};

}  // namespace umbranet
