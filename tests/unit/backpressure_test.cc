// Goal: each level begins where it should. Method: the pure function, one bound at a time.
#include "umbranet/reflection/backpressure.h"

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::seconds;

constexpr Timestamp kNow = ManualClock::kStart;

QueueLoad Load(std::uint64_t depth, seconds age) {
  QueueLoad load;
  load.ledger.emplace();
  load.ledger->ready_normal = depth;
  if (depth > 0) {
    load.ledger->oldest_ready_at = kNow - age;
  }
  load.workers = 3;
  return load;
}

TEST(BackpressureTest, AnEmptyOrShortQueueIsWell) {
  EXPECT_EQ(BackpressureLevel(Load(0, seconds(0)), kNow), 0U);
  EXPECT_EQ(BackpressureLevel(Load(1'000, seconds(15)), kNow), 0U);
}

TEST(BackpressureTest, RisesWithTheAgeOfTheOldestJob) {
  EXPECT_EQ(BackpressureLevel(Load(1, seconds(16)), kNow), 1U);
  EXPECT_EQ(BackpressureLevel(Load(1, seconds(120)), kNow), 1U);
  EXPECT_EQ(BackpressureLevel(Load(1, seconds(121)), kNow), 2U);
}

TEST(BackpressureTest, RisesWithTheDepth) {
  EXPECT_EQ(BackpressureLevel(Load(6'000, seconds(1)), kNow), 0U);
  EXPECT_EQ(BackpressureLevel(Load(6'001, seconds(1)), kNow), 1U);
  EXPECT_EQ(BackpressureLevel(Load(50'001, seconds(1)), kNow), 2U);
}

TEST(BackpressureTest, ALedgerThatIsAwayIsTheThirdLevel) {
  EXPECT_EQ(BackpressureLevel({}, kNow), 3U);
}

TEST(BackpressureTest, WantOfRoomIsTheLastLevel) {
  QueueLoad load = Load(0, seconds(0));
  load.room_is_left = false;
  EXPECT_EQ(BackpressureLevel(load, kNow), 4U);
  QueueLoad spooling;
  spooling.spool_share = 0.81;
  EXPECT_EQ(BackpressureLevel(spooling, kNow), 4U);
  spooling.spool_share = 0.8;
  EXPECT_EQ(BackpressureLevel(spooling, kNow), 3U);
}

}  // namespace
}  // namespace umbranet
