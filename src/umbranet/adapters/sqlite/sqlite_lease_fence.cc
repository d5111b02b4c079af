#include "umbranet/adapters/sqlite/sqlite_lease_fence.h"

#include <string_view>

namespace umbranet {

namespace {

constexpr std::string_view kSelectLeased =
    "SELECT 1 FROM job JOIN lease ON lease.user_key = job.user_key"
    " WHERE job.job_id = ? AND job.state = 1 AND lease.token = ?";

}  // namespace

Status CheckLease(SqliteConnection& connection, const Lease& lease,
                  std::span<const std::string> job_ids) {
  SqliteStatement leased = connection.Prepare(kSelectLeased);
  for (const std::string& job_id : job_ids) {
    leased.Reset();
    leased.BindAll(job_id, lease.token);
    const bool is_leased = leased.Step();
    UMBRANET_RETURN_IF_ERROR(leased.status());
    if (!is_leased) {
      return Aborted("sqlite: job " + job_id + " is not leased under token " +
                     std::to_string(lease.token) + " any more");
    }
  }
  return {};
}

}  // namespace umbranet
