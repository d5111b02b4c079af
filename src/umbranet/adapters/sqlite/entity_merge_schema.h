// The table of the merge log, as migrations.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/sqlite_migrations.h"

namespace umbranet {

std::vector<SqliteMigration> EntityMergeMigrations();

}  // namespace umbranet
