// Goal: the books say what was asked and what it cost, and a tenant's day ends when it is spent.
#include "umbranet/telemetry/model_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UsageKey kReflection{"acme", "small", "reflection"};

TEST(ModelUsage, CountsByTenantModelAndPurpose) {
  ManualClock clock;
  ModelUsage usage(clock, {.prices = {{"small", {.prompt = 2'000'000, .completion = 8'000'000}}}});
  EXPECT_DOUBLE_EQ(usage.Record(kReflection, false, 1'000, 500), 6'000);
  usage.Record(kReflection, true, 0, 0);
  usage.Record({"acme", "large", "chat"}, false, 10, 10);
  const ModelUsage::Report report = usage.Read();
  ASSERT_EQ(report.total.size(), 2U);
  EXPECT_EQ(report.total[0].key.model, "large");
  EXPECT_EQ(report.total[0].counts.cost, 0);
  EXPECT_EQ(report.total[1].counts.calls, 2U);
  EXPECT_EQ(report.total[1].counts.failed, 1U);
  EXPECT_EQ(report.total[1].counts.prompt_tokens, 1'000U);
  EXPECT_DOUBLE_EQ(report.total[1].counts.cost, 6'000);
}

TEST(ModelUsage, ADayBeginsAnewAndTheTotalStays) {
  ManualClock clock;
  ModelUsage usage(clock, {.daily_tokens_max = 100});
  usage.Record(kReflection, false, 90, 20);
  EXPECT_FALSE(usage.MaySpend("acme"));
  EXPECT_TRUE(usage.MaySpend("other"));
  EXPECT_THAT(usage.Read().exhausted, ElementsAre("acme"));
  clock.Advance(hours(24));
  EXPECT_TRUE(usage.MaySpend("acme"));
  EXPECT_THAT(usage.Read().today, IsEmpty());
  EXPECT_EQ(usage.Read().total.size(), 1U);
  EXPECT_THAT(usage.Read().exhausted, IsEmpty());
}

TEST(ModelUsage, ABudgetOfMoneyIsSpentByThePrices) {
  ManualClock clock;
  ModelUsage usage(clock, {.prices = {{"small", {.prompt = 1'000'000}}}, .daily_cost_max = 1'000});
  usage.Record(kReflection, false, 999, 0);
  EXPECT_TRUE(usage.MaySpend("acme"));
  usage.Record(kReflection, false, 1, 0);
  EXPECT_FALSE(usage.MaySpend("acme"));
}

TEST(ModelUsage, ChatSpendsNothingOfTheBudget) {
  ManualClock clock;
  ModelUsage usage(clock, {.daily_tokens_max = 10});
  usage.Record({"acme", "small", "chat"}, false, 1'000, 1'000);
  EXPECT_TRUE(usage.MaySpend("acme"));
}

TEST(ModelUsage, KeepsABoundedNumberOfRows) {
  ManualClock clock;
  ModelUsage usage(clock, {.rows_max = 3});
  for (int i = 0; i < 50; ++i) {
    usage.Record({"tenant" + std::to_string(i), "small", "reflection"}, false, 1, 1);
  }
  EXPECT_LE(usage.Read().total.size(), 4U);
}

}  // namespace
}  // namespace umbranet
