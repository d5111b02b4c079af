// The books that reflected tiers keep: which jobs were applied, and what owners erased. Functions
// work in the transaction of their connection, on its thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

struct PostgresTierApplication {
  PostgresMemory memory;
  std::vector<const ReflectionPlan*> plans;  // Those that were not applied before.
};

// Checks the fence and writes the markers of the plans in the memory that is in force, or in
// another: a shadow is nobody's to lease. kAborted when a job is not leased under `fence` any more,
// or the user has no such memory; kInvalidArgument when the plans are not of one user.
Result<PostgresTierApplication> BeginApplication(PostgresConnection& connection, Tier tier,
                                                 std::span<const ReflectionPlan> plans,
                                                 const Lease& fence, GenerationState which);

// Keeps what owners erased away, in all generations of the user. Parallel: the ids of episodes or
// statements, and their turns.
Status RememberErasures(PostgresConnection& connection, std::int64_t owner_key, Tier tier,
                        std::span<const std::string> ids,
                        std::span<const std::string> interaction_ids);

// Removes the memory's markers and, with its owner's own key, his erasures but for those whose turn
// the journal still holds: when his memory is worked out anew, what he erased must stay away.
Status CloseBook(PostgresConnection& connection, std::int64_t memory_key, Tier tier);

}  // namespace umbranet
