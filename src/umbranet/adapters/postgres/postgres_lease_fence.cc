#include "umbranet/adapters/postgres/postgres_lease_fence.h"

#include <set>
#include <string_view>
#include <vector>

namespace umbranet {

namespace {

// In the order of seq, as everywhere.
constexpr std::string_view kLockLeased =
    "SELECT job_id FROM job WHERE job_id = ANY($1) AND lease_token = $2 AND state = 1"
    " ORDER BY seq FOR SHARE";

}  // namespace

Status CheckLease(PostgresConnection& connection, const Lease& lease,
                  std::span<const std::string> job_ids) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection.Query(kLockLeased, job_ids, lease.token));
  std::set<std::string, std::less<>> leased;
  for (const PostgresRow row : rows) {
    leased.insert(row.String(0));
  }
  for (const std::string& job_id : job_ids) {
    if (leased.count(job_id) == 0) {
      return Aborted(connection.name() + ": job " + job_id + " is not leased under token " +
                     std::to_string(lease.token) + " any more");
    }
  }
  return {};
}

}  // namespace umbranet
