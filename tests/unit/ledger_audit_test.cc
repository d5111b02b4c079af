// Goal: the audit sees a turn that lost its job and a job that lost a marker, and nothing where all
// is well; and what operators did can be read. Method: a SQLite ledger from which rows are taken by
// hand, as nothing in the program would.
#include "umbranet/reflection/ledger_audit.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_ledger_records.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Deadline kNever = Deadline::Never();

class LedgerAuditTest : public testing::Test {
 protected:
  LedgerAuditTest() : folder_(testing::TempDir() + "umbranet-" + RandomHex(8)) {
    SqliteDatabase::Options options;
    options.path = folder_ + "/umbranet.db";
    database_ = SqliteDatabase::Open(clock_, std::move(options)).value();
    store_ = SqliteLedgerStore::Open(*database_, {}).value();
    journal_ = std::make_unique<SqliteJournal>(*store_);
    ledger_ = std::make_unique<SqliteJobLedger>(*store_);
    records_ = std::make_unique<SqliteLedgerRecords>(*store_);
    audit_ =
        std::make_unique<LedgerAudit>(clock_, *records_, metrics_, log_, LedgerAudit::Options());
  }

  ~LedgerAuditTest() override {
    audit_.reset();
    records_.reset();
    ledger_.reset();
    journal_.reset();
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Accept(const std::string& id) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {std::string(kDefaultTenant), "ana"};
    turn.user_message = "I planted tomatoes.";
    return journal_->Accept(std::vector{turn}, RunMode::kBackground, "", kNever)
        .value()
        .front()
        .job_id;
  }

  void Write(const std::string& sql) {
    ASSERT_TRUE(database_
                    ->Write(
                        SqliteDatabase::Lane::kForeground,
                        [&](SqliteConnection& connection) { return connection.Execute(sql); },
                        kNever)
                    .ok());
  }

  // As reflection leaves it.
  void Reflect(const std::string& job_id) {
    const ClaimOptions options{.worker = "w"};
    const auto batch = ledger_->ClaimJob(job_id, options, kNever).value();
    ASSERT_TRUE(batch.has_value());
    const std::vector<TierProgress> progress{{job_id, kAllReflectedTiers}};
    ASSERT_TRUE(ledger_->MarkTiersDone(batch->lease, progress, kNever).ok());
    ASSERT_TRUE(ledger_->Settle(batch->lease, {}, kNever).ok());
    for (const int tier : {1, 2, 3}) {
      Write("INSERT INTO tier_applied(user_key, tier, job_id) SELECT user_key, " +
            std::to_string(tier) + ", job_id FROM job WHERE job_id = '" + job_id + "'");
    }
  }

  LedgerComparison Look() {
    clock_.Advance(std::chrono::minutes(20));
    return audit_->Look(kNever).value();
  }

  const std::string folder_;
  ManualClock clock_;
  Metrics metrics_{{.version = "", .commit = ""}};
  StructuredLog log_{clock_, {.level = LogLevel::kError, .format = LogFormat::kLogfmt}};
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteJobLedger> ledger_;
  std::unique_ptr<SqliteLedgerRecords> records_;
  std::unique_ptr<LedgerAudit> audit_;
};

TEST_F(LedgerAuditTest, MissesNothingWhereAllIsThere) {
  Reflect(Accept("a"));
  Accept("b");
  const LedgerComparison comparison = Look();
  EXPECT_EQ(comparison.turns, 2U);
  EXPECT_EQ(comparison.Missing(), 0U);
  EXPECT_EQ(comparison.unfinished, 1U);
  EXPECT_EQ(metrics_.reflection_audit_missing_jobs.Value(), 0);
}

TEST_F(LedgerAuditTest, SeesATurnThatLostItsJob) {
  Accept("a");
  Accept("b");
  Write("DELETE FROM job WHERE seq = (SELECT seq FROM turn WHERE interaction_id = 'a')");
  const LedgerComparison comparison = Look();
  EXPECT_EQ(comparison.without_job, 1U);
  EXPECT_THAT(comparison.examples, ElementsAre("a"));
  EXPECT_EQ(metrics_.reflection_audit_missing_jobs.Value(), 1);
}

TEST_F(LedgerAuditTest, SeesAJobThatIsDoneWithoutItsMarker) {
  Reflect(Accept("a"));
  Write("DELETE FROM tier_applied WHERE tier = 2");
  const LedgerComparison comparison = Look();
  EXPECT_EQ(comparison.without_marker, 1U);
  EXPECT_THAT(comparison.examples, ElementsAre("a"));
}

TEST_F(LedgerAuditTest, LooksAtNothingYoungerThanAQuarterOfAnHour) {
  Accept("a");
  EXPECT_EQ(audit_->Look(kNever).value().turns, 0U);
}

TEST_F(LedgerAuditTest, AnActIsOnRecordForItsTenant) {
  const std::string job_id = Accept("a");
  const auto batch = ledger_->ClaimJob(job_id, {.worker = "w"}, kNever).value();
  const std::vector<JobFailure> failures{
      {job_id, FailureKind::kPermanent, "semantic", "broken", std::nullopt}};
  ASSERT_TRUE(ledger_->Settle(batch->lease, failures, kNever).ok());
  EXPECT_EQ(ledger_->DiscardDead(job_id, "api", "a mistake", kNever).value(), 1U);
  const ActPage page = records_->ListActs(kDefaultTenant, "", 10, kNever).value();
  ASSERT_THAT(page.acts, SizeIs(1));
  EXPECT_EQ(page.acts[0].action, "discard");
  EXPECT_EQ(page.acts[0].reason, "a mistake");
  EXPECT_EQ(page.acts[0].user_id, "ana");
  EXPECT_EQ(page.acts[0].job_id, job_id);
  EXPECT_THAT(records_->ListActs("another", "", 10, kNever).value().acts, IsEmpty());
  EXPECT_FALSE(records_->ListActs(kDefaultTenant, "nonsense", 10, kNever).ok());
}

}  // namespace
}  // namespace umbranet
