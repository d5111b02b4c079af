// The books that reflected tiers keep: which jobs were applied, and what owners erased. Functions
// work in the transaction of their connection, on its thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

struct PostgresTierApplication {
  std::int64_t user_key = 0;
  std::vector<const ReflectionPlan*> plans;  // Those that were not applied before.
};

// Checks the fence and writes the markers of the plans. kAborted when a job is not leased under
// `fence` any more; kInvalidArgument when the plans are not of one user.
Result<PostgresTierApplication> BeginApplication(PostgresConnection& connection, Tier tier,
                                                 std::span<const ReflectionPlan> plans,
                                                 const Lease& fence);

// Keeps what owners erased away. Parallel: the ids of episodes or statements, and their turns.
Status RememberErasures(PostgresConnection& connection, std::int64_t user_key, Tier tier,
                        std::span<const std::string> ids,
                        std::span<const std::string> interaction_ids);

// Removes the user's markers, and his erasures but for those whose turn the journal still holds:
// when his memory is worked out anew, what he erased must stay away.
Status CloseBook(PostgresConnection& connection, std::int64_t user_key, Tier tier);

}  // namespace umbranet
