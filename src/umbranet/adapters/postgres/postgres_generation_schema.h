// The tables of generations of users' memories, and what they change of the tiers'.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresGenerationMigrations();

}  // namespace umbranet
