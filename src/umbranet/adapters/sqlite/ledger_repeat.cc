#include "umbranet/adapters/sqlite/ledger_repeat.h"

#include <string_view>

#include "umbranet/adapters/sqlite/ledger_rows.h"

namespace umbranet {
namespace {

constexpr std::string_view kDeletePlan = "DELETE FROM plan WHERE seq = ?";
constexpr std::string_view kSelectTurns =
    "SELECT t.seq, t.interaction_id, j.generation, j.mode, j.traceparent, t.past_generation,"
    " coalesce(j.state, t.past_state, 2)"
    " FROM turn t LEFT JOIN job j ON j.seq = t.seq WHERE t.user_key = ? AND t.seq > ?"
    " ORDER BY t.seq";
constexpr std::string_view kSelectEarlyJob =
    "SELECT seq FROM job WHERE job_id = ? AND interaction_id IS NOT NULL";
constexpr std::string_view kDeleteAttempts = "DELETE FROM attempt WHERE seq = ?";
constexpr std::string_view kDeleteJob = "DELETE FROM job WHERE seq = ?";
constexpr std::string_view kReturnJobs =
    "UPDATE job SET state = 0 WHERE user_key = ? AND state = 1 AND solo IN (0, 1)"
    " AND " UMBRANET_JOB_IS_OPEN;

// A foreign producer may have handed in the job of this generation before there was a turn.
Status DropEarlyJob(SqliteConnection& connection, std::string_view job_id) {
  SqliteStatement row = connection.Prepare(kSelectEarlyJob);
  row.BindAll(job_id);
  const std::int64_t seq = row.Step() ? row.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(row.status());
  if (seq != 0) {
    for (const std::string_view step : {kDeletePlan, kDeleteAttempts, kDeleteJob}) {
      UMBRANET_RETURN_IF_ERROR(connection.Run(step, seq));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<TurnToRepeat>> ReadTurnsToRepeat(SqliteConnection& connection,
                                                    std::int64_t user_key,
                                                    std::int64_t after_sequence) {
  std::vector<TurnToRepeat> turns;
  SqliteStatement row = connection.Prepare(kSelectTurns);
  row.BindAll(user_key, after_sequence);
  while (row.Step()) {
    const bool has_job = !row.IsNull(2);
    turns.push_back({.seq = row.Int(0),
                     .interaction_id = row.String(1),
                     .has_job = has_job,
                     .generation = static_cast<std::uint32_t>(row.Int(has_job ? 2 : 5)),
                     .mode = has_job ? static_cast<RunMode>(row.Int(3)) : RunMode::kBackground,
                     .traceparent = row.String(4),
                     .state = static_cast<JobState>(row.Int(6))});
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return turns;
}

Status RepeatTurn(SqliteConnection& connection, const UserKey& user, std::int64_t user_key,
                  const TurnToRepeat& turn, std::int64_t now) {
  if (turn.has_job) {
    UMBRANET_RETURN_IF_ERROR(RetireJob(connection, turn.seq, now));
  }
  const std::uint32_t generation = turn.generation + 1;
  const ReflectionJob job{.job_id = MakeJobId(user, turn.interaction_id, generation),
                          .user = user,
                          .interaction_id = turn.interaction_id,
                          .priority = Priority::kLow,
                          .mode = turn.mode,
                          .generation = generation,
                          .traceparent = turn.traceparent};
  UMBRANET_RETURN_IF_ERROR(DropEarlyJob(connection, job.job_id));
  return InsertJob(connection, turn.seq, user_key, job, /*has_turn=*/true, now);
}

Status ReturnLeasedJobs(SqliteConnection& connection, std::int64_t user_key) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kReturnJobs, user_key));
  return EndLease(connection, user_key, {});
}

}  // namespace umbranet
