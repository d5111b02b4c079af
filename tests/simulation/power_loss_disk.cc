#include "tests/simulation/power_loss_disk.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include "umbranet/base/mutex.h"

#include "tests/simulation/seeded_random.h"

namespace umbranet {
namespace {

namespace fs = std::filesystem;

// What a disk writes as one.
constexpr std::size_t kSectorBytes = 512;

struct Change {
  std::int64_t offset = 0;
  std::string bytes;
  bool truncates = false;  // To `offset`.
};

struct FileImage {
  std::string on_disk;
  std::vector<Change> written;  // Since the last sync.
};

void Carry(const Change& change, std::size_t bytes, std::string& image) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.truncates) {
    image.resize(offset);
    return;
  }
  if (image.size() < offset + bytes) {
    image.resize(offset + bytes);
  }
  std::copy_n(change.bytes.begin(), bytes, image.begin() + change.offset);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

class PowerLossDisk::State {
 public:
  explicit State(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] bool Watches(std::string_view path) const {
    // What readers share is in memory, and made anew.
    return path.starts_with(folder_) && !path.ends_with("-shm");
  }

  void Opened(const std::string& path) {
    const MutexLock lock(mutex_);
    if (!files_.contains(path)) {
      files_[path].on_disk = ReadFile(path);
    }
  }

  void Deleted(const std::string& path) {
    const MutexLock lock(mutex_);
    files_.erase(path);
  }

  void Changed(const std::string& path, Change change) {
    Count();
    const MutexLock lock(mutex_);
    files_[path].written.push_back(std::move(change));
  }

  void Synced(const std::string& path) {
    Count();
    const MutexLock lock(mutex_);
    FileImage& file = files_[path];
    for (const Change& change : file.written) {
      Carry(change, change.bytes.size(), file.on_disk);
    }
    file.written.clear();
  }

  [[nodiscard]] bool TakesPragma(std::string_view name, const char* value) const {
    const MutexLock lock(mutex_);
    return ignores_full_ && name == "synchronous" && value != nullptr &&
           std::string_view(value) == "FULL";
  }

  void IgnoreFull() {
    const MutexLock lock(mutex_);
    ignores_full_ = true;
  }

  [[nodiscard]] std::uint64_t operations() const {
    const MutexLock lock(mutex_);
    return operations_;
  }

  void BeforeEach(std::function<void(std::uint64_t)> hook) {
    const MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }

  void CutTo(const fs::path& folder, SeededRandom random) const {
    fs::create_directories(folder);
    const MutexLock lock(mutex_);
    for (const auto& [path, file] : files_) {
      std::string found = file.on_disk;
      for (const Change& change : file.written) {
        const std::int64_t fate = random.Below(3);
        const std::size_t sectors = change.bytes.size() / kSectorBytes;
        if (fate == 0) {
          Carry(change, change.bytes.size(), found);
        } else if (fate == 1 && sectors > 0) {
          const auto whole =
              static_cast<std::size_t>(random.Below(static_cast<std::int64_t>(sectors) + 1));
          Carry(change, whole * kSectorBytes, found);
        }
      }
      std::ofstream out(folder / fs::path(path).filename(), std::ios::binary);
      out.write(found.data(), static_cast<std::streamsize>(found.size()));
    }
  }

 private:
  void Count() {
    std::function<void(std::uint64_t)> hook;
    std::uint64_t operation = 0;
    {
      const MutexLock lock(mutex_);
      operation = ++operations_;
      hook = hook_;
    }
    if (hook) {
      hook(operation);
    }
  }

  const std::string folder_;
  mutable Mutex mutex_;
  bool ignores_full_ GUARDED_BY(mutex_) = false;
  std::uint64_t operations_ GUARDED_BY(mutex_) = 0;
  std::function<void(std::uint64_t)> hook_ GUARDED_BY(mutex_);
  std::map<std::string, FileImage> files_ GUARDED_BY(mutex_);
};

namespace {

// SQLite hands out the room for it, the file of the system's VFS directly behind.
struct WatchedFile {
  sqlite3_file base;
  PowerLossDisk::State* state;  // Null: nobody keeps account of it.
  std::string* path;

  [[nodiscard]] sqlite3_file* system() {
    return reinterpret_cast<sqlite3_file*>(this + 1);  // NOLINT
  }
};

struct WatchedVfs {
  PowerLossDisk::State* state;
  sqlite3_vfs* system;
};

WatchedFile& Of(sqlite3_file* file) {
  return *reinterpret_cast<WatchedFile*>(file);  // NOLINT
}

sqlite3_file* System(sqlite3_file* file) {
  return Of(file).system();
}

WatchedVfs& Of(sqlite3_vfs* vfs) {
  return *static_cast<WatchedVfs*>(vfs->pAppData);
}

int Close(sqlite3_file* file) {
  const int code = System(file)->pMethods->xClose(System(file));
  delete std::exchange(Of(file).path, nullptr);
  return code;
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  WatchedFile& watched = Of(file);
  if (watched.state != nullptr) {
    watched.state->Changed(*watched.path, {.offset = offset,
                                           .bytes = std::string(static_cast<const char*>(bytes),
                                                                static_cast<std::size_t>(size))});
  }
  return System(file)->pMethods->xWrite(System(file), bytes, size, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  WatchedFile& watched = Of(file);
  if (watched.state != nullptr) {
    watched.state->Changed(*watched.path, {.offset = size, .bytes = {}, .truncates = true});
  }
  return System(file)->pMethods->xTruncate(System(file), size);
}

// The system is not asked to sync: nothing here outlives a real power cut anyway.
int Sync(sqlite3_file* file, int /*flags*/) {
  WatchedFile& watched = Of(file);
  if (watched.state != nullptr) {
    watched.state->Synced(*watched.path);
  }
  return SQLITE_OK;
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  WatchedFile& watched = Of(file);
  if (operation == SQLITE_FCNTL_PRAGMA && watched.state != nullptr) {
    const char* const* words = static_cast<char**>(argument);
    if (watched.state->TakesPragma(words[1], words[2])) {  // NOLINT
      return SQLITE_OK;
    }
  }
  return System(file)->pMethods->xFileControl(System(file), operation, argument);
}

const sqlite3_io_methods& Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods made{};
    made.iVersion = 2;  // Without memory-mapped pages, which would be written behind its back.
    made.xClose = Close;
    made.xRead = [](sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
      return System(file)->pMethods->xRead(System(file), to, size, offset);
    };
    made.xWrite = Write;
    made.xTruncate = Truncate;
    made.xSync = Sync;
    made.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      return System(file)->pMethods->xFileSize(System(file), size);
    };
    made.xLock = [](sqlite3_file* file, int lock) {
      return System(file)->pMethods->xLock(System(file), lock);
    };
    made.xUnlock = [](sqlite3_file* file, int lock) {
      return System(file)->pMethods->xUnlock(System(file), lock);
    };
    made.xCheckReservedLock = [](sqlite3_file* file, int* held) {
      return System(file)->pMethods->xCheckReservedLock(System(file), held);
    };
    made.xFileControl = FileControl;
    made.xSectorSize = [](sqlite3_file* file) {
      return System(file)->pMethods->xSectorSize(System(file));
    };
    made.xDeviceCharacteristics = [](sqlite3_file* file) {
      return System(file)->pMethods->xDeviceCharacteristics(System(file));
    };
    made.xShmMap = [](sqlite3_file* file, int page, int size, int extend, volatile void** to) {
      return System(file)->pMethods->xShmMap(System(file), page, size, extend, to);
    };
    made.xShmLock = [](sqlite3_file* file, int offset, int count, int flags) {
      return System(file)->pMethods->xShmLock(System(file), offset, count, flags);
    };
    made.xShmBarrier = [](sqlite3_file* file) {
      System(file)->pMethods->xShmBarrier(System(file));
    };
    made.xShmUnmap = [](sqlite3_file* file, int remove) {
      return System(file)->pMethods->xShmUnmap(System(file), remove);
    };
    return made;
  }();
  return methods;
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* given) {
  const WatchedVfs& own = Of(vfs);
  WatchedFile& watched = Of(file);
  watched.base.pMethods = nullptr;
  watched.state = nullptr;
  const int code = own.system->xOpen(own.system, name, System(file), flags, given);
  if (code != SQLITE_OK) {
    return code;
  }
  watched.path = new std::string(name == nullptr ? "" : name);
  if (own.state->Watches(*watched.path)) {
    watched.state = own.state;
    own.state->Opened(*watched.path);
  }
  watched.base.pMethods = &Methods();
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  const WatchedVfs& own = Of(vfs);
  if (own.state->Watches(name)) {
    own.state->Deleted(name);
  }
  return own.system->xDelete(own.system, name, sync_folder);
}

}  // namespace

PowerLossDisk::PowerLossDisk(std::string folder)
    : state_(std::make_shared<State>(std::move(folder))) {
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  vfs_ = std::make_unique<sqlite3_vfs>(*system);
  vfs_->zName = "power-loss";
  vfs_->szOsFile = static_cast<int>(sizeof(WatchedFile)) + system->szOsFile;
  vfs_->pAppData = new WatchedVfs{state_.get(), system};
  vfs_->xOpen = Open;
  vfs_->xDelete = Delete;
  // The rest of the system's functions ask their own data, which is theirs.
  vfs_->xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    return Of(vfs).system->xAccess(Of(vfs).system, name, flags, result);
  };
  vfs_->xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* full) {
    return Of(vfs).system->xFullPathname(Of(vfs).system, name, size, full);
  };
  sqlite3_vfs_register(vfs_.get(), /*makeDflt=*/1);
}

PowerLossDisk::~PowerLossDisk() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(Of(vfs_.get()).system, /*makeDflt=*/1);
  delete &Of(vfs_.get());
}

void PowerLossDisk::IgnoreFull() {
  state_->IgnoreFull();
}

std::uint64_t PowerLossDisk::operations() const {
  return state_->operations();
}

void PowerLossDisk::BeforeEach(std::function<void(std::uint64_t)> hook) {
  state_->BeforeEach(std::move(hook));
}

void PowerLossDisk::CutTo(const std::string& folder, std::uint64_t seed) const {
  state_->CutTo(folder, SeededRandom(seed));
}

}  // namespace umbranet
