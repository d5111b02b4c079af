// Goal: nothing that journal and ledger do goes through all jobs or turns, however many there are.
// Method: every call is made on a store with a few hundred turns of several users; then SQLite is
// asked how many rows each statement went through without an index. Those over tables that stay
// small (live leases), and the statistics, which count every open job, are exempt by name.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

constexpr int kTurns = 400;
constexpr int kUsers = 8;

class LedgerQueries : public testing::Test {
 protected:
  LedgerQueries() {
    SqliteDatabase::Options options;
    options.path = folder_ + "/umbranet.db";
    options.readers_max = 1;  // All reading is counted in one place.
    database_ = SqliteDatabase::Open(clock_, options).value();
    store_ = SqliteLedgerStore::Open(*database_, {}).value();
    journal_ = std::make_unique<SqliteJournal>(*store_);
    ledger_ = std::make_unique<SqliteJobLedger>(*store_);
  }

  ~LedgerQueries() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static UserKey User(int number) {
    return {std::string(kDefaultTenant), "user " + std::to_string(number % kUsers)};
  }

  static Interaction Turn(int number) {
    Interaction turn;
    turn.user = User(number);
    turn.interaction_id = "t" + std::to_string(number);
    return turn;
  }

  void Accept(const std::vector<Interaction>& turns) {
    ASSERT_TRUE(journal_->Accept(turns, RunMode::kBackground, "", never_).ok());
  }

  // One batch, with this outcome for all of it; nullopt for success.
  void WorkOnce(std::optional<FailureKind> failure) {
    const auto batch = ledger_->Claim({}, never_).value();
    ASSERT_TRUE(batch.has_value());
    std::vector<PlanRecord> plans;
    std::vector<TierProgress> progress;
    std::vector<JobFailure> failures;
    for (const ClaimedJob& job : batch->jobs) {
      plans.push_back({job.job.job_id, "plan"});
      progress.push_back({job.job.job_id, kAllReflectedTiers});
      failures.push_back({.job_id = job.job.job_id,
                          .kind = failure.value_or(FailureKind::kTransient),
                          .tier = "semantic",
                          .error = "broken",
                          .retry_after = std::nullopt});
    }
    ASSERT_TRUE(ledger_->Extend(batch->lease, never_).ok());
    ASSERT_TRUE(ledger_->SavePlans(batch->lease, plans, never_).ok());
    if (!failure.has_value()) {
      ASSERT_TRUE(ledger_->MarkTiersDone(batch->lease, progress, never_).ok());
    }
    ASSERT_TRUE(ledger_->Settle(batch->lease, failures, never_).ok());
  }

  void Read() {
    const UserKey user = User(0);
    const std::vector<std::string> ids = {"t0", "t8"};
    ASSERT_TRUE(journal_->Read(user, ids, never_).ok());
    ASSERT_TRUE(journal_->List(user, "", 5, never_).ok());
    ASSERT_TRUE(journal_->Recent(user, kDefaultSession, 0, 5, never_).ok());
    const auto waiting = journal_->Unreflected(user, 5, never_);
    ASSERT_TRUE(waiting.ok());
    ASSERT_TRUE(journal_->ReadAt(user, *waiting, never_).ok());
    ASSERT_TRUE(journal_->ReadFreshness(user, never_).ok());
    ASSERT_TRUE(journal_->FindAnswer(kDefaultTenant, "key", never_).ok());
    ASSERT_TRUE(ledger_->Find(kDefaultTenant, MakeJobId(user, "t0"), never_).ok());
    ASSERT_TRUE(ledger_->FindDead(MakeJobId(user, "t0"), never_).ok());
    ASSERT_TRUE(ledger_->ListDead({}, "", 5, never_).ok());
    ASSERT_TRUE(ledger_->Stats(never_).ok());
  }

  // The statements that scanned, but for the exempt ones.
  static std::vector<std::string> Complaints(const SqliteConnection& connection) {
    std::vector<std::string> complaints;
    for (const SqliteConnection::Scan& scan : connection.Scans()) {
      const bool exempt = scan.sql.find("FROM lease WHERE lease_until") != std::string::npos ||
                          scan.sql.find("sum(state = 1)") != std::string::npos;
      if (!exempt && scan.rows > 100) {
        complaints.push_back(std::to_string(scan.rows) + " rows: " + scan.sql);
      }
    }
    return complaints;
  }

  const Deadline never_;
  const std::string folder_ = testing::TempDir() + "umbranet-" + RandomHex(8);
  ManualClock clock_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteJobLedger> ledger_;
};

TEST_F(LedgerQueries, NoneScansWhatGrows) {
  for (int i = 0; i < kTurns; ++i) {
    Accept({Turn(i)});
  }
  Accept({Turn(0)});
  for (const auto failure :
       {std::optional<FailureKind>(), std::optional(FailureKind::kTransient),
        std::optional(FailureKind::kPermanent), std::optional(FailureKind::kSystemic)}) {
    for (int i = 0; i < 5; ++i) {
      WorkOnce(failure);
    }
    Read();
  }
  const auto by_name = ledger_->ClaimJob(MakeJobId(User(399), "t399"), {}, never_).value();
  ASSERT_TRUE(by_name.has_value());
  ASSERT_TRUE(ledger_->Release(by_name->lease, never_).ok());
  ASSERT_TRUE(ledger_->Claim({}, never_).value().has_value());
  clock_.Advance(std::chrono::minutes(5));
  ASSERT_GT(ledger_->Sweep(never_).value().promoted, 0U);
  const DeadPage dead = ledger_->ListDead({}, "", 3, never_).value();
  ASSERT_EQ(dead.jobs.size(), 3U);
  ASSERT_TRUE(ledger_->RequeueDead(dead.jobs[0].job.job_id, "olga", never_).ok());
  ASSERT_TRUE(ledger_->DiscardDead(dead.jobs[1].job.job_id, "olga", "", never_).ok());
  ASSERT_TRUE(
      journal_->SaveAnswer(User(1), "key", {.fingerprint = "", .body = "", .stored_at = {}}, never_)
          .ok());
  clock_.Advance(std::chrono::days(40));
  ASSERT_GT(ledger_->Sweep(never_).value().purged, 0U);
  ASSERT_TRUE(ledger_->ReflectAgain(User(1), never_).ok());
  ASSERT_TRUE(journal_->EraseUser(User(2), never_).ok());
  Read();

  std::vector<std::string> writer;
  ASSERT_TRUE(database_
                  ->Write(
                      SqliteDatabase::Lane::kForeground,
                      [&writer](SqliteConnection& connection) -> Status {
                        writer = Complaints(connection);
                        return {};
                      },
                      never_)
                  .ok());
  EXPECT_EQ(writer, std::vector<std::string>());
  const SqliteReader reader = database_->Read(never_).value();
  EXPECT_EQ(Complaints(*reader), std::vector<std::string>());
}

}  // namespace
}  // namespace umbranet
