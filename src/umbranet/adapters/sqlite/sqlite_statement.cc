#include "umbranet/adapters/sqlite/sqlite_statement.h"

#include <cassert>
#include <utility>

#include <sqlite3.h>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_error.h"

namespace umbranet {

SqliteStatement::SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement, Slot* slot)
    : connection_(&connection), statement_(statement), slot_(slot) {}

SqliteStatement::SqliteStatement(SqliteConnection& connection, Error error)
    : connection_(&connection), error_(std::move(error)), error_read_(false) {}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      slot_(std::exchange(other.slot_, nullptr)),
      error_(std::move(other.error_)),
      error_read_(std::exchange(other.error_read_, true)),
      stepped_(other.stepped_) {}

SqliteStatement::~SqliteStatement() {
  assert(error_read_ && "the failure of a statement was not looked at");
  if (statement_ == nullptr) {
    return;
  }
  if (slot_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  slot_->lent = false;
}

void SqliteStatement::Note(int code, std::string_view what) {
  if (code == SQLITE_OK || error_.has_value()) {
    return;
  }
  error_ = connection_->Translate(code, what);
  error_read_ = false;
}

void SqliteStatement::BindInt(int index, std::int64_t value) {
  if (statement_ != nullptr) {
    Note(sqlite3_bind_int64(statement_, index, value), "bind");
  }
}

void SqliteStatement::BindReal(int index, double value) {
  if (statement_ != nullptr) {
    Note(sqlite3_bind_double(statement_, index, value), "bind");
  }
}

void SqliteStatement::BindText(int index, std::string_view text) {
  if (statement_ != nullptr) {
    // A null pointer would be bound as NULL, which an empty text is not.
    const char* data = text.data() == nullptr ? "" : text.data();
    Note(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8),
         "bind");
  }
}

void SqliteStatement::BindBlob(int index, std::string_view bytes) {
  if (statement_ != nullptr) {
    const char* data = bytes.data() == nullptr ? "" : bytes.data();
    Note(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC), "bind");
  }
}

void SqliteStatement::BindNull(int index) {
  if (statement_ != nullptr) {
    Note(sqlite3_bind_null(statement_, index), "bind");
  }
}

bool SqliteStatement::Step() {
  if (statement_ == nullptr || error_.has_value()) {
    return false;
  }
  stepped_ = true;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    Note(code, "step");
  }
  return false;
}

Status SqliteStatement::Run() {
  while (Step()) {
  }
  return status();
}

Status SqliteStatement::status() {
  error_read_ = true;
  if (error_.has_value()) {
    return *error_;
  }
  return {};
}

void SqliteStatement::Reset() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    stepped_ = false;
  }
}

std::int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double SqliteStatement::Real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view SqliteStatement::Text(int column) const {
  // The text first: asking for it may convert the value, and the size is that of the result.
  const auto* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view SqliteStatement::Blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) {
    return {};
  }
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::int64_t> SqliteStatement::OptionalInt(int column) const {
  if (IsNull(column)) {
    return std::nullopt;
  }
  return Int(column);
}

std::optional<Timestamp> SqliteStatement::OptionalTime(int column) const {
  if (IsNull(column)) {
    return std::nullopt;
  }
  return Time(column);
}

}  // namespace umbranet
