#include "umbranet/adapters/postgres/known_jobs.h"

#include <cstddef>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_pool.h"

namespace umbranet {
namespace {

// One statement sees one state of both tables, so a job that goes from the one to the other is not
// missed.
constexpr std::string_view kSelectKnown =
    "SELECT x.i FROM unnest($1::text[]) WITH ORDINALITY AS x(job_id, i)"
    " WHERE EXISTS (SELECT 1 FROM job j WHERE j.job_id = x.job_id)"
    " OR EXISTS (SELECT 1 FROM former_job f WHERE f.job_id = x.job_id)";

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
