// Goal: while the journal is away nothing that was accepted is lost, nothing is stored twice, a
// user's turns keep their order, and reading never takes a part for the whole.
// Method: the real spooling journal and forwarder over twins in memory; the journal behind fails as
// the test says. No thread but the forwarder's lanes runs: the test takes the steps.
#include "umbranet/memory/spooling_journal.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/spool_book.h"
#include "umbranet/memory/spool_forwarder.h"
#include "umbranet/reflection/condition_variable_doorbell.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_turn_spool.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/unreliable_journal.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fault = UnreliableJournal::Fault;

const Deadline kNever = Deadline::Never();

class SpoolingJournalTest : public testing::Test {
 protected:
  static Interaction Turn(const std::string& id, const std::string& user = "ana") {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {std::string(kDefaultTenant), user};
    turn.accepted_at = ManualClock::kStart;
    turn.user_message = "I said " + id;
    return turn;
  }

  AcceptedTurn Accept(const Interaction& turn) {
    return journal_.Accept(std::vector{turn}, RunMode::kBackground, "", kNever).value().front();
  }

  SpoolForwarder::Report Step() { return forwarder_.Step(kNever).value(); }

  // What the journal behind has of the user, oldest first.
  std::vector<std::string> Stored(const std::string& user = "ana") {
    std::vector<std::string> ids;
    const auto page = inner_.List({std::string(kDefaultTenant), user}, "", 1000, kNever).value();
    for (const JournalEntry& entry : page.entries) {
      ids.push_back(entry.interaction.interaction_id);
    }
    return ids;
  }

  std::vector<std::string> ListedIds() {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      const JournalPage page = journal_.List(kAna, cursor, 2, kNever).value();
      for (const JournalEntry& entry : page.entries) {
        ids.push_back(entry.interaction.interaction_id);
      }
      cursor = page.next_cursor;
    } while (!cursor.empty());
    return ids;
  }

  const UserKey kAna{std::string(kDefaultTenant), "ana"};
  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal inner_{store_};
  UnreliableJournal behind_{inner_};
  InMemoryTurnSpool spool_{clock_};
  SpoolBook book_;
  Metrics metrics_{{.version = "", .commit = ""}};
  StructuredLog log_{clock_, {.level = LogLevel::kError, .format = LogFormat::kLogfmt}};
  ConditionVariableDoorbell doorbell_;
  SpoolingJournal journal_{clock_, behind_, spool_, book_, {}};
  SpoolForwarder forwarder_{clock_, behind_, spool_, book_, &doorbell_, metrics_, log_, {}};
};

TEST_F(SpoolingJournalTest, ATurnGoesToTheJournalWhileThatAnswers) {
  EXPECT_EQ(Accept(Turn("a")).state, JobState::kReady);
  EXPECT_THAT(Stored(), ElementsAre("a"));
  EXPECT_EQ(book_.Waiting(), 0U);
}

TEST_F(SpoolingJournalTest, ATurnIsSpooledWhenTheJournalIsAwayAndForwardedWhenItIsBack) {
  behind_.Set(Fault::kAway);
  EXPECT_EQ(Accept(Turn("a")).state, JobState::kSpooled);
  EXPECT_EQ(Accept(Turn("b", "ben")).state, JobState::kSpooled);
  EXPECT_TRUE(Step().stopped_by.has_value());
  behind_.Set(Fault::kNone);
  EXPECT_EQ(Step().forwarded, 2U);
  EXPECT_THAT(Stored(), ElementsAre("a"));
  EXPECT_THAT(Stored("ben"), ElementsAre("b"));
  EXPECT_FALSE(book_.JournalAway());
  EXPECT_EQ(Accept(Turn("c")).state, JobState::kReady);
  EXPECT_TRUE(doorbell_.Wait({}, kNever)) << "whoever reflects is told";
}

TEST_F(SpoolingJournalTest, AFullJournalIsNoReasonToRefuseATurn) {
  behind_.Set(Fault::kFull);
  EXPECT_EQ(Accept(Turn("a")).state, JobState::kSpooled);
}

TEST_F(SpoolingJournalTest, AnOutcomeThatWasLostIsStoredOnce) {
  behind_.Set(Fault::kLosesAnswer);
  EXPECT_EQ(Accept(Turn("a")).state, JobState::kSpooled);
  EXPECT_THAT(Stored(), ElementsAre("a"));
  behind_.Set(Fault::kNone);
  EXPECT_EQ(Step().forwarded, 1U);
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_F(SpoolingJournalTest, WhatTheJournalDidNotTakeWaitsOn) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  EXPECT_EQ(Step().forwarded, 0U);
  EXPECT_EQ(Step().forwarded, 0U);
  EXPECT_EQ(spool_.Stats(kNever).value().waiting, 1U);
  behind_.Set(Fault::kLosesAnswer);
  EXPECT_EQ(Step().forwarded, 0U) << "nobody has said that it is stored";
  behind_.Set(Fault::kNone);
  EXPECT_EQ(Step().forwarded, 1U);
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_F(SpoolingJournalTest, NobodyAsksAJournalThatIsKnownToBeAway) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  const std::uint64_t calls = behind_.Calls();
  Accept(Turn("b"));
  EXPECT_FALSE(journal_.ReadFreshness(kAna, kNever).ok());
  EXPECT_FALSE(journal_.FindAnswer(kDefaultTenant, "key", kNever).value().has_value());
  EXPECT_EQ(behind_.Calls(), calls);
}

TEST_F(SpoolingJournalTest, ATurnNeverOvertakesOneThatWaits) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  behind_.Set(Fault::kNone);
  book_.JournalIsBack();
  EXPECT_EQ(Accept(Turn("b")).state, JobState::kSpooled);
  EXPECT_EQ(Accept(Turn("c", "ben")).state, JobState::kReady) << "nothing of his waits";
  Step();
  EXPECT_THAT(Stored(), ElementsAre("a", "b"));
}

TEST_F(SpoolingJournalTest, ARepeatedTurnIsADuplicateWhereverItIs) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  EXPECT_TRUE(Accept(Turn("a")).duplicate);
  EXPECT_EQ(book_.Waiting(), 1U);
  behind_.Set(Fault::kNone);
  Step();
  EXPECT_TRUE(Accept(Turn("a")).duplicate);
  EXPECT_THAT(Stored(), ElementsAre("a"));
}

TEST_F(SpoolingJournalTest, WhatWaitsIsReadTogetherWithTheJournal) {
  Accept(Turn("a"));
  Accept(Turn("b"));
  Accept(Turn("c"));
  behind_.Set(Fault::kAway);
  Accept(Turn("d"));
  Accept(Turn("e"));
  behind_.Set(Fault::kNone);
  book_.JournalIsBack();
  EXPECT_THAT(ListedIds(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(journal_.ReadFreshness(kAna, kNever).value().accepted, 5U);
  const auto sequences = journal_.Unreflected(kAna, 10, kNever).value();
  std::vector<std::string> newest_first;
  const auto turns = journal_.ReadAt(kAna, sequences, kNever).value();
  for (const Interaction& turn : turns) {
    newest_first.push_back(turn.interaction_id);
  }
  EXPECT_THAT(newest_first, ElementsAre("e", "d", "c", "b", "a"));
  const auto recent = journal_.Recent(kAna, kDefaultSession, 0, 3, kNever).value();
  ASSERT_THAT(recent, SizeIs(3));
  EXPECT_EQ(recent[0].interaction_id, "c");
  const auto before = journal_.Recent(kAna, kDefaultSession, recent[2].sequence, 2, kNever).value();
  ASSERT_THAT(before, SizeIs(2));
  EXPECT_EQ(before[1].interaction_id, "d");
}

TEST_F(SpoolingJournalTest, ATurnThatIsForwardedBetweenTwoQuestionsIsNotMissed) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  behind_.Set(Fault::kNone);
  book_.JournalIsBack();
  const auto sequences = journal_.Unreflected(kAna, 10, kNever).value();
  Step();
  Step();
  EXPECT_THAT(journal_.ReadAt(kAna, sequences, kNever).value(), SizeIs(1));
}

TEST_F(SpoolingJournalTest, ARecallOpensWithWhatWaitsInTheSpoolToo) {
  const RecallOpeningQuery query{
      .user = kAna, .session_id = std::string(kDefaultSession), .unreflected_max = 10};
  Accept(Turn("a"));
  RecallOpening opening = journal_.OpenRecall(query, kNever).value();
  EXPECT_TRUE(opening.unreflected.has_value()) << "what the journal behind says";
  behind_.Set(Fault::kAway);
  Accept(Turn("b"));
  EXPECT_FALSE(journal_.OpenRecall(query, kNever).ok());
  behind_.Set(Fault::kNone);
  book_.JournalIsBack();
  opening = journal_.OpenRecall(query, kNever).value();
  EXPECT_EQ(opening.freshness.accepted, 2U);
  EXPECT_FALSE(opening.unreflected.has_value()) << "which does not know of the second turn";
  EXPECT_FALSE(opening.session.has_value());
}

TEST_F(SpoolingJournalTest, ReadingFailsRatherThanTakeAPartForTheWhole) {
  Accept(Turn("a"));
  behind_.Set(Fault::kAway);
  Accept(Turn("b"));
  const std::vector<std::string> both{"a", "b"};
  const std::vector<std::string> spooled{"b"};
  EXPECT_FALSE(journal_.Read(kAna, both, kNever).ok());
  EXPECT_THAT(journal_.Read(kAna, spooled, kNever).value(), SizeIs(1));
  EXPECT_FALSE(journal_.List(kAna, "", 10, kNever).ok());
  EXPECT_FALSE(journal_.Unreflected(kAna, 10, kNever).ok());
}

TEST_F(SpoolingJournalTest, ForgettingReachesWhatWaits) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  EXPECT_FALSE(journal_.EraseUser(kAna, kNever).ok()) << "to be repeated: the journal is away";
  behind_.Set(Fault::kNone);
  Step();
  behind_.Set(Fault::kAway);
  Accept(Turn("b"));
  behind_.Set(Fault::kNone);
  book_.JournalIsBack();
  clock_.Advance(Millis{1});
  const JournalErasure erasure = journal_.EraseUser(kAna, kNever).value();
  EXPECT_EQ(erasure.spooled, 1U);
  EXPECT_EQ(erasure.turns, 1U);
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_EQ(book_.Waiting(), 0U);
}

TEST_F(SpoolingJournalTest, ATurnOfAUserWhoWasForgottenElsewhereDoesNotComeBack) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  Accept(Turn("b", "ben"));
  behind_.Set(Fault::kNone);
  clock_.Advance(Millis{5});
  ASSERT_TRUE(inner_.EraseUser(kAna, kNever).ok());
  const SpoolForwarder::Report report = Step();
  EXPECT_EQ(report.forgotten, 1U);
  EXPECT_EQ(report.forwarded, 1U);
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_EQ(book_.Waiting(), 0U);
}

TEST_F(SpoolingJournalTest, ATurnThatTheJournalWillNeverTakeDoesNotHoldUpTheRest) {
  behind_.Set(Fault::kAway);
  Accept(Turn("a"));
  Accept(Turn("b"));
  behind_.Set(Fault::kNone);
  {
    const MutexLock lock(store_.mutex);
    // Its job id is taken by somebody else.
    ReflectionJob taken;
    taken.job_id = MakeJobId(kAna, "a");
    taken.user = {"default", "ben"};
    store_.AddJob(99, taken, /*has_turn=*/false);
  }
  const SpoolForwarder::Report report = Step();
  EXPECT_EQ(report.refused, 1U);
  EXPECT_EQ(report.forwarded, 1U);
  EXPECT_THAT(Stored(), ElementsAre("b"));
  EXPECT_EQ(spool_.Stats(kNever).value().refused, 1U);
}

TEST_F(SpoolingJournalTest, AnAnswerIsFoundAgainWhereverItWasSaved) {
  const StoredAnswer answer{.fingerprint = "f", .http_status = 200, .body = "{}", .stored_at = {}};
  behind_.Set(Fault::kAway);
  ASSERT_TRUE(journal_.SaveAnswer(kAna, "key", answer, kNever).ok());
  EXPECT_TRUE(journal_.FindAnswer(kDefaultTenant, "key", kNever).value().has_value());
  behind_.Set(Fault::kNone);
  Step();
  EXPECT_TRUE(journal_.FindAnswer(kDefaultTenant, "key", kNever).value().has_value());
}

TEST_F(SpoolingJournalTest, TheJournalIsAskedForEvenWhenNothingWaits) {
  behind_.Set(Fault::kAway);
  EXPECT_FALSE(journal_.SaveAnswer(kAna, "key", {}, kNever).ok() && !book_.JournalAway());
  EXPECT_TRUE(book_.JournalAway());
  EXPECT_TRUE(Step().stopped_by.has_value());
  behind_.Set(Fault::kNone);
  EXPECT_FALSE(Step().stopped_by.has_value());
  EXPECT_FALSE(book_.JournalAway());
}

TEST_F(SpoolingJournalTest, ADrainIsDoneWhenNothingWaits) {
  behind_.Set(Fault::kAway);
  for (int i = 0; i < 600; ++i) {
    Accept(Turn("t" + std::to_string(i), "u" + std::to_string(i % 7)));
  }
  behind_.Set(Fault::kNone);
  EXPECT_FALSE(forwarder_.DrainedSinceStart());
  std::uint64_t forwarded = 0;
  while (!forwarder_.DrainedSinceStart()) {
    forwarded += Step().forwarded;
  }
  EXPECT_EQ(forwarded, 600U);
  for (int user = 0; user < 7; ++user) {
    std::vector<std::string> expected;
    for (int i = user; i < 600; i += 7) {
      expected.push_back("t" + std::to_string(i));
    }
    EXPECT_EQ(Stored("u" + std::to_string(user)), expected);
  }
}

}  // namespace
}  // namespace umbranet
