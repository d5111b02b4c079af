#include "umbranet/adapters/postgres/ledger_repeat.h"

#include <array>
#include <string>
#include <string_view>

#include "umbranet/adapters/postgres/ledger_rows.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectTurns =
    "SELECT t.seq, t.interaction_id, j.generation, j.mode, j.traceparent, t.past_generation,"
    " coalesce(j.state, t.past_state, 2)"
    " FROM turn t LEFT JOIN job j ON j.seq = t.seq WHERE t.user_key = $1 AND t.seq > $2"
    " ORDER BY t.seq";
// A foreign producer may have handed in the job of this generation before there was a turn.
constexpr std::string_view kDropEarlyJobs =
    "WITH gone AS (DELETE FROM job WHERE job_id = ANY($1) AND interaction_id IS NOT NULL"
    " RETURNING seq), plans AS (DELETE FROM plan p USING gone g WHERE p.seq = g.seq)"
    " DELETE FROM attempt a USING gone g WHERE a.seq = g.seq";
constexpr std::string_view kReturnJobs =
    "UPDATE job SET state = 0, lease_token = NULL WHERE state = 1 AND lease_token ="
    " (SELECT a.lease_token FROM account a WHERE a.user_key = $1)";

}  // namespace

Result<std::vector<PostgresTurnToRepeat>> ReadTurnsToRepeat(PostgresConnection& connection,
                                                            const UserKey& user,
                                                            std::int64_t user_key,
                                                            std::int64_t after_sequence) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection.Query(kSelectTurns, user_key, after_sequence));
  std::vector<PostgresTurnToRepeat> turns;
  for (const PostgresRow row : rows) {
    const bool has_job = !row.IsNull(2);
    const auto generation = static_cast<std::uint32_t>(row.Int(has_job ? 2 : 5)) + 1;
    turns.push_back(
        {.seq = row.Int(0),
         .has_job = has_job,
         .state = static_cast<JobState>(row.Int(6)),
         .job = {.job_id = MakeJobId(user, row.Text(1), generation),
                 .user = user,
                 .interaction_id = row.String(1),
                 .priority = Priority::kLow,
                 .mode = has_job ? static_cast<RunMode>(row.Int(3)) : RunMode::kBackground,
                 .generation = generation,
                 .traceparent = row.String(4)}});
  }
  return turns;
}

Status RepeatTurns(PostgresConnection& connection, std::int64_t user_key,
                   std::span<const PostgresTurnToRepeat> turns, std::int64_t now) {
  std::vector<std::int64_t> with_job;
  std::vector<std::string> ids;
  std::vector<PostgresJobRow> jobs;
  for (const PostgresTurnToRepeat& turn : turns) {
    if (turn.has_job) {
      with_job.push_back(turn.seq);
    }
    ids.push_back(turn.job.job_id);
    jobs.push_back({.seq = turn.seq, .user_key = user_key, .job = &turn.job});
  }
  UMBRANET_RETURN_IF_ERROR(connection.RunAll(
      std::array{RetireJobsCommand(with_job, now), MakeCommand(kDropEarlyJobs, ids),
                 InsertJobsCommand(jobs, now, /*only_with_new_turn=*/false)}));
  return {};
}

PostgresCommand ReturnLeasedJobsCommand(std::int64_t user_key) {
  return MakeCommand(kReturnJobs, user_key);
}

}  // namespace umbranet
