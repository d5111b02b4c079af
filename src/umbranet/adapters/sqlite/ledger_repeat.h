// Having turns reflected again. Functions work in the transaction of their connection, on the
// writer's thread. `now` is SqliteLedgerStore::Now().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

struct TurnToRepeat {
  std::int64_t seq = 0;
  std::string interaction_id;
  bool has_job = false;  // False: retention removed it.
  std::uint32_t generation = 0;
  RunMode mode = RunMode::kBackground;
  std::string traceparent;
  JobState state = JobState::kDone;  // Of its present job, or of the last one.
};

// The user's turns behind that place, in their order.
Result<std::vector<TurnToRepeat>> ReadTurnsToRepeat(SqliteConnection& connection,
                                                    std::int64_t user_key,
                                                    std::int64_t after_sequence);

// Puts the turn's job aside and gives it a ready one of the next generation, of low priority. The
// counts of freshness are the caller's.
Status RepeatTurn(SqliteConnection& connection, const UserKey& user, std::int64_t user_key,
                  const TurnToRepeat& turn, std::int64_t now);

// Takes the user's jobs from whoever has them leased.
Status ReturnLeasedJobs(SqliteConnection& connection, std::int64_t user_key);

}  // namespace umbranet
