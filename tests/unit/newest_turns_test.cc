// Goal: a prompt gets the newest turns that it has room for. Method: turns of known size.
#include "umbranet/domain/newest_turns.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

// As many turns of ten tokens, numbered from 1.
std::vector<Interaction> Turns(int count) {
  std::vector<Interaction> turns;
  for (int i = 1; i <= count; ++i) {
    Interaction turn;
    turn.sequence = i;
    turn.user_message = std::string(20, 'x');
    turn.assistant_response = std::string(20, 'y');
    turns.push_back(std::move(turn));
  }
  return turns;
}

TEST(NewestTurns, FitTheBudgetInTheirOrder) {
  EXPECT_EQ(TokensOf(Turns(1).front()), 10U);
  const std::vector<Interaction> newest = NewestWithin(Turns(5), {.tokens = 29});
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest.front().sequence, 4);
  EXPECT_EQ(newest.back().sequence, 5);
  EXPECT_EQ(NewestWithin(Turns(5), {.tokens = 30}).size(), 3U);
  EXPECT_EQ(NewestWithin(Turns(5), {.tokens = 1000}).size(), 5U);
}

TEST(NewestTurns, AreNoMoreThanTheWindowHolds) {
  const std::vector<Interaction> newest = NewestWithin(Turns(5), {.tokens = 1000, .turns = 2});
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest.front().sequence, 4);
  EXPECT_EQ(NewestWithin(Turns(5), {.turns = 0}).size(), 1U);
}

TEST(NewestTurns, KeepTheNewestEvenOverBudget) {
  EXPECT_EQ(NewestWithin(Turns(5), {.tokens = 0}).size(), 1U);
  EXPECT_EQ(NewestWithin(Turns(1), {.tokens = 3}).size(), 1U);
  EXPECT_TRUE(NewestWithin({}, {.tokens = 3}).empty());
}

}  // namespace
}  // namespace umbranet
