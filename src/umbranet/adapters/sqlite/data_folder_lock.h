// One process works with a data folder at a time; this lock says which.
//
// The lock is the kernel's (flock), so it is gone with its process however that ended; the file
// beside it only tells others whom to ask. All methods may be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

class DataFolderLock {
 public:
  struct Holder {
    int pid = 0;
    std::string address;  // Where it serves, "127.0.0.1:8080"; empty while it does not.
  };

  // kFailedPrecondition, naming the holder, when another process has it.
  static Result<DataFolderLock> Acquire(const std::string& path);
  // Who holds the lock just now; nothing when nobody does.
  static std::optional<Holder> FindHolder(const std::string& path);

  DataFolderLock(DataFolderLock&& other) noexcept;
  DataFolderLock& operator=(DataFolderLock&&) = delete;
  DataFolderLock(const DataFolderLock&) = delete;
  DataFolderLock& operator=(const DataFolderLock&) = delete;
  ~DataFolderLock();

  // Tells later comers where this process serves.
  void Announce(std::string_view address) const;

 private:
  explicit DataFolderLock(int file);

  int file_ = -1;
};

}  // namespace umbranet
