#include "umbranet/adapters/sqlite/sqlite_log_room.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "umbranet/adapters/sqlite/disk_reserve.h"

namespace umbranet {
namespace {

constexpr std::uint64_t kStepBytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t kSpareTimes = 16;

bool HasPlenty(const std::string& path, std::uint64_t bytes) {
  std::error_code failed;
  return FreeDiskBytes(path, failed) / kSpareTimes >= bytes;
}

// Behind the end of the log, so that nothing which SQLite has written is touched. False when there
// is no log, it is as long as it is to be, or the disk fails.
bool Lengthen(sqlite3* database, std::uint64_t bytes) {
  static constexpr std::array<char, std::size_t{64} << 10U> kZeros{};
  sqlite3_file* log = nullptr;
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER,
                           static_cast<void*>(&log)) != SQLITE_OK ||
      log == nullptr || log->pMethods == nullptr ||
      log->pMethods->xFileSize(log, &size) != SQLITE_OK) {
    return false;
  }
  const auto begin = static_cast<std::uint64_t>(size);
  const std::uint64_t end = std::min(begin + kStepBytes, bytes);
  if (begin >= end) {
    return false;
  }
  for (std::uint64_t at = begin; at < end; at += kZeros.size()) {
    const auto piece = static_cast<int>(std::min<std::uint64_t>(kZeros.size(), end - at));
    if (log->pMethods->xWrite(log, kZeros.data(), piece, static_cast<sqlite3_int64>(at)) !=
        SQLITE_OK) {
      return false;
    }
  }
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

}  // namespace

void SqliteLogRoom::TakeSome(sqlite3* database) {
  if (!wanted() || !HasPlenty(path_, bytes_) || !Lengthen(database, bytes_)) {
    bytes_ = 0;
  }
}

}  // namespace umbranet
