// Tiers 2 and 4 on PostgreSQL with the journal and the ledger beneath them, in a schema of their
// own; tiers 1 and 3 are the twins.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "umbranet/adapters/postgres/postgres_episodic_memory.h"

#include "tests/contract/tier_world.h"

namespace umbranet {

std::unique_ptr<TierWorld> MakePostgresWorld(PostgresEpisodicMemory::Options episodic = {});

// "Postgres", and those that search in the database, or have no room in memory.
std::vector<TierWorldKind> PostgresWorlds();
std::vector<TierWorldKind> PostgresEpisodicWorlds();

}  // namespace umbranet
