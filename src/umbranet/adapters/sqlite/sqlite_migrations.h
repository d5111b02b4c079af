// The schema of the file, as numbered steps.
//
// Each component keeps its own steps in its own file and its own count, so that two of them grow
// without renumbering each other. A step that was released is never edited: the next one changes
// what it made.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"

namespace umbranet {

struct SqliteMigration {
  std::string_view component;  // "ledger", ...
  int version = 0;             // 1, 2, 3 ... within the component.
  std::string_view script;     // Statements separated by semicolons; runs in one transaction.
};

// Every component's steps, in an order in which they can run.
std::vector<SqliteMigration> AllSqliteMigrations();

// Runs the steps that this file has not seen. kFailedPrecondition when the file was written by a
// newer program.
Status MigrateSqlite(SqliteConnection& connection, std::span<const SqliteMigration> migrations);

// Whether the file has seen just these steps, without changing it. kFailedPrecondition says what to
// do when it was written by a newer program or an older one.
Status CheckSqliteSchema(SqliteConnection& connection, std::span<const SqliteMigration> migrations);

}  // namespace umbranet
