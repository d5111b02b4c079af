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
  while (allowance.Take()) {
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
  EXPECT_FALSE(allowance.Take());
}

}  // namespace
}  // namespace umbranet
