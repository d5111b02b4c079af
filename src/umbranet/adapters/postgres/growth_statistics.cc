#include "umbranet/adapters/postgres/growth_statistics.h"

#include <cstdint>
#include <string_view>

namespace umbranet {
namespace {

// $1: rows that must have changed in any case; $2: a table that is known to have so many is left to
// autovacuum. One that was never analysed has -1.
constexpr std::string_view kSelectGrown =
    "SELECT format('ANALYZE (SKIP_LOCKED) %I.%I', n.nspname, c.relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
    " AND c.relkind = 'r' AND c.reltuples < $2::bigint AND pg_has_role(c.relowner, 'USAGE')"
    " AND pg_stat_get_mod_since_analyze(c.oid) > GREATEST($1::bigint, 2 * c.reltuples::bigint)";

constexpr std::int64_t kChangedMin = 500;
// No plan for so many rows takes a table for an empty one.
constexpr std::int64_t kKnownMax = 100'000;

// In a transaction of its own: one that fails takes none of the others with it.
Status Run(PostgresPool& pool, std::string_view statement, Deadline deadline) {
  return pool.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [statement](PostgresConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Query(statement));
        return {};
      },
      PostgresDurability::kSoon);
}

}  // namespace

Status AnalyseGrownTables(PostgresPool& pool, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows grown,
                            pool.Ask(deadline, kSelectGrown, kChangedMin, kKnownMax));
  for (const PostgresRow row : grown) {
    UMBRANET_RETURN_IF_ERROR(Run(pool, row.Text(0), deadline));
  }
  return {};
}

}  // namespace umbranet
