// Goal: no minute holds more calls or tokens than is allowed, and no moment more calls at once.
// Method: a clock that is turned by hand.
#include "umbranet/reflection/model_limits.h"

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::seconds;

TEST(ModelLimits, LetEverybodyThroughWhereNoneIsSet) {
  ManualClock clock;
  ModelLimits limits(clock, {});
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(limits.TryBegin(1'000'000).begun);
  }
}

TEST(ModelLimits, HoldTheCallsAtOnce) {
  ManualClock clock;
  ModelLimits limits(clock, {.calls_at_once = 2});
  const auto first = limits.TryBegin(1);
  EXPECT_TRUE(limits.TryBegin(1).begun);
  EXPECT_FALSE(limits.TryBegin(1).begun);
  limits.End(first.ticket, 1);
  EXPECT_TRUE(limits.TryBegin(1).begun);
}

TEST(ModelLimits, HoldTheRequestsOfEveryMinute) {
  ManualClock clock;
  ModelLimits limits(clock, {.requests_per_minute = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limits.TryBegin(1).begun);
    clock.Advance(seconds(10));
  }
  const auto refused = limits.TryBegin(1);
  EXPECT_FALSE(refused.begun);
  EXPECT_EQ(refused.wait, seconds(30));
  clock.Advance(seconds(29));
  EXPECT_FALSE(limits.TryBegin(1).begun);
  clock.Advance(seconds(1));
  EXPECT_TRUE(limits.TryBegin(1).begun);
  EXPECT_FALSE(limits.TryBegin(1).begun);
}

TEST(ModelLimits, HoldTheTokensOfEveryMinuteAsTheyTurnOutToBe) {
  ManualClock clock;
  ModelLimits limits(clock, {.tokens_per_minute = 100});
  const auto first = limits.TryBegin(40);
  ASSERT_TRUE(first.begun);
  limits.End(first.ticket, 80);
  EXPECT_FALSE(limits.TryBegin(40).begun);
  const auto second = limits.TryBegin(20);
  ASSERT_TRUE(second.begun);
  limits.End(second.ticket, 5);
  EXPECT_TRUE(limits.TryBegin(15).begun);
  clock.Advance(seconds(60));
  EXPECT_TRUE(limits.TryBegin(100).begun);
}

TEST(ModelLimits, LetACallThroughThatIsLargerThanAMinute) {
  ManualClock clock;
  ModelLimits limits(clock, {.tokens_per_minute = 100});
  EXPECT_TRUE(limits.TryBegin(500).begun);
  EXPECT_FALSE(limits.TryBegin(1).begun);
  clock.Advance(seconds(60));
  EXPECT_TRUE(limits.TryBegin(500).begun);
}

TEST(ModelLimits, HoldEverybodyBackWhenTheServerAsksForPatience) {
  ManualClock clock;
  ModelLimits limits(clock, {});
  limits.HoldOff(seconds(7));
  limits.HoldOff(seconds(2));
  const auto refused = limits.TryBegin(1);
  EXPECT_FALSE(refused.begun);
  EXPECT_EQ(refused.wait, seconds(7));
  clock.Advance(seconds(7));
  EXPECT_TRUE(limits.TryBegin(1).begun);
}

}  // namespace
}  // namespace umbranet
