// Goal: the runs of a shadow do not grow without end. Method: the file's own counter is moved on,
// as if so many runs had come between two.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_shadow_records.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

class ShadowRunsBound : public ::testing::Test {
 protected:
  ~ShadowRunsBound() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void SaveRunOf(const std::string& id) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {"default", "ana"};
    turn.user_message = "I planted tomatoes.";
    const std::vector<Interaction> turns{turn};
    SqliteJournal journal(*store_);
    ShadowRun run;
    run.job_id = journal.Accept(turns, RunMode::kBackground, "", kNever).value().at(0).job_id;
    run.user = turn.user;
    run.candidate = "inline";
    run.outcome = ShadowOutcome::kFailed;
    ASSERT_TRUE(records_.Save(run, kNever).ok());
  }

  // So many runs of others were saved and are gone.
  void Pass(std::int64_t runs) {
    const Status passed = database_->Write(
        SqliteDatabase::Lane::kForeground,
        [runs](SqliteConnection& connection) {
          return connection.Run(
              "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'shadow_run'", runs);
        },
        kNever);
    ASSERT_TRUE(passed.ok()) << passed.error().message;
  }

  std::uint64_t Runs() { return records_.Summarize("inline", kNever).value().runs; }

  static SqliteDatabase::Options Options(const std::string& folder) {
    SqliteDatabase::Options options;
    options.path = folder + "/umbranet.db";
    return options;
  }

  const std::string folder_ = ::testing::TempDir() + "umbranet-" + RandomHex(8);
  ManualClock clock_;
  std::unique_ptr<SqliteDatabase> database_ =
      SqliteDatabase::Open(clock_, Options(folder_)).value();
  std::unique_ptr<SqliteLedgerStore> store_ = SqliteLedgerStore::Open(*database_, {}).value();
  SqliteShadowRecords records_{*store_};
};

TEST_F(ShadowRunsBound, TheOldestRunGoesWhenTheBoundIsReached) {
  SaveRunOf("first");
  Pass(static_cast<std::int64_t>(kShadowRunsMax) - 2);
  SaveRunOf("last within");
  EXPECT_EQ(Runs(), 2U);
  SaveRunOf("one more");
  EXPECT_EQ(Runs(), 2U) << "the first is gone";
}

}  // namespace
}  // namespace umbranet
