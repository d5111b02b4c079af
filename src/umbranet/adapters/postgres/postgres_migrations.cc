#include "umbranet/adapters/postgres/postgres_migrations.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "umbranet/adapters/postgres/consolidation_schema.h"
#include "umbranet/adapters/postgres/ledger_schema.h"
#include "umbranet/adapters/postgres/postgres_generation_schema.h"
#include "umbranet/adapters/postgres/postgres_model_usage_book.h"
#include "umbranet/adapters/postgres/postgres_move_target.h"
#include "umbranet/adapters/postgres/postgres_shadow_records.h"
#include "umbranet/adapters/postgres/postgres_short_term_memory.h"
#include "umbranet/adapters/postgres/postgres_tier_schema.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {

namespace {

// Released at the end of the transaction.
constexpr std::string_view kLock =
    "SELECT pg_advisory_xact_lock(hashtext('umbranet migrate'), hashtext($1))";
constexpr std::string_view kHasSchema = "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL";
constexpr std::string_view kQuote = "SELECT quote_ident($1)";
constexpr std::string_view kHasTable =
    "SELECT to_regclass(quote_ident(COALESCE(NULLIF($1, ''), current_schema()))"
    " || '.schema_migration') IS NOT NULL";
constexpr std::string_view kCreateTable =
    "CREATE TABLE schema_migration(component text NOT NULL, version integer NOT NULL,"
    " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
    " PRIMARY KEY(component, version))";
constexpr std::string_view kSelectApplied =
    "SELECT component, version, checksum FROM schema_migration ORDER BY component, version";
constexpr std::string_view kInsertApplied =
    "INSERT INTO schema_migration(component, version, checksum) VALUES($1, $2, $3)";
constexpr std::string_view kSelectExtensions =
    "SELECT name::text FROM pg_available_extensions"
    " UNION SELECT extname::text FROM pg_extension ORDER BY 1";
constexpr std::string_view kHasExtension =
    "SELECT EXISTS(SELECT FROM pg_extension WHERE extname = $1)";
constexpr std::string_view kLacksRight = "42501";

// Building an index of a large table takes its time; whoever migrates waits for it.
constexpr Millis kMigrationLimit{3'600'000};

struct Applied {
  // The checksums by component and version.
  std::map<std::string, std::map<int, std::string>, std::less<>> steps;
};

Result<bool> AskBool(PostgresConnection& connection, std::string_view sql, std::string_view value) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql, value));
  return !rows.empty() && rows[0].Bool(0);
}

Result<Applied> ReadApplied(PostgresConnection& connection) {
  Applied applied;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectApplied));
  for (const PostgresRow row : rows) {
    applied.steps[row.String(0)][static_cast<int>(row.Int(1))] = row.String(2);
  }
  return applied;
}

Result<std::set<std::string, std::less<>>> ReadExtensions(PostgresConnection& connection) {
  std::set<std::string, std::less<>> names;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectExtensions));
  for (const PostgresRow row : rows) {
    names.insert(row.String(0));
  }
  return names;
}

// kFailedPrecondition when what was run is not what this program would run.
Status CheckKnown(const Applied& applied, std::span<const PostgresMigration> migrations,
                  const std::string& server) {
  for (const auto& [component, versions] : applied.steps) {
    for (const auto& [version, checksum] : versions) {
      const PostgresMigration* known = nullptr;
      for (const PostgresMigration& step : migrations) {
        if (step.component == component && step.version == version) {
          known = &step;
        }
      }
      const std::string which = "step " + std::to_string(version) + " of its " + component;
      if (known == nullptr) {
        return FailedPrecondition(server + ": its data was written by a newer version of this" +
                                  " program, which this one does not know (" + which +
                                  " schema); install that version or a later one");
      }
      if (Sha256Hex(known->script) != checksum) {
        return FailedPrecondition(server + ": " + which +
                                  " schema was made by another version of that step; install the"
                                  " program that made it");
      }
    }
  }
  return {};
}

// The steps to run. Those that need an extension which is not there are counted, and with them the
// rest of their component.
std::vector<const PostgresMigration*> Missing(const Applied& applied,
                                              std::span<const PostgresMigration> migrations,
                                              const std::set<std::string, std::less<>>& extensions,
                                              std::uint64_t& left_out) {
  std::vector<const PostgresMigration*> missing;
  std::set<std::string_view> ended;
  for (const PostgresMigration& step : migrations) {
    const auto found = applied.steps.find(step.component);
    if (found != applied.steps.end() && found->second.count(step.version) > 0) {
      continue;
    }
    if (!step.extension.empty() && extensions.count(step.extension) == 0) {
      ended.insert(step.component);
    }
    if (ended.count(step.component) > 0) {
      ++left_out;
    } else {
      missing.push_back(&step);
    }
  }
  return missing;
}

Status MakeSchema(PostgresConnection& connection, const std::string& schema) {
  if (schema.empty()) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const bool has_schema, AskBool(connection, kHasSchema, schema));
  if (has_schema) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows quoted, connection.Query(kQuote, schema));
  return connection.RunScript("CREATE SCHEMA " + quoted[0].String(0));
}

Result<MigrationReport> RunMissing(PostgresConnection& connection, const std::string& schema,
                                   std::span<const PostgresMigration> migrations) {
  UMBRANET_RETURN_IF_ERROR(connection.Query(kLock, schema));
  UMBRANET_RETURN_IF_ERROR(MakeSchema(connection, schema));
  UMBRANET_ASSIGN_OR_RETURN(const bool has_table, AskBool(connection, kHasTable, schema));
  if (!has_table) {
    UMBRANET_RETURN_IF_ERROR(connection.Query(kCreateTable));
  }
  UMBRANET_ASSIGN_OR_RETURN(const Applied applied, ReadApplied(connection));
  UMBRANET_RETURN_IF_ERROR(CheckKnown(applied, migrations, connection.name()));
  UMBRANET_ASSIGN_OR_RETURN(const auto extensions, ReadExtensions(connection));
  MigrationReport report;
  for (const PostgresMigration* step : Missing(applied, migrations, extensions, report.left_out)) {
    // One that is there is used as it is, by whomever it was made.
    UMBRANET_ASSIGN_OR_RETURN(const bool has_extension,
                              step->extension.empty()
                                  ? Result<bool>(true)
                                  : AskBool(connection, kHasExtension, step->extension));
    Status done = connection.RunScript(std::string(step->script));
    if (!done.ok()) {
      Error error = std::move(done).error();
      if (!has_extension && connection.sqlstate() == kLacksRight) {
        const std::string name(step->extension);
        return FailedPrecondition(connection.name() + ": the user in POSTGRES_URL may not create" +
                                  " the extension " + name + "; have an administrator run CREATE" +
                                  " EXTENSION " + name + " in this database once, then repeat");
      }
      error.message += " (in step " + std::to_string(step->version) + " of the " +
                       std::string(step->component) + " schema)";
      return error;
    }
    UMBRANET_RETURN_IF_ERROR(
        connection.Query(kInsertApplied, step->component, step->version, Sha256Hex(step->script)));
    ++report.applied;
  }
  return report;
}

}  // namespace

std::vector<PostgresMigration> AllPostgresMigrations() {
  // Later components may refer to the tables of earlier ones.
  std::vector<PostgresMigration> all;
  for (const std::vector<PostgresMigration>& component :
       {PostgresLedgerMigrations(), PostgresTierMigrations(), PostgresConversationMigrations(),
        PostgresMoveMigrations(), PostgresShadowMigrations(), PostgresGenerationMigrations(),
        PostgresConsolidationMigrations(), PostgresModelUsageMigrations()}) {
    all.insert(all.end(), component.begin(), component.end());
  }
  return all;
}

Result<MigrationReport> Migrate(PostgresPool& pool, Deadline deadline) {
  return Migrate(pool, AllPostgresMigrations(), deadline);
}

Result<MigrationReport> Migrate(PostgresPool& pool, std::span<const PostgresMigration> migrations,
                                Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(pool.Ping(deadline));
  const SystemClock clock;
  if (deadline.IsNever()) {
    deadline = Deadline::After(clock, kMigrationLimit);
  }
  return pool.Transact(deadline, PostgresIsolation::kReadCommitted,
                       [&](PostgresConnection& connection) {
                         return RunMissing(connection, pool.options().schema, migrations);
                       });
}

Status CheckSchema(PostgresPool& pool, Deadline deadline) {
  return CheckSchema(pool, AllPostgresMigrations(), deadline);
}

Status CheckSchema(PostgresPool& pool, std::span<const PostgresMigration> migrations,
                   Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(pool.Ping(deadline));
  return pool.Read(deadline, [&](PostgresConnection& connection) -> Status {
    UMBRANET_ASSIGN_OR_RETURN(const bool has_table,
                              AskBool(connection, kHasTable, pool.options().schema));
    Applied applied;
    if (has_table) {
      UMBRANET_ASSIGN_OR_RETURN(applied, ReadApplied(connection));
    }
    UMBRANET_RETURN_IF_ERROR(CheckKnown(applied, migrations, connection.name()));
    UMBRANET_ASSIGN_OR_RETURN(const auto extensions, ReadExtensions(connection));
    std::uint64_t left_out = 0;
    const std::size_t missing = Missing(applied, migrations, extensions, left_out).size();
    if (missing > 0) {
      return FailedPrecondition(connection.name() + ": its tables are " +
                                (has_table ? "older than this program" : "not made yet") +
                                "; run umbranet migrate");
    }
    return {};
  });
}

Result<bool> HasPostgresExtension(PostgresPool& pool, std::string_view extension,
                                  Deadline deadline) {
  return pool.Read(deadline, [&](PostgresConnection& connection) -> Result<bool> {
    UMBRANET_ASSIGN_OR_RETURN(const auto extensions, ReadExtensions(connection));
    return extensions.count(extension) > 0;
  });
}

}  // namespace umbranet
