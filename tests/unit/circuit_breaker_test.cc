// Goal: a server that is away costs its callers nothing, and is asked again. Method: time is turned
// by hand.
#include "umbranet/base/circuit_breaker.h"

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

class CircuitBreakerTest : public testing::Test {
 protected:
  ManualClock clock_;
  CircuitBreaker breaker_{
      clock_, {.failures_to_open = 2, .pause_first = Millis{500}, .pause_max = Millis{1'500}}};
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
  EXPECT_FALSE(breaker_.Failed());
  EXPECT_FALSE(breaker_.Succeeded());
  EXPECT_FALSE(breaker_.Failed());
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Failed());
  EXPECT_TRUE(breaker_.IsOpen());
  EXPECT_FALSE(breaker_.Allow());
}

TEST_F(CircuitBreakerTest, LetsOneThroughAfterEachPauseWhichGrows) {
  breaker_.Failed();
  breaker_.Failed();
  for (const int pause : {500, 1'000, 1'500, 1'500}) {
    clock_.Advance(Millis{pause - 1});
    EXPECT_FALSE(breaker_.Allow()) << pause;
    clock_.Advance(Millis{1});
    EXPECT_TRUE(breaker_.Allow()) << pause;
    EXPECT_FALSE(breaker_.Allow()) << pause;
    breaker_.Failed();
  }
}

TEST_F(CircuitBreakerTest, ClosesOnceATrialSucceeds) {
  breaker_.Failed();
  breaker_.Failed();
  clock_.Advance(Millis{500});
  ASSERT_TRUE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Succeeded());
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Allow());
}

TEST_F(CircuitBreakerTest, CountsHowOftenItOpened) {
  EXPECT_EQ(breaker_.TimesOpened(), 0U);
  for (int i = 0; i < 5; ++i) {
    breaker_.Failed();
  }
  EXPECT_EQ(breaker_.TimesOpened(), 1U);
  breaker_.Succeeded();
  breaker_.Failed();
  breaker_.Failed();
  EXPECT_EQ(breaker_.TimesOpened(), 2U);
}

TEST_F(CircuitBreakerTest, IsNotHeldUpByATrialThatNeverEnds) {
  breaker_.Failed();
  breaker_.Failed();
  clock_.Advance(Millis{500});
  ASSERT_TRUE(breaker_.Allow());
  clock_.Advance(Millis{500});
  EXPECT_TRUE(breaker_.Allow());
}

TEST_F(CircuitBreakerTest, DoesNotWaitLongerForCallsThatBeganBeforeItOpened) {
  breaker_.Failed();
  breaker_.Failed();
  breaker_.Failed();
  breaker_.Failed();
  clock_.Advance(Millis{500});
  EXPECT_TRUE(breaker_.Allow());
}

}  // namespace
}  // namespace umbranet
