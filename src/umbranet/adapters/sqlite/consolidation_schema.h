// The tables of consolidated episodes, as numbered steps.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/sqlite_migrations.h"

namespace umbranet {

std::vector<SqliteMigration> ConsolidationMigrations();

}  // namespace umbranet
