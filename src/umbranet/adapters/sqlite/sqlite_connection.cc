#include "umbranet/adapters/sqlite/sqlite_connection.h"

#include <utility>

#include <sqlite3.h>

#include "umbranet/adapters/sqlite/sqlite_error.h"

namespace umbranet {

namespace {

// Virtual machine steps between two looks at the deadline: some tens of microseconds.
constexpr int kStepsPerDeadlineCheck = 4000;

// SQLite counts its memory under one mutex for the whole process, which every allocation of every
// reader would take; nobody reads those counts. Has no effect once SQLite is in use.
void StopCountingMemory() {
  [[maybe_unused]] static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const Options& options) {
  StopCountingMemory();
  const int access = options.mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                      : SQLITE_OPEN_READONLY;
  sqlite3* database = nullptr;
  // No mutex of SQLite's own: one thread at a time uses a connection.
  const int code = sqlite3_open_v2(options.path.c_str(), &database,
                                   access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) {
    Error error = SqliteError(code, database, "open " + options.path);
    sqlite3_close_v2(database);
    return error;
  }
  std::unique_ptr<SqliteConnection> connection(
      new SqliteConnection(database, options.statements_max, options.mode == Mode::kReadWrite));
  sqlite3_busy_timeout(database, 5000);
  // Plans do not depend on what is bound, so that statements are not planned anew at every use.
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
  UMBRANET_RETURN_IF_ERROR(connection->Execute(
      "PRAGMA cache_size=-" + std::to_string(options.cache_kib) +
      ";PRAGMA mmap_size=" + std::to_string(options.mmap_bytes) +
      ";PRAGMA temp_store=MEMORY;PRAGMA foreign_keys=ON;PRAGMA trusted_schema=OFF"));
  return connection;
}

SqliteConnection::SqliteConnection(sqlite3* database, std::size_t statements_max, bool writes)
    : database_(database), statements_max_(statements_max), writes_(writes) {}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, slot] : statements_) {
    sqlite3_finalize(slot.statement);
  }
  sqlite3_close_v2(database_);
}

SqliteStatement SqliteConnection::Prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end() && !found->second.lent) {
    found->second.lent = true;
    return {*this, found->second.statement, &found->second};
  }
  const bool keep = found == statements_.end() && statements_.size() < statements_max_;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      keep ? SQLITE_PREPARE_PERSISTENT : 0U, &statement, nullptr);
  if (code != SQLITE_OK) {
    return {*this, Translate(code, "prepare")};
  }
  if (!keep) {
    return {*this, statement, nullptr};
  }
  SqliteStatement::Slot& slot =
      statements_.emplace(std::string(sql), SqliteStatement::Slot{statement, true}).first->second;
  return {*this, statement, &slot};
}

Status SqliteConnection::Execute(const std::string& script) {
  const int code = sqlite3_exec(database_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return Translate(code, "execute");
  }
  return {};
}

std::int64_t SqliteConnection::Changes() const {
  return sqlite3_changes64(database_);
}

std::int64_t SqliteConnection::LastInsertRowid() const {
  return sqlite3_last_insert_rowid(database_);
}

void SqliteConnection::SetDeadline(Deadline deadline) {
  const bool wanted = !deadline.IsNever();
  deadline_ = deadline;
  if (wanted == deadline_set_) {
    return;
  }
  deadline_set_ = wanted;
  if (!wanted) {
    sqlite3_progress_handler(database_, 0, nullptr, nullptr);
    return;
  }
  sqlite3_progress_handler(
      database_, kStepsPerDeadlineCheck,
      [](void* self) -> int {
        return static_cast<SqliteConnection*>(self)->deadline_.Expired() ? 1 : 0;
      },
      this);
}

bool SqliteConnection::InTransaction() const {
  return sqlite3_get_autocommit(database_) == 0;
}

std::vector<SqliteConnection::Scan> SqliteConnection::Scans() const {
  std::vector<Scan> scans;
  for (const auto& [sql, slot] : statements_) {
    const int rows = sqlite3_stmt_status(slot.statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    if (rows > 0) {
      scans.push_back({sql, rows});
    }
  }
  return scans;
}

Error SqliteConnection::Translate(int code, std::string_view what) const {
  return SqliteError(code, database_, what);
}

}  // namespace umbranet
