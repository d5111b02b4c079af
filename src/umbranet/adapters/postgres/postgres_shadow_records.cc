#include "umbranet/adapters/postgres/postgres_shadow_records.h"

#include <utility>

#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

// Outcomes and differences are numbered as in ShadowOutcome and PlanDifference.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE shadow_run(
  run_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_key bigint NOT NULL,
  job_id text COLLATE "C" NOT NULL UNIQUE,
  candidate text NOT NULL,
  at bigint NOT NULL,
  outcome smallint NOT NULL,
  difference smallint NOT NULL,
  wording bigint NOT NULL,
  extra bigint NOT NULL,
  missing bigint NOT NULL,
  conflicting bigint NOT NULL,
  control_ms bigint NOT NULL,
  candidate_ms bigint NOT NULL,
  end_to_end_ms bigint NOT NULL,
  plan bytea NOT NULL,
  plan_sha256 text NOT NULL,
  error bytea NOT NULL
);
CREATE INDEX shadow_run_by_user ON shadow_run(user_key);
)sql";

constexpr std::string_view kDeleteRun =
    "DELETE FROM shadow_run WHERE job_id = $1 AND user_key = $2";
constexpr std::string_view kInsertRun =
    "INSERT INTO shadow_run(user_key, job_id, candidate, at, outcome, difference, wording, extra,"
    " missing, conflicting, control_ms, candidate_ms, end_to_end_ms, plan, plan_sha256, error)"
    " SELECT j.user_key, j.job_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16"
    " FROM job j WHERE j.job_id = $2 AND j.user_key = $1 RETURNING run_key";
constexpr std::string_view kDeleteOld = "DELETE FROM shadow_run WHERE run_key <= $1";
constexpr std::string_view kSelectRuns =
    "SELECT job_id, at, outcome, difference, wording, extra, missing, conflicting, control_ms,"
    " candidate_ms, end_to_end_ms FROM shadow_run WHERE candidate = $1 ORDER BY run_key";
constexpr std::string_view kClear = "DELETE FROM shadow_run";

std::uint32_t Number(const PostgresRow& row, int column) {
  return static_cast<std::uint32_t>(row.Int(column));
}

}  // namespace

std::vector<PostgresMigration> PostgresShadowMigrations() {
  return {{.component = "shadow", .version = 1, .script = kVersion1, .extension = {}}};
}

Status PostgresShadowRecords::Save(const ShadowRun& run, Deadline deadline) {
  return store_.pool().Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        // Locked, so that nothing is saved of a user who is being forgotten.
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, LockAccount(connection, run.user));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteRun, run.job_id, user_key));
        const std::string digest = run.plan.empty() ? std::string() : Sha256Hex(run.plan);
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows saved,
            connection.Query(kInsertRun, user_key, run.job_id, run.candidate, ToUnixMillis(run.at),
                             static_cast<std::int64_t>(run.outcome),
                             static_cast<std::int64_t>(run.comparison.difference),
                             std::int64_t{run.comparison.wording},
                             std::int64_t{run.comparison.extra},
                             std::int64_t{run.comparison.missing},
                             std::int64_t{run.comparison.conflicting}, std::int64_t{run.control_ms},
                             std::int64_t{run.candidate_ms}, std::int64_t{run.end_to_end_ms},
                             PostgresBytes{run.plan}, digest, PostgresBytes{run.error}));
        if (saved.empty()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(
            kDeleteOld, saved[0].Int(0) - static_cast<std::int64_t>(kShadowRunsMax)));
        return {};
      });
}

Result<ShadowSummary> PostgresShadowRecords::Summarize(const std::string& candidate,
                                                       Deadline deadline) {
  return store_.pool().Read(deadline, [&](PostgresConnection& connection) -> Result<ShadowSummary> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectRuns, candidate));
    std::vector<ShadowRun> runs;
    for (const PostgresRow row : rows) {
      ShadowRun& run = runs.emplace_back();
      run.job_id = row.String(0);
      run.at = row.Time(1);
      run.outcome = static_cast<ShadowOutcome>(row.Int(2));
      run.comparison = {.difference = static_cast<PlanDifference>(row.Int(3)),
                        .wording = Number(row, 4),
                        .extra = Number(row, 5),
                        .missing = Number(row, 6),
                        .conflicting = Number(row, 7)};
      run.control_ms = Number(row, 8);
      run.candidate_ms = Number(row, 9);
      run.end_to_end_ms = Number(row, 10);
    }
    return SummarizeRuns(runs);
  });
}

Result<std::uint64_t> PostgresShadowRecords::Clear(Deadline deadline) {
  return store_.pool().Transact(deadline, PostgresIsolation::kReadCommitted,
                                [&](PostgresConnection& connection) -> Result<std::uint64_t> {
                                  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                                                            connection.Query(kClear));
                                  return static_cast<std::uint64_t>(rows.affected());
                                });
}

}  // namespace umbranet
