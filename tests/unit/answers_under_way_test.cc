// Goal: work behind the answers waits for a gap between them, but not for ever. Method: answers
// held by the test, and a thread that says when it was let through.
#include "umbranet/base/answers_under_way.h"

#include <chrono>
#include <future>
#include <optional>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(AnswersUnderWay, CountsThemAsLongAsTheyLast) {
  AnswersUnderWay answers;
  EXPECT_EQ(answers.count(), 0U);
  {
    const AnswersUnderWay::Share one(&answers);
    const AnswersUnderWay::Share other(&answers);
    EXPECT_EQ(answers.count(), 2U);
  }
  EXPECT_EQ(answers.count(), 0U);
  const AnswersUnderWay::Share nobody(nullptr);
}

TEST(AnswersUnderWay, LetsThroughAtOnceWhatNobodyIsBefore) {
  AnswersUnderWay answers;
  answers.WaitForGap(hours(1));
}

TEST(AnswersUnderWay, LetsThroughWhenTheLastHasEnded) {
  AnswersUnderWay answers;
  std::optional<AnswersUnderWay::Share> one(&answers);
  std::optional<AnswersUnderWay::Share> other(&answers);
  auto through = std::async(std::launch::async, [&] { answers.WaitForGap(hours(1)); });
  one.reset();
  EXPECT_EQ(through.wait_for(2 * AnswersUnderWay::kGap), std::future_status::timeout);
  other.reset();
  through.get();
}

TEST(AnswersUnderWay, HoldsBackAMomentLongerThanAnAnswersOwnPause) {
  AnswersUnderWay answers;
  {
    const AnswersUnderWay::Share one(&answers);
  }
  const SystemClock clock;
  const SteadyTime from = clock.SteadyNow();
  answers.WaitForGap(hours(1));
  // An answer that ended some microseconds before the clock was read.
  EXPECT_GT(clock.SteadyNow() - from, AnswersUnderWay::kGap / 2);
}

TEST(AnswersUnderWay, LetsThroughInTheEndThoughThereIsNoGap) {
  AnswersUnderWay answers;
  const AnswersUnderWay::Share one(&answers);
  answers.WaitForGap(milliseconds(20));
  EXPECT_EQ(answers.count(), 1U);
}

}  // namespace
}  // namespace umbranet
