// The readers of a SqliteDatabase: their pool, their loans, and scopes that keep one.
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_database.h"

namespace umbranet {
namespace {

constexpr std::string_view kBeginRead = "BEGIN";
constexpr std::string_view kRollback = "ROLLBACK";

// The innermost of this thread.
thread_local SqliteReadingScope* reading_scope = nullptr;

}  // namespace

SqliteReadingScope::SqliteReadingScope(SqliteDatabase& database)
    : database_(database), outer_(std::exchange(reading_scope, this)) {}

SqliteReadingScope::~SqliteReadingScope() {
  reading_scope = outer_;
  if (connection_ != nullptr) {
    database_.GiveBack(std::move(connection_));
  }
}

SqliteReader::SqliteReader(SqliteDatabase& database, std::unique_ptr<SqliteConnection> connection)
    : database_(&database), connection_(std::move(connection)) {}

SqliteReader::SqliteReader(SqliteReader&& other) noexcept = default;

SqliteReader::~SqliteReader() {
  if (connection_ == nullptr) {
    return;
  }
  if (scope_ != nullptr) {
    connection_->SetDeadline(Deadline::Never());
    scope_->connection_ = std::move(connection_);
    return;
  }
  database_->GiveBack(std::move(connection_));
}

Status SqliteReader::BeginSnapshot() {
  return connection_->InTransaction() ? Status() : connection_->Run(kBeginRead);
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::OpenReader() const {
  return SqliteConnection::Open({.path = options_.path,
                                 .mode = SqliteConnection::Mode::kReadOnly,
                                 .cache_kib = options_.reader_cache_kib,
                                 .mmap_bytes = options_.mmap_bytes});
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::TakeReader(Deadline deadline) {
  std::unique_ptr<SqliteConnection> connection;
  {
    MutexLock lock(readers_mutex_);
    while (readers_.empty() && readers_open_ >= options_.readers_max) {
      if (deadline.Expired()) {
        return DeadlineExceeded("sqlite: no reader came free in time");
      }
      if (deadline.IsNever()) {
        reader_free_.Wait(readers_mutex_);
      } else {
        reader_free_.WaitUntil(readers_mutex_, WakeAt(deadline));
      }
    }
    if (!readers_.empty()) {
      connection = std::move(readers_.back());
      readers_.pop_back();
    } else {
      ++readers_open_;
    }
  }
  if (connection == nullptr) {
    auto opened = OpenReader();
    if (!opened.ok()) {
      {
        MutexLock lock(readers_mutex_);
        --readers_open_;
      }
      reader_free_.NotifyOne();
      return std::move(opened).error();
    }
    connection = std::move(opened).value();
  }
  return connection;
}

Result<SqliteReader> SqliteDatabase::Read(Deadline deadline) {
  SqliteReadingScope* scope = reading_scope;
  while (scope != nullptr && &scope->database_ != this) {
    scope = scope->outer_;
  }
  std::unique_ptr<SqliteConnection> connection;
  if (scope != nullptr && scope->begun_ && scope->connection_ != nullptr) {
    connection = std::move(scope->connection_);
  } else {
    UMBRANET_ASSIGN_OR_RETURN(connection, TakeReader(deadline));
    // What a scope that has begun does not hold is on loan further out.
    if (scope != nullptr && (scope->begun_ || !connection->Run(kBeginRead).ok())) {
      scope = nullptr;
    } else if (scope != nullptr) {
      scope->begun_ = true;
    }
  }
  connection->SetDeadline(deadline);
  SqliteReader reader(*this, std::move(connection));
  reader.scope_ = scope;
  return reader;
}

void SqliteDatabase::GiveBack(std::unique_ptr<SqliteConnection> connection) {
  connection->SetDeadline(Deadline::Never());
  if (connection->InTransaction()) {
    [[maybe_unused]] const Status ended = connection->Run(kRollback);
  }
  {
    MutexLock lock(readers_mutex_);
    readers_.push_back(std::move(connection));
  }
  reader_free_.NotifyOne();
}

}  // namespace umbranet
