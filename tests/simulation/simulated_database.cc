#include "tests/simulation/simulated_database.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_lease_fence.h"
#include "umbranet/adapters/sqlite/sqlite_turn_spool.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_turn_spool.h"

namespace umbranet {
namespace {

namespace fs = std::filesystem;

InMemoryLedgerStore::Options Breaking(std::set<BrokenPromise> broken) {
  InMemoryLedgerStore::Options options;
  options.broken = std::move(broken);
  return options;
}

class TwinDatabase final : public SimulatedDatabase {
 public:
  TwinDatabase(const Clock& clock, std::set<BrokenPromise> broken)
      : clock_(clock),
        store_(clock, Breaking(std::move(broken))),
        journal_(store_),
        ledger_(store_) {}

  Journal& journal() override { return journal_; }

  JobLedger& ledger() override { return ledger_; }

  bool Holds(const Lease& lease, std::span<const std::string> job_ids) override {
    const MutexLock lock(store_.mutex);
    for (const std::string& job_id : job_ids) {
      if (!store_.IsLeasedUnder(lease.token, job_id)) {
        return false;
      }
    }
    return true;
  }

  std::int64_t Now() override {
    const MutexLock lock(store_.mutex);
    return store_.Now();
  }

  TurnSpool& OpenSpool(std::size_t process) override {
    auto& spool = spools_[process];
    if (!spool) {
      spool = std::make_unique<InMemoryTurnSpool>(clock_);
    }
    return *spool;
  }

 private:
  const Clock& clock_;
  InMemoryLedgerStore store_;
  InMemoryJournal journal_;
  InMemoryJobLedger ledger_;
  std::map<std::size_t, std::unique_ptr<InMemoryTurnSpool>> spools_;
};

fs::path NewFolder() {
  std::error_code failed;
  const fs::path in_memory = "/dev/shm";
  const fs::path base = fs::is_directory(in_memory, failed) ? in_memory : fs::temp_directory_path();
  return base / ("umbranet-simulation-" + RandomHex(8));
}

// An empty database, made once: its schema takes longer than a history.
class EmptyDatabase {
 public:
  EmptyDatabase() : folder_(NewFolder()) {
    SqliteDatabase::Options options;
    options.path = file().string();
    const SystemClock clock;
    // A broken world ends the program there and then.
    const auto database = SqliteDatabase::Open(clock, std::move(options)).value();
  }

  ~EmptyDatabase() {
    std::error_code failed;
    fs::remove_all(folder_, failed);
  }

  EmptyDatabase(const EmptyDatabase&) = delete;
  EmptyDatabase& operator=(const EmptyDatabase&) = delete;

  [[nodiscard]] fs::path file() const { return folder_ / "empty.db"; }

 private:
  const fs::path folder_;
};

void CopyEmptyTo(const fs::path& file) {
  static const EmptyDatabase empty;
  fs::create_directories(file.parent_path());
  fs::copy_file(empty.file(), file);
}

class SqliteSimulatedDatabase final : public SimulatedDatabase {
 public:
  explicit SqliteSimulatedDatabase(const Clock& clock) : clock_(clock), folder_(NewFolder()) {
    CopyEmptyTo(folder_ / "umbranet.db");
    Open();
  }

  ~SqliteSimulatedDatabase() override {
    spools_.clear();
    Close();
    std::error_code failed;
    fs::remove_all(folder_, failed);
  }

  SqliteSimulatedDatabase(const SqliteSimulatedDatabase&) = delete;
  SqliteSimulatedDatabase& operator=(const SqliteSimulatedDatabase&) = delete;

  Journal& journal() override { return *journal_; }

  JobLedger& ledger() override { return *ledger_; }

  bool Holds(const Lease& lease, std::span<const std::string> job_ids) override {
    return database_
        ->Write(
            SqliteDatabase::Lane::kBackground,
            [&](SqliteConnection& connection) { return CheckLease(connection, lease, job_ids); },
            Deadline::Never())
        .ok();
  }

  std::int64_t Now() override { return store_->Now(); }

  void Reopen() override {
    Close();
    Open();
  }

  TurnSpool& OpenSpool(std::size_t process) override {
    const fs::path file = folder_ / ("spool-" + std::to_string(process)) / "spool.db";
    auto& spool = spools_[process];
    if (!spool) {
      CopyEmptyTo(file);
    }
    spool.reset();
    spool = SqliteTurnSpool::Open(clock_, file.string(), {}).value();
    return *spool;
  }

 private:
  void Open() {
    SqliteDatabase::Options options;
    options.path = (folder_ / "umbranet.db").string();
    database_ = SqliteDatabase::Open(clock_, std::move(options)).value();
    store_ = SqliteLedgerStore::Open(*database_, {}).value();
    journal_ = std::make_unique<SqliteJournal>(*store_);
    ledger_ = std::make_unique<SqliteJobLedger>(*store_);
  }

  void Close() {
    ledger_.reset();
    journal_.reset();
    store_.reset();
    database_.reset();
  }

  const Clock& clock_;
  const fs::path folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteJobLedger> ledger_;
  std::map<std::size_t, std::unique_ptr<SqliteTurnSpool>> spools_;
};

}  // namespace

std::unique_ptr<SimulatedDatabase> MakeTwinDatabase(const Clock& clock,
                                                    std::set<BrokenPromise> broken) {
  return std::make_unique<TwinDatabase>(clock, std::move(broken));
}

std::unique_ptr<SimulatedDatabase> MakeSqliteDatabase(const Clock& clock) {
  return std::make_unique<SqliteSimulatedDatabase>(clock);
}

}  // namespace umbranet
