// Goal: everything that a process holds in memory of a user is reached, whichever part holds it.
#include "umbranet/app/composition_forgetting.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::NiceMock;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};

// The clock stands still, so this only keeps a slow machine from losing a tier.
MemoryManager::Options PatientRecall() {
  MemoryManager::Options options;
  options.recall_budget = Millis{10'000};
  return options;
}

class HeldInMemoryTest : public ::testing::Test {
 protected:
  HeldInMemoryTest() {
    for (const char* store : {"episodes", "knowledge"}) {
      backends_.held.push_back({[this, store](const UserKey& user, Deadline) {
                                  calls_.push_back(store + (" " + user.user_id));
                                  return store == away_ ? Status(Unavailable("away")) : Status();
                                },
                                [this, store] { calls_.emplace_back(store); }});
    }
  }

  // Has the user's waiting turns analysed.
  void RecallWhatWaits() {
    Interaction turn;
    turn.interaction_id = "t";
    turn.user = kAna;
    turn.user_message = "I planted tomatoes.";
    const std::vector<Interaction> turns{turn};
    ASSERT_TRUE(journal_.Accept(turns, RunMode::kBackground, "", kNever).ok());
    RecallRequest request;
    request.user = kAna;
    request.query = "tomatoes";
    ASSERT_TRUE(memory_.Recall(request, kNever).ok());
  }

  std::uint64_t TurnsHeld() {
    return memory_.ForgetUser(kAna, kNever).value().certificate.removed.at("cached_turns");
  }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  NiceMock<MockJobLedger> ledger_;
  NiceMock<MockDoorbell> doorbell_;
  NiceMock<MockShortTermMemory> short_term_;
  NiceMock<MockEpisodicMemory> episodic_;
  NiceMock<MockSemanticMemory> semantic_;
  NiceMock<MockProceduralMemory> procedural_;
  BoundedWorkerPool pool_{{}};
  MemoryManager memory_{
      clock_,
      pool_,
      {journal_, ledger_, doorbell_, short_term_, episodic_, semantic_, procedural_},
      PatientRecall()};
  Backends backends_;
  std::string_view away_;
  std::vector<std::string> calls_;
  ForgettingWatch::Held held_ =
      HeldInMemory(backends_, memory_, [this] { calls_.emplace_back("unnamed"); });
};

TEST_F(HeldInMemoryTest, EveryPartLetsGoOfAUser) {
  EXPECT_TRUE(held_.let_go(kAna, kNever).ok());
  EXPECT_THAT(calls_, ElementsAre("unnamed", "episodes ana", "knowledge ana"));
}

TEST_F(HeldInMemoryTest, EveryPartLetsGoOfAll) {
  held_.let_go_of_all();
  EXPECT_THAT(calls_, ElementsAre("unnamed", "episodes", "knowledge"));
}

TEST_F(HeldInMemoryTest, APartThatFailsIsNoted) {
  away_ = "episodes";
  EXPECT_FALSE(held_.let_go(kAna, kNever).ok());
}

TEST_F(HeldInMemoryTest, TurnsThatWaitAreHeldUntilThen) {
  RecallWhatWaits();
  EXPECT_EQ(TurnsHeld(), 1U);
}

TEST_F(HeldInMemoryTest, TurnsThatWaitAreLetGoOf) {
  RecallWhatWaits();
  EXPECT_TRUE(held_.let_go(kAna, kNever).ok());
  EXPECT_EQ(TurnsHeld(), 0U);
}

TEST_F(HeldInMemoryTest, TurnsThatWaitAreLetGoOfWithAllOthers) {
  RecallWhatWaits();
  held_.let_go_of_all();
  EXPECT_EQ(TurnsHeld(), 0U);
}

TEST(WatchOptions, LooksOnceASecondWhereOthersForgetToo) {
  Settings settings;
  EXPECT_GT(WatchOptions(settings).every, std::chrono::seconds(1));
  settings.postgres_url = "postgres://localhost/x";
  EXPECT_EQ(WatchOptions(settings).every, std::chrono::seconds(1));
}

TEST(WatchOptions, WaitsForTheSlowestAnswerOfAModel) {
  Settings settings;
  settings.reflection_timeout_s = 600;
  EXPECT_GE(WatchOptions(settings).again_after, std::chrono::seconds(1'200));
}

}  // namespace
}  // namespace umbranet
