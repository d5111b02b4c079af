// The tables of the four tiers, as migrations.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/sqlite_migrations.h"

namespace umbranet {

std::vector<SqliteMigration> TierMigrations();

}  // namespace umbranet
