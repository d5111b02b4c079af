// Goal: a lease lives as long as its worker holds it, never past its cap, and not a moment after.
// Method: rounds are run by hand under a clock that is turned; the thread is tested by a signal.
#include "umbranet/reflection/lease_keeper.h"

#include <latch>
#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::_;
using ::testing::NiceMock;
using ::testing::Return;

class LeaseKeeperTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  NiceMock<MockJobLedger> ledger_;
  LeaseKeeper keeper_{clock_, ledger_, log_, {.every = Millis{1}, .cap = Millis{120'000}}};
};

TEST_F(LeaseKeeperTest, ExtendsEveryLeaseThatIsHeld) {
  const LeaseKeeper::KeptLease first(keeper_, {1});
  std::optional<LeaseKeeper::KeptLease> second(std::in_place, keeper_, Lease{2});
  EXPECT_CALL(ledger_, Extend(Lease{1}, _)).Times(2).WillRepeatedly(Return(Status()));
  EXPECT_CALL(ledger_, Extend(Lease{2}, _)).WillOnce(Return(Status()));
  keeper_.ExtendAll();
  second.reset();
  keeper_.ExtendAll();
}

TEST_F(LeaseKeeperTest, LetsGoAtTheCap) {
  const LeaseKeeper::KeptLease kept(keeper_, {1});
  EXPECT_CALL(ledger_, Extend).WillOnce(Return(Status()));
  clock_.Advance(Millis{119'999});
  keeper_.ExtendAll();
  clock_.Advance(Millis{1});
  keeper_.ExtendAll();
  EXPECT_EQ(keeper_.Count(), 0U);
}

TEST_F(LeaseKeeperTest, LetsGoOfALeaseThatIsLost) {
  const LeaseKeeper::KeptLease kept(keeper_, {1});
  EXPECT_CALL(ledger_, Extend).WillOnce(Return(Status(Aborted("ledger: lease lost"))));
  keeper_.ExtendAll();
  keeper_.ExtendAll();
}

TEST_F(LeaseKeeperTest, TriesAgainAfterAnyOtherError) {
  const LeaseKeeper::KeptLease kept(keeper_, {1});
  EXPECT_CALL(ledger_, Extend)
      .WillOnce(Return(Status(Unavailable("ledger: away"))))
      .WillOnce(Return(Status()));
  keeper_.ExtendAll();
  keeper_.ExtendAll();
  EXPECT_EQ(keeper_.Count(), 1U);
}

TEST_F(LeaseKeeperTest, ItsThreadExtendsUntilItIsStopped) {
  std::latch extended_twice(2);
  ON_CALL(ledger_, Extend).WillByDefault([&](const Lease&, Deadline) {
    if (!extended_twice.try_wait()) {
      extended_twice.count_down();
    }
    return Status();
  });
  const LeaseKeeper::KeptLease kept(keeper_, {1});
  keeper_.Start();
  keeper_.Start();
  extended_twice.wait();
  keeper_.Stop();
  keeper_.Stop();
  EXPECT_EQ(keeper_.Count(), 1U);
}

}  // namespace
}  // namespace umbranet
