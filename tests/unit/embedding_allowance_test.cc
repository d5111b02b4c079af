// Goal: chat turns get vectors at a bounded rate, evenly.
// Method: a clock that is turned by hand.
#include "umbranet/memory/embedding_allowance.h"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

int TakeAll(EmbeddingAllowance& allowance) {
  int taken = 0;
  while (allowance.Take(/*free=*/true)) {
    ++taken;
  }
  return taken;
}

TEST(EmbeddingAllowance, LetsAFifthOfASecondsWorthComeAtOnce) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 10);
  EXPECT_EQ(TakeAll(allowance), 2);
}

TEST(EmbeddingAllowance, LetsOneComeHoweverFewTheyAre) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 0.5);
  EXPECT_EQ(TakeAll(allowance), 1);
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(TakeAll(allowance), 1);
}

TEST(EmbeddingAllowance, FillsUpWithTimeAndNotBeyondItsBound) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 10);
  TakeAll(allowance);
  clock.Advance(std::chrono::milliseconds(100));
  EXPECT_EQ(TakeAll(allowance), 1);
  clock.Advance(std::chrono::seconds(60));
  EXPECT_EQ(TakeAll(allowance), 2);
}

TEST(EmbeddingAllowance, NoneAtAllIsNone) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 0);
  clock.Advance(std::chrono::seconds(60));
  EXPECT_FALSE(allowance.Take(/*free=*/true));
}

TEST(EmbeddingAllowance, IsKeptForLaterWhenNoProcessorIsFree) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 10);
  EXPECT_FALSE(allowance.Take(/*free=*/false));
  EXPECT_EQ(TakeAll(allowance), 2);
}

TEST(EmbeddingAllowance, IsForNobodyWhileManyTimesAsManyAsk) {
  ManualClock clock;
  EmbeddingAllowance allowance(clock, 10);
  int late = 0;
  for (int i = 0; i < 500; ++i) {
    clock.Advance(std::chrono::milliseconds(5));
    late += allowance.Take(/*free=*/true) && i > 100 ? 1 : 0;
  }
  EXPECT_EQ(late, 0);
  int calm = 0;
  for (int i = 0; i < 100; ++i) {
    clock.Advance(std::chrono::milliseconds(100));
    calm += allowance.Take(/*free=*/true) ? 1 : 0;
  }
  EXPECT_GT(calm, 70);
}

}  // namespace
}  // namespace umbranet
