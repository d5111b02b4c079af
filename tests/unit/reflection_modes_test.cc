// Goal: who is reflected how follows from the switches and the user alone, and whoever needs to
// know of a change is told of each once. Method: the switch by itself.
#include "umbranet/memory/reflection_modes.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

UserKey User(int number, std::string tenant = "default") {
  return {std::move(tenant), "user-" + std::to_string(number)};
}

TEST(ReflectionModesTest, ASlowModeIsSlowForEverybody) {
  const ModeSwitch modes({.fast = false, .queue = true, .fast_percent = 100});
  EXPECT_EQ(modes.ModeOf(User(1)), RunMode::kInline);
}

TEST(ReflectionModesTest, AShareOfTheUsersIsFast) {
  int fast = 0;
  const ModeSwitch modes({.fast = true, .queue = true, .fast_percent = 30});
  for (int user = 0; user < 2'000; ++user) {
    fast += modes.ModeOf(User(user)) == RunMode::kBackground ? 1 : 0;
  }
  EXPECT_NEAR(fast, 600, 80);
}

TEST(ReflectionModesTest, AGreaterShareKeepsThoseWhoWereInTheSmaller) {
  const ModeSwitch few({.fast = true, .queue = true, .fast_percent = 10});
  const ModeSwitch many({.fast = true, .queue = true, .fast_percent = 50});
  for (int user = 0; user < 500; ++user) {
    if (few.ModeOf(User(user)) == RunMode::kBackground) {
      EXPECT_EQ(many.ModeOf(User(user)), RunMode::kBackground) << user;
    }
  }
}

TEST(ReflectionModesTest, NoneAndAllAreTheEndsOfTheShare) {
  const ModeSwitch none({.fast = true, .queue = true, .fast_percent = 0});
  const ModeSwitch all({.fast = true, .queue = true, .fast_percent = 100});
  for (int user = 0; user < 500; ++user) {
    EXPECT_EQ(none.ModeOf(User(user)), RunMode::kInline);
    EXPECT_EQ(all.ModeOf(User(user)), RunMode::kBackground);
  }
}

TEST(ReflectionModesTest, AUserStandsInTheSamePlaceInEveryRun) {
  EXPECT_EQ(ModePercentile(User(7)), ModePercentile(User(7)));
  EXPECT_LT(ModePercentile(User(7)), 100U);
  EXPECT_NE(ModePercentile(User(7)), ModePercentile(User(7, "another")));
}

TEST(ReflectionModesTest, WhoListensIsToldOfEachChangeOnce) {
  ModeSwitch modes({});
  std::vector<std::string> told;
  modes.Tell([&](const ReflectionModes& now, std::string_view by) {
    told.push_back(std::string(by) + (now.fast ? " fast" : " slow"));
  });
  EXPECT_TRUE(modes.Set({.fast = false, .queue = true, .fast_percent = 100}, "api"));
  EXPECT_FALSE(modes.Set({.fast = false, .queue = true, .fast_percent = 100}, "api"));
  EXPECT_TRUE(modes.Set({}, "SIGHUP"));
  EXPECT_EQ(told, (std::vector<std::string>{"api slow", "SIGHUP fast"}));
}

}  // namespace
}  // namespace umbranet
