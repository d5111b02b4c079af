#include "umbranet/adapters/postgres/growth_statistics.h"

#include <string_view>

namespace umbranet {
namespace {

// $1: rows that must have changed in any case. A table that was never analysed has -1 rows.
constexpr std::string_view kSelectGrown =
    "SELECT format('ANALYZE (SKIP_LOCKED) %I.%I', n.nspname, c.relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
    " AND c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE')"
    " AND pg_stat_get_mod_since_analyze(c.oid) > GREATEST($1::bigint, 2 * c.reltuples::bigint)";

constexpr std::int64_t kChangedMin = 500;

}  // namespace

Status AnalyseGrownTables(PostgresPool& pool, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows grown,
                            pool.Ask(deadline, kSelectGrown, kChangedMin));
  if (grown.empty()) {
    return {};
  }
  return pool.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        for (const PostgresRow row : grown) {
          UMBRANET_RETURN_IF_ERROR(connection.Query(row.Text(0)));
        }
        return {};
      },
      PostgresDurability::kSoon);
}

}  // namespace umbranet
