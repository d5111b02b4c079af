// Goal: a broker that does not confirm is left alone but for a probe now and then, and connecting
// again is tried less and less often.
// Method: a clock turned by hand, and jitter that is a number of the test's own.
#include "umbranet/adapters/rabbitmq/publish_breaker.h"

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

class PublishBreakerTest : public testing::Test {
 protected:
  void FailTimes(int times) {
    for (int i = 0; i < times; ++i) {
      breaker_.OnPublished();
      breaker_.OnUnknown();
    }
  }

  ManualClock clock_;
  double random_ = 0.5;  // No jitter.
  PublishBreaker breaker_{clock_, {}, [this] { return random_; }};
};

TEST_F(PublishBreakerTest, OpensAfterThreeInARow) {
  FailTimes(2);
  EXPECT_FALSE(breaker_.IsOpen());
  EXPECT_TRUE(breaker_.Admits());
  FailTimes(1);
  EXPECT_TRUE(breaker_.IsOpen());
  EXPECT_FALSE(breaker_.Admits());
}

TEST_F(PublishBreakerTest, AConfirmInBetweenStartsTheCountAnew) {
  FailTimes(2);
  breaker_.OnConfirmed();
  FailTimes(2);
  EXPECT_FALSE(breaker_.IsOpen());
}

TEST_F(PublishBreakerTest, LetsOneProbeThroughEveryFiveSeconds) {
  FailTimes(3);
  clock_.Advance(Millis{4'999});
  EXPECT_FALSE(breaker_.Admits());
  clock_.Advance(Millis{1});
  EXPECT_TRUE(breaker_.Admits());
  breaker_.OnPublished();
  EXPECT_FALSE(breaker_.Admits());
  clock_.Advance(Millis{3'000});
  breaker_.OnUnknown();
  EXPECT_FALSE(breaker_.Admits());
  clock_.Advance(Millis{5'000});
  EXPECT_TRUE(breaker_.Admits());
}

TEST_F(PublishBreakerTest, ANewConnectionIsProbedAtOnceAndOnce) {
  FailTimes(3);
  breaker_.ProbeNow();
  EXPECT_TRUE(breaker_.Admits());
  breaker_.OnPublished();
  EXPECT_FALSE(breaker_.Admits());
  breaker_.OnUnknown();
  EXPECT_TRUE(breaker_.IsOpen());
  EXPECT_FALSE(breaker_.Admits());
}

TEST_F(PublishBreakerTest, AProbeThatIsConfirmedClosesIt) {
  FailTimes(3);
  clock_.Advance(Millis{5'000});
  breaker_.OnPublished();
  breaker_.OnConfirmed();
  EXPECT_FALSE(breaker_.IsOpen());
  EXPECT_TRUE(breaker_.Admits());
}

TEST_F(PublishBreakerTest, StragglersDoNotPutTheProbeOff) {
  FailTimes(3);
  clock_.Advance(Millis{3'000});
  breaker_.OnUnknown();
  clock_.Advance(Millis{2'000});
  EXPECT_TRUE(breaker_.Admits());
}

TEST_F(PublishBreakerTest, TheProbeComesAFifthSoonerOrLater) {
  random_ = 0;
  FailTimes(3);
  EXPECT_EQ(breaker_.ProbeAt() - clock_.SteadyNow(), Millis{4'000});
  clock_.Advance(Millis{4'000});
  random_ = 1;
  FailTimes(1);
  EXPECT_EQ(breaker_.ProbeAt() - clock_.SteadyNow(), Millis{6'000});
}

TEST(ReconnectBackoff, DoublesUpToItsLastAndStartsAnew) {
  ReconnectBackoff backoff({.first = Millis{200}, .last = Millis{5'000}}, [] { return 0.5; });
  for (const int expected : {200, 400, 800, 1'600, 3'200, 5'000, 5'000}) {
    EXPECT_EQ(backoff.Next(), Millis{expected});
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(backoff.Next(), Millis{5'000});
  }
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), Millis{200});
}

TEST(ReconnectBackoff, IsAFifthSoonerOrLater) {
  double random = 0;
  ReconnectBackoff backoff({.first = Millis{100}, .last = Millis{100}}, [&] { return random; });
  EXPECT_EQ(backoff.Next(), Millis{80});
  random = 1;
  EXPECT_EQ(backoff.Next(), Millis{120});
}

}  // namespace
}  // namespace umbranet
