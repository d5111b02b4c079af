// Goal: delays and verdicts after failures are those that the job life cycle names.
// Method: arithmetic.
#include "umbranet/domain/retry_policy.h"

#include <set>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

using std::chrono::seconds;

TEST(RetryPolicy, DelaysDoubleAndStrayByAFifth) {
  const RetryPolicy policy;
  std::set<Millis> seen;
  for (int i = 0; i < 500; ++i) {
    const std::string id = "job " + std::to_string(i);
    for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
      const Millis full = seconds(30) * (1 << (attempt - 1));
      const Millis delay = policy.Delay(id, attempt, std::nullopt);
      EXPECT_GE(delay, full * 8 / 10);
      EXPECT_LE(delay, full * 12 / 10);
      seen.insert(delay);
    }
  }
  EXPECT_GT(seen.size(), 300U) << "retries of many jobs must not come at the same moment";
}

TEST(RetryPolicy, TheSameAttemptOfTheSameJobWaitsTheSameTime) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.Delay("a", 1, std::nullopt), policy.Delay("a", 1, std::nullopt));
}

TEST(RetryPolicy, AnAbsurdAttemptDoesNotOverflow) {
  const RetryPolicy policy;
  EXPECT_GT(policy.Delay("a", 4'000'000'000U, std::nullopt), Millis{0});
  EXPECT_GT(policy.Delay("a", 0, std::nullopt), Millis{0});
}

TEST(RetryPolicy, RetryAfterIsTheLeastDelay) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.Delay("a", 1, seconds(300)), seconds(300));
  EXPECT_EQ(policy.Delay("a", 1, seconds(1)), policy.Delay("a", 1, std::nullopt));
}

TEST(RetryPolicy, OnlyATransientFailureOfASingleJobCounts) {
  const RetryPolicy policy;
  const auto alone = policy.AfterFailure(FailureKind::kTransient, 1, false, true);
  EXPECT_EQ(alone.state, JobState::kRetryWait);
  EXPECT_EQ(alone.attempts, 2U);
  EXPECT_FALSE(alone.solo);
  const auto in_batch = policy.AfterFailure(FailureKind::kTransient, 3, false, false);
  EXPECT_EQ(in_batch.state, JobState::kRetryWait);
  EXPECT_EQ(in_batch.attempts, 3U);
  EXPECT_TRUE(in_batch.solo);
  const auto systemic = policy.AfterFailure(FailureKind::kSystemic, 3, false, true);
  EXPECT_EQ(systemic.state, JobState::kRetryWait);
  EXPECT_EQ(systemic.attempts, 3U);
  EXPECT_FALSE(systemic.solo);
}

TEST(RetryPolicy, TheFourthCountedFailureAndAnyPermanentOneAreTheEnd) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.AfterFailure(FailureKind::kTransient, 2, false, true).state,
            JobState::kRetryWait);
  EXPECT_EQ(policy.AfterFailure(FailureKind::kTransient, 3, false, true).state, JobState::kDead);
  EXPECT_EQ(policy.AfterFailure(FailureKind::kPermanent, 0, false, false).state, JobState::kDead);
}

TEST(RetryPolicy, AJobDiesOfItsFifthCrashOnlyIfItCrashedAlone) {
  const RetryPolicy policy;
  EXPECT_FALSE(policy.AfterCrash(0, false).solo);
  EXPECT_EQ(policy.AfterCrash(0, false).state, JobState::kReady);
  EXPECT_TRUE(policy.AfterCrash(1, false).solo);
  EXPECT_EQ(policy.AfterCrash(4, true).state, JobState::kDead);
  EXPECT_EQ(policy.AfterCrash(4, false).state, JobState::kRetryWait);
}

TEST(RetryPolicy, FromTheSecondCrashOnAJobWaitsLongerEachTime) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.AfterCrash(0, false).delay, seconds(0));
  EXPECT_EQ(policy.AfterCrash(1, false).delay, seconds(2));
  EXPECT_EQ(policy.AfterCrash(2, true).delay, seconds(4));
  EXPECT_EQ(policy.AfterCrash(3, true).delay, seconds(8));
  EXPECT_EQ(policy.AfterCrash(3, true).state, JobState::kRetryWait);
}

TEST(RetryPolicy, UrgencyIsATimeToBeDue) {
  EXPECT_EQ(DueDelay(Priority::kHigh), seconds(0));
  EXPECT_EQ(DueDelay(Priority::kNormal), seconds(10));
  EXPECT_EQ(DueDelay(Priority::kLow), seconds(60));
}

}  // namespace
}  // namespace umbranet
