// The SQLite file of a data folder: one writer, several readers, group commit.
//
// All writing happens on one connection that one thread owns. Commands queue up in two lanes; the
// thread takes everything that waits, runs it in one transaction and tells the callers only after
// COMMIT has returned. (One writer is also what keeps SQLite up to 3.51.2 clear of its WAL-reset
// bug, which takes two connections that write and checkpoint.)
//
//   kForeground  Somebody waits for it and is told that it is safe: the commit is on the disk
//                (synchronous=FULL) when Write returns.
//   kBackground  Work that is done again from what is durable when it is lost, which is what
//                reflection does. Its commits survive the death of the process but are not forced
//                to the disk by themselves; the next foreground commit or checkpoint does that, in
//                order, so that after a power cut nothing is there without what came before it. A
//                slice of at most Options::background_budget runs between two groups of the
//                foreground lane, and ends early when a foreground command comes in.
//
// All methods may be called from any thread; Write must not be called from inside a work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "umbranet/adapters/sqlite/data_folder_lock.h"
#include "umbranet/adapters/sqlite/disk_reserve.h"
#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_log_room.h"
#include "umbranet/adapters/sqlite/sqlite_migrations.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

class SqliteDatabase;

// While it lives, what its thread reads of the database comes from one connection and sees one
// state, the one at the first reading. Every transaction of a reader begins with an empty page
// cache when something was written since, so several small readings cost much less together.
// Belongs to one thread. A second one of the same thread changes nothing. Does not outlive the
// database. The log cannot start over while one lives, so it is for milliseconds.
class SqliteReadingScope {
 public:
  explicit SqliteReadingScope(SqliteDatabase& database);
  SqliteReadingScope(const SqliteReadingScope&) = delete;
  SqliteReadingScope& operator=(const SqliteReadingScope&) = delete;
  ~SqliteReadingScope();

 private:
  friend class SqliteDatabase;
  friend class SqliteReader;

  SqliteDatabase& database_;
  SqliteReadingScope* const outer_;
  bool begun_ = false;
  std::unique_ptr<SqliteConnection> connection_;  // In a transaction; none while it is on loan.
};

// A read-only connection on loan from the pool; it goes back when this goes out of scope.
class SqliteReader {
 public:
  SqliteReader(SqliteReader&& other) noexcept;
  SqliteReader(const SqliteReader&) = delete;
  SqliteReader& operator=(const SqliteReader&) = delete;
  SqliteReader& operator=(SqliteReader&&) = delete;
  ~SqliteReader();

  SqliteConnection& operator*() const { return *connection_; }

  SqliteConnection* operator->() const { return connection_.get(); }

  // From here until the loan ends, all statements see the same state of the database.
  Status BeginSnapshot();

 private:
  friend class SqliteDatabase;
  SqliteReader(SqliteDatabase& database, std::unique_ptr<SqliteConnection> connection);

  SqliteDatabase* database_;
  std::unique_ptr<SqliteConnection> connection_;
  SqliteReadingScope* scope_ = nullptr;  // To which it goes back, on the same thread.
};

class SqliteDatabase {
 public:
  enum class Lane : std::uint8_t { kForeground, kBackground };

  struct Options {
    std::string path;     // The file; its folder is made when it is missing.
    std::string address;  // Where this process serves, for others that find the folder locked.
    std::size_t readers_max = 8;
    std::size_t reader_cache_kib = 4096;
    std::size_t writer_cache_kib = 8192;
    std::size_t mmap_bytes = 0;
    std::size_t commands_max = 4096;  // That may wait in one lane; the next one is refused.
    std::size_t group_max = 256;      // Commands in one transaction.
    Millis group_budget{2};           // After which a group takes no further command.
    Millis background_budget{2};
    std::size_t wal_pages_idle = 1000;  // Moved into the file in a quiet moment.
    std::size_t wal_pages_max = 8000;   // Moved into the file even when something waits.
    std::uint64_t log_room_bytes = 0;   // Taken for the log in quiet moments; see SqliteLogRoom.
    std::size_t pages_max = 0;          // Bound on the file, 4 KiB a page; 0 for none.
    // Bytes that stay free on the disk; SqliteJournal takes no turn beyond. 0 for none.
    std::uint64_t reserve_bytes = 0;
    // Nothing of the file is changed: no folder or file is made, no step of the schema is run, what
    // is written is refused. The folder is locked all the same.
    bool read_only = false;
    std::vector<SqliteMigration> migrations = AllSqliteMigrations();
  };

  struct Counters {
    std::uint64_t commits = 0;
    std::uint64_t commands = 0;
    std::uint64_t failed_commits = 0;
    std::uint64_t checkpoints = 0;
    std::size_t waiting = 0;
    std::size_t readers = 0;
  };

  // Runs on the writer thread inside a transaction. What it wrote is undone when it fails; a
  // failure does not touch its neighbours in the group. It must not keep the connection.
  using Work = std::function<Status(SqliteConnection&)>;
  using Completion = std::function<void(Status)>;

  // kFailedPrecondition: another process holds the folder (the message names it), the file belongs
  // to another program, or to a newer version of this one; or it is only to be read and is not
  // there, or an older version's. kDataLoss: the file is damaged.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const Clock& clock, Options options);
  // Where Open puts the lock of a file; see DataFolderLock::FindHolder.
  static std::string LockPath(const std::string& path);

  // Runs what was taken, refuses what comes, and closes the file. Readers must have come back.
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs `work` and returns its outcome once the transaction it was part of is committed.
  // kStorageFull: the disk is full or failed, nothing of it stayed. kResourceExhausted: too many
  // wait, it was not taken. kDeadlineExceeded: it was not begun in time and has no effect. Once
  // begun it is seen through, even when that takes a little longer than the deadline, so the
  // outcome is always known.
  Status Write(Lane lane, const Work& work, Deadline deadline);

  // The same without waiting. `completion` runs on the writer thread, or at once when the command
  // is refused, and must be quick.
  void WriteAsync(Lane lane, Work work, Completion completion, Deadline deadline);

  // A reader for the caller alone. Its statements fail with kDeadlineExceeded after `deadline`, as
  // does this call when none comes free until then.
  Result<SqliteReader> Read(Deadline deadline);

  // Tells other processes where this one serves.
  void Announce(std::string_view address) const { lock_.Announce(address); }

  // Reads the whole file; kDataLoss says what is wrong with it.
  Status CheckIntegrity(Deadline deadline);

  [[nodiscard]] Counters counters() const;

  // kStorageFull when the disk is full but for its reserve.
  [[nodiscard]] Status CheckReserve() const {
    return CheckDiskReserve(options_.path, options_.reserve_bytes);
  }

  [[nodiscard]] bool read_only() const { return options_.read_only; }

  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  friend class SqliteReader;
  friend class SqliteReadingScope;

  struct Command {
    const Work* work = nullptr;
    Deadline deadline;
    Status outcome;
    // Of a waiting caller.
    Mutex mutex;
    ConditionVariable finished;
    bool is_finished GUARDED_BY(mutex) = false;
    // Of an asynchronous one, which owns itself.
    Work owned_work;
    Completion completion;
  };

  SqliteDatabase(const Clock& clock, Options options, DataFolderLock lock,
                 std::unique_ptr<SqliteConnection> writer);

  // The real instant at which to look again. A deadline on a test's clock has no real instant, so
  // the wait is what remains by that clock, counted from now.
  static SteadyTime WakeAt(const Deadline& deadline);
  static Result<std::unique_ptr<SqliteDatabase>> OpenToRead(const Clock& clock, Options options);
  Status Prepare();
  bool Enqueue(Lane lane, Command& command, Error& refusal) EXCLUDES(mutex_);
  bool Withdraw(Lane lane, const Command& command) EXCLUDES(mutex_);
  Command* Take(Lane lane, bool& last) EXCLUDES(mutex_);
  bool ForegroundWaits() const EXCLUDES(mutex_);

  void RunWriter();
  void RunGroup(Lane lane);
  Status BeginGroup(Lane lane);
  void RunCommand(Command& command, bool alone);
  void EndGroup(std::vector<Command*>& group);
  void LoseGroup(std::vector<Command*>& group, const Error& error);
  void Finish(Command& command);
  [[nodiscard]] bool CheckpointIsDue(bool idle) const;
  void CheckpointIfDue(bool idle);
  void UseQuietMoment();

  Result<std::unique_ptr<SqliteConnection>> OpenReader() const;
  Result<std::unique_ptr<SqliteConnection>> TakeReader(Deadline deadline);
  void GiveBack(std::unique_ptr<SqliteConnection> connection);

  [[nodiscard]] std::deque<Command*>& Queue(Lane lane) REQUIRES(mutex_) {
    return lane == Lane::kForeground ? foreground_ : background_;
  }

  const Clock& clock_;
  const Options options_;
  const DataFolderLock lock_;

  mutable Mutex mutex_;
  ConditionVariable work_;
  std::deque<Command*> foreground_ GUARDED_BY(mutex_);
  std::deque<Command*> background_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  Counters counters_ GUARDED_BY(mutex_);

  mutable Mutex readers_mutex_;
  ConditionVariable reader_free_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_ GUARDED_BY(readers_mutex_);
  std::size_t readers_open_ GUARDED_BY(readers_mutex_) = 0;

  // The writer thread's alone.
  std::unique_ptr<SqliteConnection> writer_;
  std::optional<Lane> synchronous_for_;
  SqliteLogRoom log_room_;
  std::size_t wal_pages_ = 0;
  std::size_t wal_pages_left_ = 0;  // In the log when it was last checkpointed, and still there.

  std::jthread thread_;
};

}  // namespace umbranet
