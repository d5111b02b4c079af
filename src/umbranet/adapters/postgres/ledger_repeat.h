// Having turns reflected again. Functions work in the transaction of their connection, with the
// user's account locked. `now` is PostgresLedgerStore::Now().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

struct PostgresTurnToRepeat {
  std::int64_t seq = 0;
  bool has_job = false;              // False: retention removed it.
  JobState state = JobState::kDone;  // Of its present job, or of the last one.
  ReflectionJob job;                 // The next one: ready, of low priority.
};

// The user's turns behind that place, in their order.
Result<std::vector<PostgresTurnToRepeat>> ReadTurnsToRepeat(PostgresConnection& connection,
                                                            const UserKey& user,
                                                            std::int64_t user_key,
                                                            std::int64_t after_sequence);

// Puts the turns' jobs aside and gives them the next ones. The counts of freshness and the head are
// the caller's.
Status RepeatTurns(PostgresConnection& connection, std::int64_t user_key,
                   std::span<const PostgresTurnToRepeat> turns, std::int64_t now);

// Takes the user's jobs from whoever has them leased. To be followed by EndLeaseCommand.
PostgresCommand ReturnLeasedJobsCommand(std::int64_t user_key);

}  // namespace umbranet
