#include "umbranet/adapters/sqlite/disk_reserve.h"

#include <filesystem>
#include <system_error>

namespace umbranet {
namespace {

constexpr std::chrono::seconds kTryAgainAfter{30};

}  // namespace

std::uint64_t FreeDiskBytes(const std::string& path, std::error_code& failed) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const auto space = std::filesystem::space(folder.empty() ? "." : folder, failed);
  return failed ? 0 : space.available;
}

Status CheckDiskReserve(const std::string& path, std::uint64_t reserve_bytes) {
  if (reserve_bytes == 0) {
    return {};
  }
  std::error_code failed;
  const std::uint64_t available = FreeDiskBytes(path, failed);
  // What stands in the log is written into the database as well, before the log is used again.
  std::error_code no_log;
  const std::uintmax_t log_bytes = std::filesystem::file_size(path + "-wal", no_log);
  const std::uint64_t wanted = reserve_bytes + (no_log ? 0 : log_bytes);
  if (!failed && available >= wanted) {
    return {};
  }
  const std::string found =
      failed ? failed.message() : std::to_string(available >> 20U) + " MiB are free";
  return Error{ErrorCode::kStorageFull,
               "sqlite: the disk of the data folder is full but for its reserve of " +
                   std::to_string(reserve_bytes >> 20U) + " MiB: " + found,
               kTryAgainAfter};
}

}  // namespace umbranet
