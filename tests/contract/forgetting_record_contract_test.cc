// Goal: whoever looks at the record of forgettings misses none, whatever the clock does. Method:
// users are forgotten by the journal beside it, on a clock that is turned either way.
//
// Deliberate faults that it has caught, each made in sqlite_journal.cc or
// sqlite_forgetting_record.cc and taken back:
//   - tombstones have the wall's time alone     EachForgettingIsLaterThanTheLast...,
//   OutlivesTheProcess
//   - `>=` in place of `>`                      TellsOfThoseAfterWhatWasSeenInTheirOrder
//   - a page has no bound                       IsReadInPages
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();

class ForgettingRecordContract : public LedgerFixture {
 protected:
  void SetUp() override {
    LedgerFixture::SetUp();
    if (!IsSkipped() && harness_->forgettings() == nullptr) {
      GTEST_SKIP() << "this engine keeps none";
    }
  }

  Timestamp Forget(std::string_view user_id) {
    return journal().EraseUser(User(user_id), kNever).value().forgotten_at;
  }

  ForgettingNews After(Timestamp seen, std::size_t limit = 100) {
    return harness_->forgettings()->After(seen, limit, kNever).value();
  }

  std::vector<std::string> UsersAfter(Timestamp seen, std::size_t limit = 100) {
    std::vector<std::string> users;
    for (const Forgetting& forgetting : After(seen, limit).forgettings) {
      users.push_back(forgetting.user.user_id);
    }
    return users;
  }
};

TEST_P(ForgettingRecordContract, NobodyIsForgottenAtFirst) {
  AcceptOne(Turn("a"));
  const ForgettingNews news = After(Timestamp{});
  EXPECT_THAT(news.forgettings, IsEmpty());
  EXPECT_EQ(news.latest, Timestamp{});
}

TEST_P(ForgettingRecordContract, TellsOfThoseAfterWhatWasSeenInTheirOrder) {
  AcceptOne(Turn("a"));
  const Timestamp bo = Forget("bo");
  clock().Advance(seconds(1));
  const Timestamp ana = Forget("ana");
  clock().Advance(seconds(1));
  const Timestamp cy = Forget("cy");
  EXPECT_THAT(UsersAfter(Timestamp{}), ElementsAre("bo", "ana", "cy"));
  EXPECT_THAT(UsersAfter(bo), ElementsAre("ana", "cy"));
  EXPECT_THAT(UsersAfter(cy), IsEmpty());
  EXPECT_EQ(After(Timestamp{}).latest, cy);
  EXPECT_EQ(After(cy).latest, cy);
  EXPECT_EQ(After(bo).forgettings.front().user, User("ana"));
  EXPECT_EQ(After(bo).forgettings.front().at, ana);
}

TEST_P(ForgettingRecordContract, IsReadInPages) {
  for (const char* user : {"a", "b", "c"}) {
    Forget(user);
  }
  EXPECT_THAT(After(Timestamp{}, 0).forgettings, IsEmpty());
  EXPECT_GT(After(Timestamp{}, 0).latest, Timestamp{});
  const ForgettingNews first = After(Timestamp{}, 2);
  ASSERT_EQ(first.forgettings.size(), 2U);
  EXPECT_THAT(UsersAfter(first.forgettings.back().at, 2), ElementsAre("c"));
}

TEST_P(ForgettingRecordContract, AUserWhoIsForgottenAgainComesAgain) {
  Forget("ana");
  const Timestamp bo = Forget("bo");
  EXPECT_THAT(UsersAfter(bo), IsEmpty());
  Forget("ana");
  EXPECT_THAT(UsersAfter(bo), ElementsAre("ana"));
  EXPECT_THAT(UsersAfter(Timestamp{}), ElementsAre("bo", "ana"));
}

TEST_P(ForgettingRecordContract, EachForgettingIsLaterThanTheLastInTheSameMillisecondToo) {
  const Timestamp first = Forget("a");
  const Timestamp second = Forget("b");
  EXPECT_EQ(first, clock().Now());
  EXPECT_GT(second, first);
  EXPECT_GT(Forget("a"), second);
}

TEST_P(ForgettingRecordContract, EachForgettingIsLaterThanTheLastWhenTheClockWasSetBack) {
  const Timestamp first = Forget("a");
  clock().SetWall(clock().Now() - hours(1));
  const Timestamp second = Forget("b");
  EXPECT_GT(second, first);
  EXPECT_THAT(UsersAfter(first), ElementsAre("b"));
  clock().Advance(hours(2));
  EXPECT_EQ(Forget("c"), clock().Now());
}

TEST_P(ForgettingRecordContract, OutlivesTheProcess) {
  const Timestamp first = Forget("a");
  clock().SetWall(clock().Now() - hours(1));
  if (!harness_->Restart()) {
    GTEST_SKIP() << "this engine keeps nothing";
  }
  EXPECT_EQ(After(Timestamp{}).latest, first);
  EXPECT_GT(Forget("b"), first);
}

TEST_P(ForgettingRecordContract, TellsTheLedgersTimeWhereThatIsNotThisProcesss) {
  const std::optional<Timestamp> time = After(Timestamp{}).ledger_time;
  if (!time) {
    GTEST_SKIP() << "this engine goes by the clock of its process";
  }
  EXPECT_EQ(*time, clock().Now());
}

// Of a turn in the making: what it is compared with is the forgetting of its own user.
TEST_P(ForgettingRecordContract, ATurnStampedWithTheLastForgettingIsANewBeginning) {
  const Timestamp first = Forget("ana");
  clock().SetWall(clock().Now() - hours(1));
  Interaction turn = Turn("a");
  turn.asked_at = first - Millis{1};
  const std::vector<Interaction> early{turn};
  EXPECT_FALSE(journal().Accept(early, RunMode::kBackground, "", kNever).ok());
  turn.asked_at = first;
  AcceptOne(turn);
  Forget("ana");
  turn.interaction_id = "b";
  const std::vector<Interaction> late{turn};
  EXPECT_FALSE(journal().Accept(late, RunMode::kBackground, "", kNever).ok())
      << "it was asked before the second forgetting, though by the clock an hour after it";
}

INSTANTIATE_TEST_SUITE_P(Engines, ForgettingRecordContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace umbranet
