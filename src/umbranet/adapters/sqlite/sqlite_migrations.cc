#include "umbranet/adapters/sqlite/sqlite_migrations.h"

#include <map>
#include <string>

#include "umbranet/adapters/sqlite/consolidation_schema.h"
#include "umbranet/adapters/sqlite/entity_merge_schema.h"
#include "umbranet/adapters/sqlite/generation_schema.h"
#include "umbranet/adapters/sqlite/ledger_schema.h"
#include "umbranet/adapters/sqlite/sqlite_model_usage_book.h"
#include "umbranet/adapters/sqlite/sqlite_shadow_records.h"
#include "umbranet/adapters/sqlite/tier_schema.h"

namespace umbranet {

namespace {

constexpr std::string_view kCreateVersions =
    "CREATE TABLE IF NOT EXISTS schema_version("
    " component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID";
constexpr std::string_view kSelectVersions =
    "SELECT component, version FROM schema_version ORDER BY component";
constexpr std::string_view kSetVersion =
    "INSERT INTO schema_version(component, version) VALUES(?, ?)"
    " ON CONFLICT(component) DO UPDATE SET version = excluded.version";

Status RunStep(SqliteConnection& connection, const SqliteMigration& step) {
  UMBRANET_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  Status done = connection.Execute(std::string(step.script));
  if (done.ok()) {
    done = connection.Run(kSetVersion, step.component, step.version);
  }
  if (done.ok()) {
    done = connection.Execute("COMMIT");
  }
  if (!done.ok()) {
    if (connection.InTransaction()) {
      [[maybe_unused]] const Status undone = connection.Execute("ROLLBACK");
    }
    Error error = std::move(done).error();
    error.message += " (in step " + std::to_string(step.version) + " of the " +
                     std::string(step.component) + " schema)";
    return error;
  }
  return {};
}

// The last step of each component.
using Versions = std::map<std::string, int, std::less<>>;

Result<Versions> ReadVersions(SqliteConnection& connection) {
  Versions present;
  SqliteStatement versions = connection.Prepare(kSelectVersions);
  while (versions.Step()) {
    present[versions.String(0)] = static_cast<int>(versions.Int(1));
  }
  UMBRANET_RETURN_IF_ERROR(versions.status());
  return present;
}

bool IsPresent(const Versions& present, const SqliteMigration& step) {
  const auto found = present.find(step.component);
  return found != present.end() && found->second >= step.version;
}

Status CheckKnown(const Versions& present, std::span<const SqliteMigration> migrations) {
  Versions known;
  for (const SqliteMigration& step : migrations) {
    known[std::string(step.component)] = step.version;
  }
  for (const auto& [component, version] : present) {
    const auto found = known.find(component);
    if (found == known.end() || found->second < version) {
      return FailedPrecondition(
          "sqlite: the data was written by a newer version of this program (its " + component +
          " schema is " + std::to_string(version) + ", this program knows " +
          (found == known.end() ? std::string("none") : std::to_string(found->second)) +
          "); install that version or a later one");
    }
  }
  return {};
}

}  // namespace

std::vector<SqliteMigration> AllSqliteMigrations() {
  // Later components may refer to the tables of earlier ones.
  std::vector<SqliteMigration> all;
  for (const std::vector<SqliteMigration>& component :
       {LedgerMigrations(), TierMigrations(), EntityMergeMigrations(), GenerationMigrations(),
        ShadowMigrations(), ConsolidationMigrations(), ModelUsageMigrations()}) {
    all.insert(all.end(), component.begin(), component.end());
  }
  return all;
}

Status MigrateSqlite(SqliteConnection& connection, std::span<const SqliteMigration> migrations) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kCreateVersions));
  UMBRANET_ASSIGN_OR_RETURN(const Versions present, ReadVersions(connection));
  UMBRANET_RETURN_IF_ERROR(CheckKnown(present, migrations));
  for (const SqliteMigration& step : migrations) {
    if (!IsPresent(present, step)) {
      UMBRANET_RETURN_IF_ERROR(RunStep(connection, step));
    }
  }
  return {};
}

Status CheckSqliteSchema(SqliteConnection& connection,
                         std::span<const SqliteMigration> migrations) {
  UMBRANET_ASSIGN_OR_RETURN(const Versions present, ReadVersions(connection));
  UMBRANET_RETURN_IF_ERROR(CheckKnown(present, migrations));
  for (const SqliteMigration& step : migrations) {
    if (!IsPresent(present, step)) {
      return FailedPrecondition(
          "sqlite: the data was written by an older version of this program (it lacks step " +
          std::to_string(step.version) + " of the " + std::string(step.component) +
          " schema); start umbranet serve on it once, which brings it up to date");
    }
  }
  return {};
}

}  // namespace umbranet
