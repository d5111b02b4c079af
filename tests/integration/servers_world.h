// All tiers on servers: PostgreSQL with the journal, the ledger and tiers 2 and 4, and Neo4j with
// tier 3, in a schema and a key space of their own. Tier 1 is the twin.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "umbranet/adapters/neo4j/neo4j_client.h"
#include "umbranet/adapters/neo4j/neo4j_generations.h"
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"
#include "umbranet/adapters/postgres/postgres_episode_consolidation.h"
#include "umbranet/adapters/postgres/postgres_episodic_memory.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/adapters/postgres/postgres_memory_generations.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/adapters/postgres/postgres_procedural_memory.h"

#include "tests/contract/tier_world.h"
#include "tests/doubles/in_memory_short_term_memory.h"
#include "tests/integration/neo4j_world.h"
#include "tests/integration/postgres_harness.h"

namespace umbranet {

class ServersWorld final : public TierWorld {
 public:
  // What one process has of its own.
  struct Process {
    Process(const ServersWorld& world, PostgresEpisodicMemory::Options episodes);

    const std::unique_ptr<PostgresPool> pool;
    const std::unique_ptr<PostgresLedgerStore> store;
    const std::unique_ptr<Neo4jClient> client;
    PostgresMemoryKeys keys;
    PostgresEpisodicMemory episodic;
    Neo4jSemanticMemory semantic;
    PostgresProceduralMemory procedural;
    Neo4jGenerations graphs;
    PostgresMemoryGenerations generations;
    PostgresEpisodeConsolidation consolidation;
  };

  // Every use of a tier goes through the next process.
  explicit ServersWorld(std::size_t processes, PostgresEpisodicMemory::Options episodes = {});

  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return Next().episodic; }

  SemanticMemory& semantic() override { return Next().semantic; }

  ProceduralMemory& procedural() override { return Next().procedural; }

  Journal* journal() override { return &journal_; }

  JobLedger* ledger() override { return &ledger_; }

  MemoryGenerations* generations() override { return &Next().generations; }

  EpisodeConsolidation* consolidation() override { return &Next().consolidation; }

  [[nodiscard]] bool fences_facts() const override { return false; }

  Interaction Accept(Interaction turn) override;
  Lease Claim(std::span<const ReflectionPlan> plans) override;
  void Release(const Lease& lease) override;
  void ForgetTurns(const UserKey& user) override;

  Process& process(std::size_t index) { return *processes_[index]; }

  [[nodiscard]] const PostgresSchema& schema() const { return *schema_; }

  [[nodiscard]] const Neo4jKeySpace& space() const { return space_; }

 private:
  Process& Next() { return *processes_[next_++ % processes_.size()]; }

  const BorrowedPostgresSchema schema_;
  const Neo4jKeySpace space_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::size_t next_ = 0;
  PostgresJournal journal_;
  PostgresJobLedger ledger_;
  std::map<UserKey, Lease> others_;  // As in ClaimJobsOf.
  InMemoryShortTermMemory short_term_;
};

// One process, two of them, and one that searches in the database.
std::vector<TierWorldKind> ServersWorlds();

// Why they cannot be had; empty when both servers are there.
std::string MissingServersWorld();

}  // namespace umbranet
