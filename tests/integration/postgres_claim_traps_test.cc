// Goal: the three traps of a queue in a database that many processes share do not catch this one.
// Each was met by others: a job handed out twice, a job stranded, a user's jobs out of order.
// Method: the interleaving is forced, not hoped for: a session of the test holds a lock, the ledger
// is seen to wait for it, then the lock goes. Each test has a sister that runs the same statements
// without the guard and meets the trap, so that the test is known to see it.
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/claim_statements.h"
#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"

#include "tests/integration/postgres_harness.h"

namespace umbranet {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};

constexpr std::string_view kLockAna =
    "SELECT user_key FROM account WHERE user_id = 'ana' FOR UPDATE";

class PostgresClaimTraps : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    schema_.emplace();
    pool_ = schema_->OpenPool(8);
    store_ = PostgresLedgerStore::Open(*pool_, {}).value();
    journal_ = std::make_unique<PostgresJournal>(*store_);
    ledger_ = std::make_unique<PostgresJobLedger>(*store_);
    other_ = pool_->OpenSession(kNever).value();
    other_->set_deadline(kNever);
  }

  void Accept(const std::string& id) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = kAna;
    const std::vector<Interaction> turns = {turn};
    const auto accepted = journal_->Accept(turns, RunMode::kBackground, "", kNever);
    ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  }

  // On the test's own session.
  void Do(const std::string& script) {
    const Status done = other_->RunScript(script);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  std::int64_t AskInt(std::string_view sql) {
    return pool_
        ->Read(kNever,
               [sql](PostgresConnection& connection) -> Result<std::int64_t> {
                 UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql));
                 return rows[0].IsNull(0) ? -1 : rows[0].Int(0);
               })
        .value();
  }

  // Returns once a session waits for the lock that the test's own holds.
  void AwaitWaiter() {
    const std::string sql = "SELECT count(*) FROM pg_stat_activity WHERE " +
                            std::to_string(other_->backend_pid()) + " = ANY(pg_blocking_pids(pid))";
    const Deadline patience = Deadline::After(clock_, seconds(20));
    while (AskInt(sql) == 0) {
      ASSERT_FALSE(patience.Expired()) << "nobody waits";
    }
  }

  std::vector<std::string> ClaimIds() {
    std::vector<std::string> ids;
    const auto batch = ledger_->Claim({.worker = "w"}, kNever).value();
    if (batch.has_value()) {
      for (const ClaimedJob& job : batch->jobs) {
        ids.push_back(job.job.interaction_id);
      }
      last_ = batch->lease;
    }
    return ids;
  }

  // What is claimed by `sql` while t1 is done under its eyes: the ids of the turns, or the error.
  Result<std::vector<std::string>> ClaimWhileTheFirstIsDone(std::string_view sql) {
    using Ids = std::vector<std::string>;
    Do("BEGIN");
    EXPECT_TRUE(other_->Query(kLockAna).ok());
    auto claim = std::async(std::launch::async, [&] {
      return pool_->Run(kNever, [&](PostgresConnection& connection) -> Result<Ids> {
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresRows rows,
            connection.Query(sql, std::optional<std::int64_t>(), 0, 15'000, 120'000, "w",
                             std::optional<std::int64_t>(), 10));
        Ids ids;
        for (const PostgresRow row : rows) {
          ids.push_back(row.String(4));
        }
        return ids;
      });
    });
    AwaitWaiter();
    // Somebody claimed it and finished it, all while the claim above waited with its old snapshot.
    Do("UPDATE job SET state = 2, finished_at = 1 WHERE seq ="
       " (SELECT seq FROM turn WHERE interaction_id = 't1'); COMMIT");
    return claim.get();
  }

  const SystemClock clock_;
  std::optional<PostgresSchema> schema_;
  std::unique_ptr<PostgresPool> pool_;
  std::unique_ptr<PostgresLedgerStore> store_;
  std::unique_ptr<PostgresJournal> journal_;
  std::unique_ptr<PostgresJobLedger> ledger_;
  std::unique_ptr<PostgresConnection> other_;
  Lease last_;
};

TEST_F(PostgresClaimTraps, AClaimLooksAgainAtJobsThatItsSnapshotHeldForReady) {
  Accept("t1");
  Accept("t2");
  const auto ids = ClaimWhileTheFirstIsDone(kClaimWaiting);
  ASSERT_TRUE(ids.ok()) << ids.error().message;
  EXPECT_THAT(*ids, ElementsAre("t2"));
}

TEST_F(PostgresClaimTraps, WithoutThatLookAFinishedJobIsTakenAgain) {
  Accept("t1");
  Accept("t2");
  // The table's own checks turn it into an error; without them it would be handed out twice.
  Do("ALTER TABLE job DROP CONSTRAINT job_check2; ALTER TABLE job DROP CONSTRAINT job_check1;"
     "ALTER TABLE job DROP CONSTRAINT job_check");
  constexpr std::string_view kUnguarded = UMBRANET_CLAIM_BEGIN UMBRANET_CLAIM_BEST_USER
      UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_BATCH UMBRANET_CLAIM_UPDATE UMBRANET_CLAIM_END;
  EXPECT_THAT(ClaimWhileTheFirstIsDone(kUnguarded).value(), ElementsAre("t1", "t2"));
}

TEST_F(PostgresClaimTraps, AJobThatComesWhileItsUserIsSettledIsNotStranded) {
  Accept("t1");
  ASSERT_THAT(ClaimIds(), ElementsAre("t1"));
  // A producer in the middle of its transaction.
  Do("BEGIN");
  ASSERT_TRUE(other_->Query(kLockAna).ok());
  Do("INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at, "
     "due_at,"
     " interaction_id, traceparent) SELECT nextval('ledger_seq'), user_key, 'j2', 0, 1, 1, 0, 1, 1,"
     " 't2', '' FROM account; UPDATE account SET head_due = 1, head_seq = currval('ledger_seq')");
  auto settled =
      std::async(std::launch::async, [this] { return ledger_->Settle(last_, {}, kNever); });
  AwaitWaiter();
  Do("COMMIT");
  ASSERT_TRUE(settled.get().ok());
  EXPECT_EQ(AskInt("SELECT head_due FROM account"), 1);
  EXPECT_THAT(ClaimIds(), ElementsAre("t1", "t2"));
}

TEST_F(PostgresClaimTraps, WithoutLockingTheUserFirstTheJobIsStranded) {
  Accept("t1");
  ASSERT_THAT(ClaimIds(), ElementsAre("t1"));
  const std::int64_t user_key = AskInt("SELECT user_key FROM account");
  ASSERT_EQ(AskInt("SELECT count(*) FROM job WHERE state = 0"), 0);
  Do("BEGIN");
  ASSERT_TRUE(other_->Query(kLockAna).ok());
  Do("INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at, "
     "due_at,"
     " interaction_id, traceparent) SELECT nextval('ledger_seq'), user_key, 'j2', 0, 1, 1, 0, 1, 1,"
     " 't2', '' FROM account; UPDATE account SET head_due = 1, head_seq = currval('ledger_seq')");
  auto ended = std::async(std::launch::async, [&] {
    return pool_->Run(kNever, [&](PostgresConnection& connection) -> Status {
      const PostgresCommand end = EndLeaseCommand(user_key, {});
      UMBRANET_RETURN_IF_ERROR(connection.RunAll(std::span<const PostgresCommand>(&end, 1)));
      return {};
    });
  });
  AwaitWaiter();
  Do("COMMIT");
  ASSERT_TRUE(ended.get().ok());
  EXPECT_EQ(AskInt("SELECT count(*) FROM job WHERE state = 0"), 1);
  EXPECT_EQ(AskInt("SELECT head_due FROM account"), -1) << "ready, and nobody will ever look";
}

TEST_F(PostgresClaimTraps, AUsersTurnsComeIntoTheLedgerInTheOrderOfTheirPlaces) {
  Accept("t0");
  // A producer that takes its place while another is on its way already.
  Do("BEGIN");
  ASSERT_TRUE(other_->Query(kLockAna).ok());
  auto second = std::async(std::launch::async, [this] {
    Interaction turn;
    turn.interaction_id = "t2";
    turn.user = kAna;
    return journal_->Accept(std::vector<Interaction>{turn}, RunMode::kBackground, "", kNever);
  });
  AwaitWaiter();
  const std::int64_t first = other_->Query("SELECT nextval('ledger_seq')").value()[0].Int(0);
  Do("COMMIT");
  EXPECT_GT(second.get().value().at(0).sequence, first);
}

TEST_F(PostgresClaimTraps, WithoutLockingTheUserFirstALaterTurnIsSeenBeforeAnEarlierOne) {
  Do("BEGIN");
  const std::int64_t first = other_->Query("SELECT nextval('ledger_seq')").value()[0].Int(0);
  Accept("t2");
  EXPECT_THAT(ClaimIds(), ElementsAre("t2"));
  EXPECT_GT(AskInt("SELECT max(seq) FROM turn"), first) << "and the earlier is not there yet";
  Do("COMMIT");
}

TEST_F(PostgresClaimTraps, AClaimReadsNoMoreJobsThanItTakesHoweverManyWait) {
  Accept("t0");
  // In a plan that was made for users with one job each.
  Do("INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at, "
     "due_at,"
     " interaction_id, traceparent) SELECT nextval('ledger_seq'), user_key, 'j' || i, 0, 1, 1, 0, "
     "1,"
     " 1, 'i' || i, '' FROM account CROSS JOIN generate_series(1, 5000) AS x(i);"
     "UPDATE account SET head_due = 1, head_seq = (SELECT min(seq) FROM job WHERE due_at = 1)");
  const std::string plan =
      pool_
          ->Transact(kNever, PostgresIsolation::kReadCommitted,
                     [](PostgresConnection& connection) -> Result<std::string> {
                       UMBRANET_ASSIGN_OR_RETURN(
                           const PostgresRows rows,
                           connection.Query(
                               "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + std::string(kClaim),
                               std::optional<std::int64_t>(), 0, 15'000, 120'000, "w",
                               std::optional<std::int64_t>(), 10));
                       std::string text;
                       for (const PostgresRow row : rows) {
                         text += row.String(0) + "\n";
                       }
                       return text;
                     })
          .value();
  EXPECT_THAT(plan, testing::HasSubstr("actual rows=10"));
  EXPECT_THAT(plan, testing::Not(testing::ContainsRegex("actual rows=[0-9][0-9][0-9]"))) << plan;
}

}  // namespace
}  // namespace umbranet
