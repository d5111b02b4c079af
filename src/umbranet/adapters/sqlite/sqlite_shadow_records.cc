#include "umbranet/adapters/sqlite/sqlite_shadow_records.h"

#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

// Outcomes and differences are numbered as in ShadowOutcome and PlanDifference.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE shadow_run(
  run_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  job_id TEXT NOT NULL UNIQUE,
  candidate TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  difference INTEGER NOT NULL,
  wording INTEGER NOT NULL,
  extra INTEGER NOT NULL,
  missing INTEGER NOT NULL,
  conflicting INTEGER NOT NULL,
  control_ms INTEGER NOT NULL,
  candidate_ms INTEGER NOT NULL,
  end_to_end_ms INTEGER NOT NULL,
  plan BLOB NOT NULL,
  plan_sha256 TEXT NOT NULL,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX shadow_run_by_user ON shadow_run(user_key);
)sql";

constexpr std::string_view kHasJob = "SELECT 1 FROM job WHERE job_id = ? AND user_key = ?";
constexpr std::string_view kDeleteRun = "DELETE FROM shadow_run WHERE job_id = ?";
constexpr std::string_view kInsertRun =
    "INSERT INTO shadow_run(user_key, job_id, candidate, at, outcome, difference, wording, extra,"
    " missing, conflicting, control_ms, candidate_ms, end_to_end_ms, plan, plan_sha256, error)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB), ?, ?)";
constexpr std::string_view kDeleteOld = "DELETE FROM shadow_run WHERE run_key <= ?";
constexpr std::string_view kSelectRuns =
    "SELECT job_id, at, outcome, difference, wording, extra, missing, conflicting, control_ms,"
    " candidate_ms, end_to_end_ms FROM shadow_run WHERE candidate = ? ORDER BY run_key";
constexpr std::string_view kClear = "DELETE FROM shadow_run";

std::uint32_t Number(const SqliteStatement& row, int column) {
  return static_cast<std::uint32_t>(row.Int(column));
}

}  // namespace

std::vector<SqliteMigration> ShadowMigrations() {
  return {{.component = "shadow", .version = 1, .script = kVersion1}};
}

Status SqliteShadowRecords::Save(const ShadowRun& run, Deadline deadline) {
  return store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FindAccount(connection, run.user));
        if (!user_key.has_value()) {
          return {};
        }
        {
          SqliteStatement job = connection.Prepare(kHasJob);
          job.BindAll(run.job_id, *user_key);
          const bool is_there = job.Step();
          UMBRANET_RETURN_IF_ERROR(job.status());
          if (!is_there) {
            return {};
          }
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteRun, run.job_id));
        UMBRANET_RETURN_IF_ERROR(connection.Run(
            kInsertRun, *user_key, run.job_id, run.candidate, run.at,
            static_cast<std::int64_t>(run.outcome),
            static_cast<std::int64_t>(run.comparison.difference), run.comparison.wording,
            run.comparison.extra, run.comparison.missing, run.comparison.conflicting,
            run.control_ms, run.candidate_ms, run.end_to_end_ms, run.plan,
            run.plan.empty() ? std::string() : Sha256Hex(run.plan), run.error));
        return connection.Run(
            kDeleteOld, connection.LastInsertRowid() - static_cast<std::int64_t>(kShadowRunsMax));
      },
      deadline);
}

Result<ShadowSummary> SqliteShadowRecords::Summarize(const std::string& candidate,
                                                     Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  std::vector<ShadowRun> runs;
  SqliteStatement row = reader->Prepare(kSelectRuns);
  row.BindAll(candidate);
  while (row.Step()) {
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
  UMBRANET_RETURN_IF_ERROR(row.status());
  return SummarizeRuns(runs);
}

Result<std::uint64_t> SqliteShadowRecords::Clear(Deadline deadline) {
  std::uint64_t cleared = 0;
  const Status written = store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&cleared](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kClear));
        cleared = static_cast<std::uint64_t>(connection.Changes());
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return cleared;
}

}  // namespace umbranet
