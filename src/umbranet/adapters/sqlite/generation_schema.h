// The schema of generations of a user's memory; see ports/memory_generations.h.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/sqlite_migrations.h"

namespace umbranet {

std::vector<SqliteMigration> GenerationMigrations();

}  // namespace umbranet
