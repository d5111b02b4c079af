#include "tests/contract/ledger_engines.h"

#include <filesystem>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_forgetting_record.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_model_usage_book.h"
#include "umbranet/adapters/sqlite/sqlite_shadow_records.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/memory/spool_book.h"
#include "umbranet/memory/spooling_journal.h"

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_turn_spool.h"

namespace umbranet {

namespace {

class SqliteHarness final : public LedgerHarness {
 public:
  SqliteHarness() : folder_(testing::TempDir() + "umbranet-" + RandomHex(8)) { Open(); }

  ~SqliteHarness() override {
    Close();
    std::filesystem::remove_all(folder_);
  }

  Journal& journal() override { return *journal_; }

  JobLedger& ledger() override { return *ledger_; }

  ShadowRecords* shadow() override { return shadow_.get(); }

  ForgettingRecord* forgettings() override { return forgettings_.get(); }

  ModelUsageBook* usage_book() override { return usage_book_.get(); }

  bool Restart() override {
    Close();
    Open();
    return true;
  }

 private:
  void Open() {
    SqliteDatabase::Options options;
    options.path = folder_ + "/umbranet.db";
    database_ = SqliteDatabase::Open(clock, std::move(options)).value();
    store_ = SqliteLedgerStore::Open(*database_, {}).value();
    journal_ = std::make_unique<SqliteJournal>(*store_);
    ledger_ = std::make_unique<SqliteJobLedger>(*store_);
    shadow_ = std::make_unique<SqliteShadowRecords>(*store_);
    forgettings_ = std::make_unique<SqliteForgettingRecord>(*store_);
    usage_book_ = std::make_unique<SqliteModelUsageBook>(*store_);
  }

  void Close() {
    usage_book_.reset();
    forgettings_.reset();
    shadow_.reset();
    ledger_.reset();
    journal_.reset();
    store_.reset();
    database_.reset();
  }

  const std::string folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteJobLedger> ledger_;
  std::unique_ptr<SqliteShadowRecords> shadow_;
  std::unique_ptr<SqliteForgettingRecord> forgettings_;
  std::unique_ptr<SqliteModelUsageBook> usage_book_;
};

// The journal with a spool in front of it, which is there and empty.
class SpoolingHarness final : public LedgerHarness {
 public:
  Journal& journal() override { return spooling_; }

  JobLedger& ledger() override { return ledger_; }

 private:
  InMemoryLedgerStore store_{clock, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  InMemoryTurnSpool spool_{clock};
  SpoolBook book_;
  SpoolingJournal spooling_{clock, journal_, spool_, book_, {}};
};

}  // namespace

std::vector<LedgerEngine> LedgerEngines() {
  return {InMemoryLedgerEngine(),
          {"Sqlite", [] { return std::make_unique<SqliteHarness>(); }},
          {"Spooling", [] { return std::make_unique<SpoolingHarness>(); }}};
}

}  // namespace umbranet
