#include "umbranet/adapters/postgres/known_jobs.h"

#include <cstddef>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_pool.h"

namespace umbranet {
namespace {

// One statement sees one state of both tables, so a job that goes from the one to the other is not
// missed. Each id is looked up by its index: given EXISTS with OR, the planner reads every job
// there is into a table of hashes, for a handful of ids.
#define UMBRANET_KNOWN_IN(table)                                       \
  "SELECT x.i FROM unnest($1::text[]) WITH ORDINALITY AS x(job_id, i)" \
  " CROSS JOIN LATERAL (SELECT 1 FROM " table " j WHERE j.job_id = x.job_id LIMIT 1) k"
constexpr std::string_view kSelectKnown =
    UMBRANET_KNOWN_IN("job") " UNION ALL " UMBRANET_KNOWN_IN("former_job");

}  // namespace

Result<std::vector<bool>> FindKnownJobs(PostgresLedgerStore& store,
                                        std::span<const std::string> job_ids, Deadline deadline) {
  std::vector<bool> known(job_ids.size(), false);
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      store.pool().Ask(deadline, kSelectKnown,
                       std::vector<std::string>(job_ids.begin(), job_ids.end())));
  for (const PostgresRow row : rows) {
    known[static_cast<std::size_t>(row.Int(0)) - 1] = true;
  }
  return known;
}

}  // namespace umbranet
