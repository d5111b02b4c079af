// Goal: a turn that comes through the broker is accepted once, never against its user's wish, and
// asks nothing twice of a ledger that knows it.
// Method: the intake over the in-memory twins.
#include "umbranet/adapters/rabbitmq/turn_intake.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_short_term_memory.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

class TurnIntakeTest : public testing::Test {
 protected:
  static IncomingJob Incoming() {
    IncomingJob job;
    job.turn.user = {std::string(kDefaultTenant), "ana"};
    job.turn.interaction_id = "t1";
    job.turn.user_message = "I moved to Lisbon.";
    job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    return job;
  }

  Status Take(const IncomingJob& job) { return intake_(job, Deadline::Never()); }

  std::vector<Interaction> Turns() {
    const std::vector<std::string> ids = {"t1"};
    return journal_.Read(Incoming().turn.user, ids, Deadline::Never()).value();
  }

  std::size_t TurnsInShortTerm() {
    return short_term_
        .Read(Incoming().turn.user, kDefaultSession, {.tokens = 1'000}, Deadline::Never())
        .value()
        .turns.size();
  }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  InMemoryShortTermMemory short_term_;
  TurnIntake intake_{clock_, journal_, ledger_, short_term_};
};

TEST_F(TurnIntakeTest, MakesTurnAndJobOfWhatIsNew) {
  ASSERT_TRUE(Take(Incoming()).ok());
  ASSERT_EQ(Turns().size(), 1U);
  EXPECT_EQ(Turns().front().occurred_at, clock_.Now());
  EXPECT_EQ(Turns().front().accepted_at, clock_.Now());
  EXPECT_EQ(TurnsInShortTerm(), 1U);
  const auto batch = ledger_.Claim({}, Deadline::Never()).value();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->jobs.front().job.traceparent, Incoming().traceparent);
}

TEST_F(TurnIntakeTest, TakesTheSameTurnOnce) {
  ASSERT_TRUE(Take(Incoming()).ok());
  ASSERT_TRUE(Take(Incoming()).ok());
  EXPECT_EQ(Turns().size(), 1U);
  EXPECT_EQ(TurnsInShortTerm(), 1U);
  EXPECT_EQ(ledger_.Claim({}, Deadline::Never()).value()->jobs.size(), 1U);
}

TEST_F(TurnIntakeTest, KeepsTheTimesThatItIsTold) {
  IncomingJob job = Incoming();
  job.turn.accepted_at = clock_.Now() - Millis{5'000};
  ASSERT_TRUE(Take(job).ok());
  EXPECT_EQ(Turns().front().accepted_at, job.turn.accepted_at);
  EXPECT_EQ(Turns().front().occurred_at, job.turn.accepted_at);
}

TEST_F(TurnIntakeTest, BelievesNoTimeThatIsYetToCome) {
  IncomingJob job = Incoming();
  job.turn.accepted_at = clock_.Now() + Millis{5'000};
  ASSERT_TRUE(Take(job).ok());
  EXPECT_EQ(Turns().front().accepted_at, clock_.Now());
}

TEST_F(TurnIntakeTest, PassesOverATurnWhoseUserWasForgottenSince) {
  ASSERT_TRUE(Take(Incoming()).ok());
  IncomingJob job = Incoming();
  job.turn.accepted_at = clock_.Now();
  clock_.Advance(Millis{1'000});
  ASSERT_TRUE(journal_.EraseUser(job.turn.user, Deadline::Never()).ok());
  EXPECT_TRUE(Take(job).ok());
  EXPECT_TRUE(Turns().empty());
}

TEST_F(TurnIntakeTest, PassesOverATurnOfAForgottenUserThatDoesNotSayWhenItWasMade) {
  ASSERT_TRUE(Take(Incoming()).ok());
  clock_.Advance(Millis{1'000});
  ASSERT_TRUE(journal_.EraseUser(Incoming().turn.user, Deadline::Never()).ok());
  EXPECT_TRUE(Take(Incoming()).ok()) << "the same message, late or for the second time";
  EXPECT_TRUE(Turns().empty());
  IncomingJob anew = Incoming();
  anew.turn.accepted_at = clock_.Now();
  EXPECT_TRUE(Take(anew).ok());
  EXPECT_EQ(Turns().size(), 1U);
}

TEST_F(TurnIntakeTest, BringsBackWhatARestoredDatabaseHasLost) {
  ASSERT_TRUE(Take(Incoming()).ok());
  InMemoryLedgerStore restored(clock_, {});
  InMemoryJournal journal(restored);
  InMemoryJobLedger ledger(restored);
  const TurnIntake intake(clock_, journal, ledger, short_term_);
  ASSERT_TRUE(intake(Incoming(), Deadline::Never()).ok());
  EXPECT_TRUE(ledger.Claim({}, Deadline::Never()).value().has_value());
}

}  // namespace
}  // namespace umbranet
