// Tiers 2 and 4 on PostgreSQL with the journal and the ledger beneath them, in a schema of their
// own; tiers 1 and 3 are the twins.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "umbranet/adapters/postgres/postgres_episode_consolidation.h"
#include "umbranet/adapters/postgres/postgres_episodic_memory.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/adapters/postgres/postgres_procedural_memory.h"
#include "umbranet/adapters/postgres/postgres_short_term_memory.h"

#include "tests/contract/tier_world.h"
#include "tests/doubles/in_memory_semantic_memory.h"
#include "tests/integration/postgres_harness.h"

namespace umbranet {

// A lease of the jobs of the plans, which are of one user. The first claim may be of another user's
// turns; that stays leased in `others`, so that the next one is not, until he is asked for.
Lease ClaimJobsOf(JobLedger& ledger, std::span<const ReflectionPlan> plans,
                  std::map<UserKey, Lease>& others);

class PostgresWorld final : public TierWorld {
 public:
  explicit PostgresWorld(PostgresEpisodicMemory::Options episodic = {});

  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return episodic_; }

  SemanticMemory& semantic() override { return semantic_; }

  ProceduralMemory& procedural() override { return procedural_; }

  EpisodeConsolidation* consolidation() override { return &consolidation_; }

  Interaction Accept(Interaction turn) override;
  Lease Claim(std::span<const ReflectionPlan> plans) override;
  void Release(const Lease& lease) override;
  void ForgetTurns(const UserKey& user) override;

  [[nodiscard]] const PostgresSchema& schema() const { return *schema_; }

  PostgresPool& pool() { return *pool_; }

 private:
  const BorrowedPostgresSchema schema_;
  const std::unique_ptr<PostgresPool> pool_;
  const std::unique_ptr<PostgresLedgerStore> store_;
  PostgresJournal journal_;
  PostgresJobLedger ledger_;
  PostgresShortTermMemory short_term_;
  PostgresEpisodicMemory episodic_;
  PostgresEpisodeConsolidation consolidation_;
  InMemorySemanticMemory semantic_{clock_};
  PostgresProceduralMemory procedural_;
  std::map<UserKey, Lease> others_;  // As in ClaimJobsOf.
};

// "Postgres", and those that search in the database, or have no room in memory.
std::vector<TierWorldKind> PostgresWorlds();
std::vector<TierWorldKind> PostgresEpisodicWorlds();
std::vector<TierWorldKind> PostgresModelledWorlds();

}  // namespace umbranet
