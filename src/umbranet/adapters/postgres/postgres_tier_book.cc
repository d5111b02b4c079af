#include "umbranet/adapters/postgres/postgres_tier_book.h"

#include <array>
#include <set>
#include <string>

#include "umbranet/adapters/postgres/postgres_lease_fence.h"

namespace umbranet {
namespace {

constexpr std::string_view kInsertMarkers =
    "INSERT INTO tier_applied(user_key, tier, job_id)"
    " SELECT $1, $2, job_id FROM unnest($3::text[]) AS job_id"
    " ON CONFLICT DO NOTHING RETURNING job_id";
constexpr std::string_view kInsertErased =
    "INSERT INTO erased_memory(user_key, tier, id, interaction_id)"
    " SELECT $1, $2, id, interaction_id FROM unnest($3::text[], $4::text[]) AS n(id, "
    "interaction_id)"
    " ON CONFLICT DO NOTHING";
constexpr std::string_view kDeleteMarkers =
    "DELETE FROM tier_applied WHERE user_key = $1 AND tier = $2";
constexpr std::string_view kDeleteErased =
    "DELETE FROM erased_memory e WHERE e.user_key = $1 AND e.tier = $2 AND NOT EXISTS"
    " (SELECT 1 FROM turn t WHERE t.user_key = $1 AND t.interaction_id = e.interaction_id)";

}  // namespace

Result<PostgresTierApplication> BeginApplication(PostgresConnection& connection, Tier tier,
                                                 std::span<const ReflectionPlan> plans,
                                                 const Lease& fence, GenerationState which) {
  PostgresTierApplication application;
  if (plans.empty()) {
    return application;
  }
  std::vector<std::string> job_ids;
  job_ids.reserve(plans.size());
  for (const ReflectionPlan& plan : plans) {
    if (plan.user != plans.front().user) {
      return InvalidArgument("postgres: the plans of one application must be of one user");
    }
    job_ids.push_back(plan.job_id);
  }
  // In this order: see postgres_lease_fence.h. Who puts another memory in force ends the lease with
  // it, so what was in force before the lease was checked is so until this ends.
  UMBRANET_ASSIGN_OR_RETURN(application.memory,
                            MemoryToApplyTo(connection, plans.front().user, which));
  if (which == GenerationState::kInForce) {
    UMBRANET_RETURN_IF_ERROR(CheckLease(connection, fence, job_ids));
  }
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows fresh,
      connection.Query(kInsertMarkers, application.memory.memory_key, tier, job_ids));
  std::set<std::string, std::less<>> unapplied;
  for (const PostgresRow row : fresh) {
    unapplied.insert(row.String(0));
  }
  for (const ReflectionPlan& plan : plans) {
    if (unapplied.erase(plan.job_id) > 0) {
      application.plans.push_back(&plan);
    }
  }
  return application;
}

Status RememberErasures(PostgresConnection& connection, std::int64_t owner_key, Tier tier,
                        std::span<const std::string> ids,
                        std::span<const std::string> interaction_ids) {
  const Result<std::int64_t> kept =
      connection.Run(kInsertErased, owner_key, tier, ids, interaction_ids);
  return kept.ok() ? Status() : kept.error();
}

Status CloseBook(PostgresConnection& connection, std::int64_t memory_key, Tier tier) {
  const Result<std::vector<PostgresRows>> closed = connection.RunAll(std::array{
      MakeCommand(kDeleteMarkers, memory_key, tier), MakeCommand(kDeleteErased, memory_key, tier)});
  return closed.ok() ? Status() : closed.error();
}

}  // namespace umbranet
