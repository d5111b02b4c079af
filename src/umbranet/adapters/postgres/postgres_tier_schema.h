// The tables of tiers 2 and 4, and of the books that reflected tiers keep.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"

namespace umbranet {

// Components "tiers" and "vectors", which needs pgvector.
std::vector<PostgresMigration> PostgresTierMigrations();

}  // namespace umbranet
