// Goal: a scrape shows what the ledger holds at that moment.
// Method: a scripted ledger and a scraped page.
#include "umbranet/reflection/reflection_gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::NiceMock;
using ::testing::Return;

class ReflectionGaugesTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  Metrics metrics_{{"0", "0"}};
  NiceMock<MockJobLedger> ledger_;
  NiceMock<MockDoorbell> doorbell_;
};

TEST_F(ReflectionGaugesTest, ShowsJobsAndAges) {
  LedgerStats stats;
  stats.ready_high = 1;
  stats.ready_low = 2;
  stats.leased = 3;
  stats.retry_wait = 4;
  stats.dead = 5;
  stats.oldest_ready_at = clock_.Now() - Millis{1'500};
  stats.oldest_unfinished_at = clock_.Now() - Millis{90'000};
  ON_CALL(ledger_, Stats).WillByDefault(Return(Result<LedgerStats>(stats)));
  ON_CALL(doorbell_, Healthy).WillByDefault(Return(true));
  const auto hook = WatchLedger(metrics_, clock_, ledger_, doorbell_);
  const std::string page = metrics_.Expose("").body;
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{priority=\"high\",state=\"ready\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{priority=\"normal\",state=\"ready\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{priority=\"low\",state=\"ready\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{state=\"leased\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{state=\"retry_wait\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_jobs{state=\"dead\"} 5\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_oldest_ready_age_seconds 1.5\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_oldest_unfinished_age_seconds 90\n"));
  EXPECT_THAT(page, HasSubstr("umbranet_reflection_doorbell_up 1\n"));
}

TEST_F(ReflectionGaugesTest, KeepsTheLastFiguresWhileTheLedgerIsAway) {
  LedgerStats stats;
  stats.dead = 5;
  EXPECT_CALL(ledger_, Stats)
      .WillOnce(Return(Result<LedgerStats>(stats)))
      .WillOnce(Return(Result<LedgerStats>(Unavailable("ledger: away"))));
  const auto hook = WatchLedger(metrics_, clock_, ledger_, doorbell_);
  (void)metrics_.Expose("");
  EXPECT_THAT(metrics_.Expose("").body, HasSubstr("umbranet_reflection_jobs{state=\"dead\"} 5\n"));
}

TEST_F(ReflectionGaugesTest, ShowsTheLevelOfBackpressureAndLooksOnceASecond) {
  LedgerStats deep;
  deep.ready_normal = 60'000;
  EXPECT_CALL(ledger_, Stats)
      .WillOnce(Return(Result<LedgerStats>(deep)))
      .WillOnce(Return(Result<LedgerStats>(Unavailable("ledger: away"))));
  BackpressureWatch watch(clock_, ledger_, [] { return QueueLoad{}; });
  const auto hook = WatchLevel(metrics_, watch);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(metrics_.Expose("").body, HasSubstr("umbranet_reflection_backpressure_level 2\n"));
  }
  clock_.Advance(Millis{1'000});
  EXPECT_THAT(metrics_.Expose("").body, HasSubstr("umbranet_reflection_backpressure_level 3\n"));
}

TEST_F(ReflectionGaugesTest, CountsWhatASweepReaped) {
  SweepReport report;
  report.expired = 3;
  report.killed = 1;
  CountSweep(metrics_, report);
  EXPECT_EQ(metrics_.reflection_lease_expired_total.Value(), 3);
  EXPECT_EQ(metrics_.reflection_dead_total.At("crashes").Value(), 1);
}

}  // namespace
}  // namespace umbranet
