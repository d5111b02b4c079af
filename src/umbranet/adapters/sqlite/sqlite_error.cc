#include "umbranet/adapters/sqlite/sqlite_error.h"

#include <string>

#include <sqlite3.h>

namespace umbranet {

namespace {

ErrorCode CodeOf(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:  // A disk that failed is remounted read-only.
      return ErrorCode::kStorageFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_INTERRUPT:
      return ErrorCode::kDeadlineExceeded;
    case SQLITE_TOOBIG:
      return ErrorCode::kInvalidArgument;
    case SQLITE_NOMEM:
      return ErrorCode::kResourceExhausted;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kFailedPrecondition;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error SqliteError(int code, sqlite3* database, std::string_view what) {
  std::string message = "sqlite: ";
  message += what;
  message += ": ";
  message += database != nullptr && sqlite3_errcode(database) != SQLITE_OK
                 ? sqlite3_errmsg(database)
                 : sqlite3_errstr(code);
  return Error{CodeOf(code), std::move(message)};
}

}  // namespace umbranet
