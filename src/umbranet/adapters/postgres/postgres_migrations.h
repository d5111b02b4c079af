// The schema on the server, as numbered steps. Run by `umbranet migrate` (and at the start where
// that is wanted), never on the way of a request.
//
// Each component keeps its own steps in its own file and its own count, so that two of them grow
// without renumbering each other. A step that was released is never edited: the next one changes
// what it made. The table schema_migration keeps what was run, with a checksum that tells when a
// step was edited after all.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

struct PostgresMigration {
  std::string_view component;  // "ledger", ...
  int version = 0;             // 1, 2, 3 ... within the component.
  std::string_view script;     // Statements separated by semicolons; runs in one transaction.
  // A step that needs an extension is left out while the server does not have it, with the steps of
  // its component behind it, and run by the next migration once it does. The script itself says
  // CREATE EXTENSION IF NOT EXISTS.
  std::string_view extension = {};
};

// Every component's steps, in an order in which they can run.
std::vector<PostgresMigration> AllPostgresMigrations();

struct MigrationReport {
  std::uint64_t applied = 0;
  std::uint64_t left_out = 0;  // For want of an extension.
};

// Makes the schema and runs the steps that it has not seen, all or none. Two that migrate at the
// same time do it one after the other. kFailedPrecondition: the data was written by a newer
// program, or a step was edited after it was run.
Result<MigrationReport> Migrate(PostgresPool& pool, Deadline deadline);
Result<MigrationReport> Migrate(PostgresPool& pool, std::span<const PostgresMigration> migrations,
                                Deadline deadline);

// Whether this program and the schema fit together. kFailedPrecondition says in one sentence what
// to do: "... run umbranet migrate" when the schema is behind, install a newer program when it is
// ahead.
Status CheckSchema(PostgresPool& pool, Deadline deadline);
Status CheckSchema(PostgresPool& pool, std::span<const PostgresMigration> migrations,
                   Deadline deadline);

// Whether the server has this extension to offer, installed or not.
Result<bool> HasPostgresExtension(PostgresPool& pool, std::string_view extension,
                                  Deadline deadline);

}  // namespace umbranet
