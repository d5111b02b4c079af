// The tables of journal and ledger, as migrations.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/sqlite_migrations.h"

namespace umbranet {

std::vector<SqliteMigration> LedgerMigrations();

}  // namespace umbranet
