// Goal: the books of what models cost add up, whoever writes, how often ever, and over restarts.
// Method: batches of several writers against every implementation.
//
// Deliberate faults that it has caught, made in the adapters of SQLite and PostgreSQL and taken
// back:
//   - a batch that comes again is added again   ABatchThatComesAgainIsPassedOver
//   - nothing is added to the total             ADayIsApartAndTheTotalHasAll
//   - old days stay                             OldDaysGoAndStayInTheTotal
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();
constexpr std::int64_t kDay = 19'000;

const UsageKey kReflection{"acme", "small", "reflection"};
const UsageKey kChat{"acme", "large", "chat"};

UsageCounts Calls(std::uint64_t calls) {
  return {.calls = calls,
          .failed = 1,
          .prompt_tokens = 10 * calls,
          .completion_tokens = 5 * calls,
          .cost = 0.5 * static_cast<double>(calls)};
}

class ModelUsageBookContract : public LedgerFixture {
 protected:
  void SetUp() override {
    LedgerFixture::SetUp();
    if (!IsSkipped() && harness_->usage_book() == nullptr) {
      GTEST_SKIP() << "this engine keeps none";
    }
  }

  void Enter(std::string_view writer, std::uint64_t batch, const std::vector<DayUsage>& entries) {
    const Status entered = harness_->usage_book()->Enter(writer, batch, entries, kNever);
    ASSERT_TRUE(entered.ok()) << entered.error().message;
  }

  UsagePage Read(std::int64_t day = kDay) {
    return harness_->usage_book()->Read(day, kNever).value();
  }
};

TEST_P(ModelUsageBookContract, IsEmptyAtFirst) {
  const UsagePage page = Read();
  EXPECT_THAT(page.of_day, IsEmpty());
  EXPECT_THAT(page.total, IsEmpty());
  EXPECT_EQ(page.first_day, std::nullopt);
}

TEST_P(ModelUsageBookContract, AddsUpWhatSeveralWritersEntered) {
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}, {kDay, {kChat, Calls(1)}}});
  Enter("other", 1, {{kDay, {kReflection, Calls(3)}}});
  UsageCounts sum = Calls(2);
  sum += Calls(3);
  EXPECT_THAT(Read().of_day, ElementsAre(UsageRow{kChat, Calls(1)}, UsageRow{kReflection, sum}));
  EXPECT_EQ(Read().of_day, Read().total);
}

TEST_P(ModelUsageBookContract, ADayIsApartAndTheTotalHasAll) {
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}, {kDay + 1, {kReflection, Calls(3)}}});
  EXPECT_THAT(Read(kDay).of_day, ElementsAre(UsageRow{kReflection, Calls(2)}));
  EXPECT_THAT(Read(kDay + 1).of_day, ElementsAre(UsageRow{kReflection, Calls(3)}));
  EXPECT_THAT(Read(kDay + 2).of_day, IsEmpty());
  UsageCounts sum = Calls(2);
  sum += Calls(3);
  EXPECT_THAT(Read(kDay + 2).total, ElementsAre(UsageRow{kReflection, sum}));
  EXPECT_EQ(Read().first_day, kDay);
}

TEST_P(ModelUsageBookContract, ABatchThatComesAgainIsPassedOver) {
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}});
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}});
  EXPECT_THAT(Read().of_day, ElementsAre(UsageRow{kReflection, Calls(2)}));
  Enter("one", 2, {{kDay, {kChat, Calls(1)}}});
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}});
  EXPECT_THAT(Read().of_day,
              ElementsAre(UsageRow{kChat, Calls(1)}, UsageRow{kReflection, Calls(2)}));
  Enter("other", 1, {{kDay, {kChat, Calls(1)}}});
  EXPECT_EQ(Read().of_day.at(0).counts.calls, 2U) << "another writer's first is another batch";
}

TEST_P(ModelUsageBookContract, TenantsModelsAndPurposesAreApart) {
  const std::vector<UsageKey> keys{
      {"acme", "small", "chat"}, {"acme", "small", "summary"}, {"zenith", "small", "chat"}};
  std::vector<DayUsage> entries;
  for (const UsageKey& key : keys) {
    entries.push_back({kDay, {key, Calls(1)}});
  }
  Enter("one", 1, entries);
  std::vector<UsageKey> found;
  for (const UsageRow& row : Read().of_day) {
    found.push_back(row.key);
  }
  EXPECT_EQ(found, keys);
}

TEST_P(ModelUsageBookContract, OldDaysGoAndStayInTheTotal) {
  Enter("one", 1, {{kDay, {kReflection, Calls(1)}}});
  Enter("one", 2, {{kDay + 1, {kReflection, Calls(1)}}});
  Enter("one", 3, {{kDay + 1 + kUsageDaysMax, {kChat, Calls(1)}}});
  EXPECT_THAT(Read(kDay).of_day, IsEmpty());
  EXPECT_EQ(Read(kDay + 1).of_day.size(), 1U);
  EXPECT_EQ(Read().total.size(), 2U);
  EXPECT_EQ(Read().total.at(1).counts.calls, 2U);
  EXPECT_EQ(Read().first_day, kDay);
}

TEST_P(ModelUsageBookContract, OutlivesTheProcess) {
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}});
  if (!harness_->Restart()) {
    GTEST_SKIP() << "this engine keeps nothing";
  }
  EXPECT_THAT(Read().of_day, ElementsAre(UsageRow{kReflection, Calls(2)}));
  Enter("one", 1, {{kDay, {kReflection, Calls(2)}}});
  EXPECT_EQ(Read().of_day.at(0).counts.calls, 2U);
}

TEST_P(ModelUsageBookContract, WritersAtTheSameTimeLoseNothing) {
  constexpr std::uint64_t kBatches = 20;
  std::vector<std::jthread> writers;
  for (const char* writer : {"one", "two", "three"}) {
    writers.emplace_back([this, writer] {
      for (std::uint64_t batch = 1; batch <= kBatches; ++batch) {
        // In either order: nobody may wait for one who waits for him.
        std::vector<DayUsage> entries{{kDay, {kReflection, Calls(1)}}, {kDay, {kChat, Calls(1)}}};
        if (batch % 2 == 0) {
          std::swap(entries[0], entries[1]);
        }
        EXPECT_TRUE(harness_->usage_book()->Enter(writer, batch, entries, kNever).ok());
      }
    });
  }
  writers.clear();
  EXPECT_EQ(Read().of_day.at(0).counts.calls, 3 * kBatches);
  EXPECT_EQ(Read().of_day.at(1).counts.calls, 3 * kBatches);
}

INSTANTIATE_TEST_SUITE_P(Engines, ModelUsageBookContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace umbranet
