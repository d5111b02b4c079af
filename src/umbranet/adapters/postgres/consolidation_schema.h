// The tables of consolidated episodes, as numbered steps.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresConsolidationMigrations();

}  // namespace umbranet
