#include "umbranet/adapters/sqlite/sqlite_database.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "umbranet/base/thread_urgency.h"

namespace umbranet {

namespace {

// "Umbr": how a file says that it is one of ours.
constexpr std::int64_t kApplicationId = 0x556D6272;

constexpr std::string_view kSelectApplicationId = "PRAGMA application_id";
constexpr std::string_view kSelectSchemaSize = "SELECT count(*) FROM sqlite_schema";
constexpr std::string_view kJournalMode = "PRAGMA journal_mode=WAL";
constexpr std::string_view kIntegrityCheck = "PRAGMA integrity_check(1)";
constexpr std::string_view kBegin = "BEGIN IMMEDIATE";
constexpr std::string_view kCommit = "COMMIT";
constexpr std::string_view kRollback = "ROLLBACK";
constexpr std::string_view kSavepoint = "SAVEPOINT command";
constexpr std::string_view kRollbackTo = "ROLLBACK TO command";
constexpr std::string_view kRelease = "RELEASE command";

// A pause between two requests is no rest yet.
constexpr Millis kQuietBeforeCheckpoint{100};
// Room for the log is taken in steps that a request hardly notices.
constexpr Millis kQuietBeforeLogRoom{10};

Result<std::int64_t> ReadInt(SqliteConnection& connection, std::string_view sql) {
  SqliteStatement statement = connection.Prepare(sql);
  const std::int64_t value = statement.Step() ? statement.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(statement.status());
  return value;
}

Error Explain(Error error, const std::string& path) {
  if (error.code == ErrorCode::kDataLoss) {
    error.message = "sqlite: " + path +
                    " is damaged or no database at all; put a backup in its place, or move it "
                    "away to start empty";
  }
  return error;
}

Status CheckOwner(SqliteConnection& connection, const std::string& path) {
  const auto application = ReadInt(connection, kSelectApplicationId);
  const auto schema_size =
      application.ok() ? ReadInt(connection, kSelectSchemaSize) : Result<std::int64_t>(0);
  for (const auto* read : {&application, &schema_size}) {
    if (!read->ok()) {
      return Explain(read->error(), path);
    }
  }
  if (*application == kApplicationId) {
    return {};
  }
  if (*application != 0 || *schema_size != 0) {
    return FailedPrecondition("sqlite: " + path +
                              " belongs to another program; choose another data folder");
  }
  return connection.Execute("PRAGMA application_id=" + std::to_string(kApplicationId));
}

}  // namespace

SteadyTime SqliteDatabase::WakeAt(const Deadline& deadline) {
  const SteadyTime now = SystemClock{}.SteadyNow();
  const auto remaining =
      std::min<std::chrono::nanoseconds>(deadline.Remaining(), std::chrono::hours{1});
  return now + std::chrono::duration_cast<SteadyTime::duration>(remaining);
}

std::string SqliteDatabase::LockPath(const std::string& path) {
  return path + ".lock";
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::OpenToRead(const Clock& clock,
                                                                   Options options) {
  if (!std::filesystem::exists(options.path)) {
    return FailedPrecondition("sqlite: there is no file " + options.path);
  }
  UMBRANET_ASSIGN_OR_RETURN(DataFolderLock lock, DataFolderLock::Acquire(LockPath(options.path)));
  lock.Announce(options.address);
  auto connected = SqliteConnection::Open({.path = options.path});
  if (!connected.ok()) {
    return Explain(std::move(connected).error(), options.path);
  }
  std::unique_ptr<SqliteConnection> connection = std::move(connected).value();
  UMBRANET_RETURN_IF_ERROR(CheckOwner(*connection, options.path));
  UMBRANET_RETURN_IF_ERROR(CheckSqliteSchema(*connection, options.migrations));
  return std::unique_ptr<SqliteDatabase>(
      new SqliteDatabase(clock, std::move(options), std::move(lock), std::move(connection)));
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const Clock& clock, Options options) {
  if (options.read_only) {
    return OpenToRead(clock, std::move(options));
  }
  const std::filesystem::path folder = std::filesystem::path(options.path).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder)) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (!failed) {
      // What people said is nobody else's to read.
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
    }
    if (failed) {
      return FailedPrecondition("sqlite: cannot make the data folder " + folder.string() + ": " +
                                failed.message());
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(DataFolderLock lock, DataFolderLock::Acquire(LockPath(options.path)));
  lock.Announce(options.address);
  // Made here, for its owner alone: the log beside it gets the same permissions from SQLite. When
  // this fails the next call says why.
  if (const int file = open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); file >= 0) {
    close(file);
  }
  auto connected = SqliteConnection::Open({.path = options.path,
                                           .mode = SqliteConnection::Mode::kReadWrite,
                                           .cache_kib = options.writer_cache_kib,
                                           .mmap_bytes = options.mmap_bytes});
  if (!connected.ok()) {
    return Explain(std::move(connected).error(), options.path);
  }
  std::unique_ptr<SqliteConnection> writer = std::move(connected).value();
  UMBRANET_RETURN_IF_ERROR(CheckOwner(*writer, options.path));
  std::unique_ptr<SqliteDatabase> database(
      new SqliteDatabase(clock, std::move(options), std::move(lock), std::move(writer)));
  UMBRANET_RETURN_IF_ERROR(database->Prepare());
  SqliteDatabase& opened = *database;
  opened.thread_ = std::jthread([&opened] { opened.RunWriter(); });
  return database;
}

SqliteDatabase::SqliteDatabase(const Clock& clock, Options options, DataFolderLock lock,
                               std::unique_ptr<SqliteConnection> writer)
    : clock_(clock),
      options_(std::move(options)),
      lock_(std::move(lock)),
      writer_(std::move(writer)),
      log_room_(options_.path, options_.log_room_bytes) {}

Status SqliteDatabase::Prepare() {
  {
    SqliteStatement mode = writer_->Prepare(kJournalMode);
    const bool wal = mode.Step() && mode.Text(0) == "wal";
    UMBRANET_RETURN_IF_ERROR(mode.status());
    if (!wal) {
      return FailedPrecondition("sqlite: the file system of " + options_.path +
                                " cannot hold a write-ahead log; choose a local disk");
    }
  }
  // Deleted rows are overwritten where that costs no extra write. Steps of the schema are not
  // forced to the disk one by one: what is lost of them is made again at the next start, and the
  // first group of the foreground lane brings them along.
  UMBRANET_RETURN_IF_ERROR(
      writer_->Execute("PRAGMA synchronous=NORMAL;PRAGMA secure_delete=FAST;"
                       "PRAGMA wal_autocheckpoint=0;PRAGMA journal_size_limit=67108864"));
  // Replaces the automatic checkpoint, which would run between COMMIT and the caller's answer.
  sqlite3_wal_hook(
      writer_->handle(),
      [](void* self, sqlite3*, const char*, int pages) -> int {
        static_cast<SqliteDatabase*>(self)->wal_pages_ = static_cast<std::size_t>(pages);
        return SQLITE_OK;
      },
      this);
  UMBRANET_RETURN_IF_ERROR(MigrateSqlite(*writer_, options_.migrations));
  if (options_.pages_max > 0) {
    UMBRANET_RETURN_IF_ERROR(
        writer_->Execute("PRAGMA max_page_count=" + std::to_string(options_.pages_max)));
  }
  return {};
}

SqliteDatabase::~SqliteDatabase() {
  if (thread_.joinable()) {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    work_.NotifyAll();
    thread_.join();
  }
  {
    MutexLock lock(readers_mutex_);
    assert(readers_.size() == readers_open_ && "a reader outlives its database");
    readers_.clear();
  }
  if (options_.read_only) {
    return;
  }
  // Leaves one tidy file behind. When it fails the log stays and is read at the next start.
  sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                            nullptr);
}

Status SqliteDatabase::Write(Lane lane, const Work& work, Deadline deadline) {
  assert(std::this_thread::get_id() != thread_.get_id() && "a work must not wait for the writer");
  Command command;
  command.work = &work;
  command.deadline = deadline;
  if (Error refusal; !Enqueue(lane, command, refusal)) {
    return refusal;
  }
  MutexLock lock(command.mutex);
  while (!command.is_finished) {
    if (deadline.IsNever()) {
      command.finished.Wait(command.mutex);
      continue;
    }
    if (!deadline.Expired()) {
      command.finished.WaitUntil(command.mutex, WakeAt(deadline));
      continue;
    }
    if (Withdraw(lane, command)) {
      return DeadlineExceeded("sqlite: the write had to wait too long and was not begun");
    }
    // Begun: its end is near, and its captures live in the caller's frame.
    while (!command.is_finished) {
      command.finished.Wait(command.mutex);
    }
  }
  return std::move(command.outcome);
}

void SqliteDatabase::WriteAsync(Lane lane, Work work, Completion completion, Deadline deadline) {
  auto command = std::make_unique<Command>();
  command->owned_work = std::move(work);
  command->work = &command->owned_work;
  command->completion = std::move(completion);
  command->deadline = deadline;
  if (Error refusal; !Enqueue(lane, *command, refusal)) {
    command->completion(refusal);
    return;
  }
  static_cast<void>(command.release());  // Finish takes it over.
}

bool SqliteDatabase::Enqueue(Lane lane, Command& command, Error& refusal) {
  if (options_.read_only) {
    refusal = FailedPrecondition("sqlite: " + options_.path + " was opened for reading alone");
    return false;
  }
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      refusal = Unavailable("sqlite: the database is being closed");
      return false;
    }
    std::deque<Command*>& queue = Queue(lane);
    if (queue.size() >= options_.commands_max) {
      refusal = Error{ErrorCode::kResourceExhausted,
                      "sqlite: " + std::to_string(queue.size()) + " writes are waiting already",
                      Millis{1000}};
      return false;
    }
    queue.push_back(&command);
  }
  work_.NotifyOne();
  return true;
}

bool SqliteDatabase::Withdraw(Lane lane, const Command& command) {
  MutexLock lock(mutex_);
  std::deque<Command*>& queue = Queue(lane);
  const auto found = std::find(queue.begin(), queue.end(), &command);
  if (found == queue.end()) {
    return false;
  }
  queue.erase(found);
  return true;
}

SqliteDatabase::Command* SqliteDatabase::Take(Lane lane, bool& last) {
  MutexLock lock(mutex_);
  std::deque<Command*>& queue = Queue(lane);
  if (queue.empty()) {
    return nullptr;
  }
  Command* command = queue.front();
  queue.pop_front();
  last = queue.empty();
  return command;
}

bool SqliteDatabase::ForegroundWaits() const {
  MutexLock lock(mutex_);
  return !foreground_.empty();
}

void SqliteDatabase::RunWriter() {
  // A turn waits for the writer twice, for the beginning of its transaction and for its end.
  WorkAhead(kNiceOfWriter, Slices::kShort);
  while (true) {
    bool idle = false;
    bool foreground = false;
    bool background = false;
    {
      MutexLock lock(mutex_);
      const bool due = log_room_.wanted() || CheckpointIsDue(true);
      const SteadyTime quiet = SystemClock{}.SteadyNow() +
                               (log_room_.wanted() ? kQuietBeforeLogRoom : kQuietBeforeCheckpoint);
      while (foreground_.empty() && background_.empty() && !stopping_ && !idle) {
        if (!due) {
          work_.Wait(mutex_);
          continue;
        }
        work_.WaitUntil(mutex_, quiet);
        idle = SystemClock{}.SteadyNow() >= quiet;
      }
      foreground = !foreground_.empty();
      background = !background_.empty();
      if (!foreground && !background && !idle) {
        return;
      }
    }
    if (idle && !foreground && !background) {
      UseQuietMoment();
      continue;
    }
    if (foreground) {
      RunGroup(Lane::kForeground);
    }
    if (background) {
      RunGroup(Lane::kBackground);
    }
    CheckpointIfDue(false);
  }
}

void SqliteDatabase::RunGroup(Lane lane) {
  const Deadline budget = Deadline::After(
      clock_, lane == Lane::kForeground ? options_.group_budget : options_.background_budget);
  std::vector<Command*> group;
  while (group.size() < options_.group_max) {
    if (!group.empty() && (budget.Expired() || (lane == Lane::kBackground && ForegroundWaits()))) {
      break;
    }
    bool last = false;
    Command* command = Take(lane, last);
    if (command == nullptr) {
      break;
    }
    if (command->deadline.Expired()) {
      command->outcome =
          DeadlineExceeded("sqlite: the write had to wait too long and was not begun");
      Finish(*command);
      continue;
    }
    if (group.empty()) {
      if (Status begun = BeginGroup(lane); !begun.ok()) {
        command->outcome = std::move(begun);
        Finish(*command);
        return;
      }
    }
    const bool alone = group.empty() && last;
    group.push_back(command);
    RunCommand(*command, alone);
    if (!writer_->InTransaction()) {
      if (alone && !command->outcome.ok()) {
        break;
      }
      LoseGroup(group, command->outcome.ok()
                           ? Internal("sqlite: the transaction ended under a work")
                           : command->outcome.error());
      break;
    }
  }
  EndGroup(group);
}

Status SqliteDatabase::BeginGroup(Lane lane) {
  // May change between transactions only.
  if (synchronous_for_ != lane) {
    UMBRANET_RETURN_IF_ERROR(writer_->Execute(
        lane == Lane::kForeground ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
    synchronous_for_ = lane;
  }
  return writer_->Run(kBegin);
}

// `alone`: nothing else is in the transaction, so it needs no savepoint; when it fails the whole
// transaction goes.
void SqliteDatabase::RunCommand(Command& command, bool alone) {
  Status outcome = alone ? Status() : writer_->Run(kSavepoint);
  if (outcome.ok()) {
    try {
      outcome = (*command.work)(*writer_);
    } catch (const std::exception& error) {
      outcome = Internal(std::string("sqlite: a work threw: ") + error.what());
    }
  }
  if (!outcome.ok()) {
    writer_->CountRollback();
    if (writer_->InTransaction()) {
      const Status undone = alone ? writer_->Run(kRollback) : writer_->Run(kRollbackTo);
      if (!undone.ok() && writer_->InTransaction()) {
        // Keeping half a command is worse than losing the group.
        [[maybe_unused]] const Status lost = writer_->Execute("ROLLBACK");
      }
    }
  }
  if (!alone && writer_->InTransaction()) {
    const Status released = writer_->Run(kRelease);
    if (outcome.ok() && !released.ok()) {
      outcome = released;
    }
  }
  command.outcome = std::move(outcome);
}

void SqliteDatabase::LoseGroup(std::vector<Command*>& group, const Error& error) {
  writer_->CountRollback();
  for (Command* command : group) {
    if (command->outcome.ok()) {
      command->outcome = Error{error.code, error.message + " (nothing of the group was kept)"};
    }
  }
}

void SqliteDatabase::EndGroup(std::vector<Command*>& group) {
  if (group.empty()) {
    return;
  }
  bool failed = false;
  if (writer_->InTransaction()) {
    if (const Status committed = writer_->Run(kCommit); !committed.ok()) {
      failed = true;
      LoseGroup(group, committed.error());
      if (writer_->InTransaction()) {
        [[maybe_unused]] const Status undone = writer_->Execute("ROLLBACK");
      }
    }
  }
  {
    MutexLock lock(mutex_);
    ++counters_.commits;
    counters_.commands += group.size();
    counters_.failed_commits += failed ? 1 : 0;
  }
  for (Command* command : group) {
    Finish(*command);
  }
}

void SqliteDatabase::Finish(Command& command) {
  if (command.completion) {
    const std::unique_ptr<Command> owned(&command);
    owned->completion(std::move(owned->outcome));
    return;
  }
  // Under the lock, since the caller destroys the command as soon as he can see that it is
  // finished.
  MutexLock lock(command.mutex);
  command.is_finished = true;
  command.finished.NotifyOne();
}

void SqliteDatabase::UseQuietMoment() {
  if (log_room_.wanted()) {
    log_room_.TakeSome(writer_->handle());
  } else {
    CheckpointIfDue(true);
  }
}

bool SqliteDatabase::CheckpointIsDue(bool idle) const {
  return wal_pages_ > wal_pages_left_ + (idle ? options_.wal_pages_idle : options_.wal_pages_max);
}

void SqliteDatabase::CheckpointIfDue(bool idle) {
  // After a complete checkpoint the log starts over at its beginning.
  if (wal_pages_ < wal_pages_left_) {
    wal_pages_left_ = 0;
  }
  if (!CheckpointIsDue(idle)) {
    return;
  }
  // PASSIVE waits for no reader; what a reader still needs stays in the log until a later time.
  sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                            nullptr);
  wal_pages_left_ = wal_pages_;
  MutexLock lock(mutex_);
  ++counters_.checkpoints;
}

Status SqliteDatabase::CheckIntegrity(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, Read(deadline));
  SqliteStatement check = reader->Prepare(kIntegrityCheck);
  const std::string verdict = check.Step() ? check.String(0) : std::string();
  UMBRANET_RETURN_IF_ERROR(check.status());
  if (verdict != "ok") {
    return Error{ErrorCode::kDataLoss, "sqlite: the file is damaged: " + verdict};
  }
  return {};
}

SqliteDatabase::Counters SqliteDatabase::counters() const {
  Counters counters;
  {
    MutexLock lock(mutex_);
    counters = counters_;
    counters.waiting = foreground_.size() + background_.size();
  }
  MutexLock lock(readers_mutex_);
  counters.readers = readers_open_;
  return counters;
}

}  // namespace umbranet
