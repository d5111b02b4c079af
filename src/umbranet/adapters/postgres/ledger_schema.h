// The tables of journal and ledger.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresLedgerMigrations();

}  // namespace umbranet
