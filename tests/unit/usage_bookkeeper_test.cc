// Goal: the processes of an installation spend one budget, a restart does not begin the day anew,
// and nothing is counted twice, whatever becomes of the database. Method: two processes' worth of
// books over one, on a clock that the test turns.
//
// Deliberate faults that it has caught, each made in usage_bookkeeper.cc or model_usage.cc and
// taken back:
//   - the books are not read at the start       ARestartDoesNotBeginTheDayAnew
//   - nothing is handed in at the end           HandsInWhatIsLeftWhenItStops
//   - what is not handed in yet does not count  WhatIsNotHandedInYetCountsAtOnce
//   - a batch that failed gets a new number     ABatchWhoseAnswerWasLostIsCountedOnce
//   - a batch is of the day it is handed in     WhatWasSpentBeforeMidnightIsEnteredUnderItsDay
//   - yesterday's books are taken for today's   ADayBeginsAnewForAllAndTheTotalStays
#include "umbranet/reflection/usage_bookkeeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/in_memory_model_usage_book.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();
const UsageKey kReflection{"acme", "small", "reflection"};

class Process {
 public:
  Process(const Clock& clock, ModelUsageBook& book)
      : log(clock, {.level = LogLevel::kOff}),
        usage(clock, {.daily_tokens_max = 100}),
        keeper(clock, usage, book, log, {}) {}

  void Spend(std::uint64_t tokens) { usage.Record(kReflection, false, tokens, 0); }

  [[nodiscard]] bool MaySpend() const { return usage.MaySpend("acme"); }

  [[nodiscard]] std::uint64_t TokensToday() const {
    const ModelUsage::Report report = usage.Read();
    return report.today.empty() ? 0 : report.today.at(0).counts.prompt_tokens;
  }

  StructuredLog log;
  ModelUsage usage;
  UsageBookkeeper keeper;
};

class UsageBookkeeperTest : public ::testing::Test {
 protected:
  void Agree(Process& process) {
    const Status agreed = process.keeper.Agree(kNever);
    EXPECT_TRUE(agreed.ok()) << agreed.error().message;
  }

  ManualClock clock_;
  InMemoryModelUsageBook book_;
  Process one_{clock_, book_};
  Process other_{clock_, book_};
};

TEST_F(UsageBookkeeperTest, WhatOneProcessSpendsIsSpentForAll) {
  one_.Spend(60);
  other_.Spend(30);
  Agree(one_);
  Agree(other_);
  EXPECT_EQ(other_.TokensToday(), 90U);
  EXPECT_TRUE(other_.MaySpend());
  EXPECT_EQ(one_.TokensToday(), 60U) << "it has not read since";
  one_.Spend(20);
  EXPECT_TRUE(one_.MaySpend()) << "the overshoot: it knows of 80";
  Agree(one_);
  EXPECT_FALSE(one_.MaySpend());
  EXPECT_TRUE(other_.MaySpend());
  Agree(other_);
  EXPECT_FALSE(other_.MaySpend());
  EXPECT_THAT(other_.usage.Read().exhausted, ElementsAre("acme"));
}

TEST_F(UsageBookkeeperTest, WhatIsNotHandedInYetCountsAtOnce) {
  one_.Spend(60);
  Agree(one_);
  one_.Spend(40);
  EXPECT_FALSE(one_.MaySpend());
}

TEST_F(UsageBookkeeperTest, ARestartDoesNotBeginTheDayAnew) {
  one_.Spend(100);
  Agree(one_);
  Process again(clock_, book_);
  again.keeper.Start();
  EXPECT_FALSE(again.MaySpend());
  EXPECT_THAT(again.usage.Read().process_today, IsEmpty());
  again.keeper.Stop();
}

TEST_F(UsageBookkeeperTest, HandsInWhatIsLeftWhenItStops) {
  one_.keeper.Start();
  one_.Spend(100);
  one_.keeper.Stop();
  Agree(other_);
  EXPECT_FALSE(other_.MaySpend());
}

TEST_F(UsageBookkeeperTest, GoesByWhatItKnowsWhileTheDatabaseIsAwayAndHandsInLater) {
  one_.Spend(50);
  Agree(one_);
  book_.away = true;
  one_.Spend(30);
  EXPECT_FALSE(one_.keeper.Agree(kNever).ok());
  one_.Spend(10);
  EXPECT_FALSE(one_.keeper.Agree(kNever).ok());
  EXPECT_EQ(one_.TokensToday(), 90U);
  one_.Spend(10);
  EXPECT_FALSE(one_.MaySpend());
  book_.away = false;
  Agree(one_);  // The batch that was under way; what came since goes with the next.
  EXPECT_EQ(one_.TokensToday(), 100U);
  Agree(one_);
  EXPECT_EQ(one_.TokensToday(), 100U);
  Agree(other_);
  EXPECT_EQ(other_.TokensToday(), 100U);
}

TEST_F(UsageBookkeeperTest, ABatchWhoseAnswerWasLostIsCountedOnce) {
  one_.Spend(40);
  book_.loses_answer = true;
  EXPECT_FALSE(one_.keeper.Agree(kNever).ok());
  EXPECT_EQ(one_.TokensToday(), 40U);
  one_.Spend(5);
  Agree(one_);
  Agree(one_);
  EXPECT_EQ(one_.TokensToday(), 45U);
  Agree(other_);
  EXPECT_EQ(other_.TokensToday(), 45U);
}

TEST_F(UsageBookkeeperTest, CallsCostNoTransactionOfTheirOwn) {
  Agree(one_);
  EXPECT_EQ(book_.enters, 0) << "nothing was spent";
  for (int i = 0; i < 50; ++i) {
    one_.Spend(1);
  }
  EXPECT_EQ(book_.enters, 0);
  Agree(one_);
  EXPECT_EQ(book_.enters, 1);
}

TEST_F(UsageBookkeeperTest, ADayBeginsAnewForAllAndTheTotalStays) {
  one_.Spend(100);
  Agree(one_);
  clock_.Advance(hours(24));
  EXPECT_TRUE(one_.MaySpend());
  one_.Spend(1);
  Agree(one_);
  EXPECT_EQ(one_.TokensToday(), 1U);
  EXPECT_EQ(one_.usage.Read().total.at(0).counts.prompt_tokens, 101U);
}

TEST_F(UsageBookkeeperTest, WhatWasSpentBeforeMidnightIsEnteredUnderItsDay) {
  one_.Spend(70);
  clock_.Advance(hours(24));
  Agree(one_);
  EXPECT_EQ(one_.TokensToday(), 0U);
  const std::int64_t yesterday = one_.usage.Day() - 1;
  EXPECT_EQ(book_.Read(yesterday, kNever).value().of_day.at(0).counts.prompt_tokens, 70U);
}

TEST_F(UsageBookkeeperTest, TheReportSaysWhichPartIsThisProcesss) {
  one_.Spend(10);
  EXPECT_EQ(one_.usage.Read().agreed_at, std::nullopt);
  Agree(one_);
  other_.Spend(20);
  Agree(other_);
  const ModelUsage::Report report = other_.usage.Read();
  EXPECT_EQ(report.agreed_at, clock_.Now());
  EXPECT_EQ(report.today.at(0).counts.prompt_tokens, 30U);
  EXPECT_EQ(report.total.at(0).counts.prompt_tokens, 30U);
  EXPECT_EQ(report.process_today.at(0).counts.prompt_tokens, 20U);
  EXPECT_EQ(report.process_total.at(0).counts.prompt_tokens, 20U);
  EXPECT_EQ(report.since, Timestamp{std::chrono::days(other_.usage.Day())});
  EXPECT_EQ(report.process_since, ManualClock::kStart);
}

}  // namespace
}  // namespace umbranet
