#include "umbranet/adapters/sqlite/data_folder_lock.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace umbranet {

namespace {

// The file holds two lines: the process id and the address.
DataFolderLock::Holder ReadHolderFile(int file) {
  DataFolderLock::Holder holder;
  std::array<char, 512> bytes{};
  const ssize_t size = pread(file, bytes.data(), bytes.size(), 0);
  if (size <= 0) {
    return holder;
  }
  const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  const std::size_t line = text.find('\n');
  const std::string_view pid = text.substr(0, line);
  std::from_chars(pid.data(), pid.data() + pid.size(), holder.pid);
  if (line != std::string_view::npos) {
    const std::string_view rest = text.substr(line + 1);
    holder.address = rest.substr(0, rest.find('\n'));
  }
  return holder;
}

std::string SystemMessage(int error) {
  return std::error_code(error, std::generic_category()).message();
}

}  // namespace

Result<DataFolderLock> DataFolderLock::Acquire(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    const int error = errno;
    return Error{error == ENOSPC ? ErrorCode::kStorageFull : ErrorCode::kFailedPrecondition,
                 "sqlite: cannot open " + path + ": " + SystemMessage(error)};
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const Holder holder = ReadHolderFile(file);
    close(file);
    if (error != EWOULDBLOCK) {
      return FailedPrecondition("sqlite: cannot lock " + path + ": " + SystemMessage(error));
    }
    std::string message = "sqlite: the data folder is in use by process " +
                          (holder.pid > 0 ? std::to_string(holder.pid) : std::string("unknown"));
    if (!holder.address.empty()) {
      message += ", which serves on " + holder.address;
    }
    message += "; use that one, stop it, or choose another data folder";
    return FailedPrecondition(std::move(message));
  }
  DataFolderLock lock(file);
  lock.Announce("");
  return lock;
}

std::optional<DataFolderLock::Holder> DataFolderLock::FindHolder(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return std::nullopt;
  }
  std::optional<Holder> holder;
  if (flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    holder = ReadHolderFile(file);
  }
  close(file);
  return holder;
}

DataFolderLock::DataFolderLock(int file) : file_(file) {}

DataFolderLock::DataFolderLock(DataFolderLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)) {}

DataFolderLock::~DataFolderLock() {
  if (file_ >= 0) {
    close(file_);
  }
}

void DataFolderLock::Announce(std::string_view address) const {
  std::string text = std::to_string(getpid());
  text += '\n';
  text += address;
  text += '\n';
  // Only for others to read: a failure to write it costs them the name, not the lock.
  if (ftruncate(file_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(file_, text.data(), text.size(), 0);
  }
}

}  // namespace umbranet
