// Goal: what is compared with a forgetting is stamped with the ledger's time, whatever is done to
// the clock of this machine.
#include "umbranet/base/ledger_clock.h"

#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(LedgerClock, GoesByTheProcesssClockUntilTheLedgerHasToldItsTime) {
  ManualClock clock;
  const LedgerClock ledger(clock);
  EXPECT_EQ(ledger.Now(), clock.Now());
  clock.Advance(seconds(5));
  EXPECT_EQ(ledger.Now(), clock.Now());
  EXPECT_EQ(ledger.SteadyNow(), clock.SteadyNow());
}

TEST(LedgerClock, GoesOnFromTheLedgersTimeWhenThisClockIsSet) {
  ManualClock clock;
  LedgerClock ledger(clock);
  const Timestamp told = clock.Now() - hours(3);
  ledger.Tell(told);
  EXPECT_EQ(ledger.Now(), told);
  clock.SetWall(clock.Now() + hours(9));
  EXPECT_EQ(ledger.Now(), told);
  clock.Advance(seconds(5));
  EXPECT_EQ(ledger.Now(), told + seconds(5));
}

TEST(LedgerClock, FollowsTheLedgersClockBack) {
  ManualClock clock;
  LedgerClock ledger(clock);
  ledger.Tell(clock.Now());
  ledger.Tell(clock.Now() - hours(1));
  EXPECT_EQ(ledger.Now(), clock.Now() - hours(1));
}

TEST(LedgerClock, IsNeverBeforeAForgettingThatIsKnown) {
  ManualClock clock;
  LedgerClock ledger(clock);
  const Timestamp forgotten = clock.Now();
  ledger.Forgot(forgotten);
  ledger.Forgot(forgotten - hours(1));
  clock.SetWall(forgotten - hours(2));
  EXPECT_EQ(ledger.Now(), forgotten);
  ledger.Tell(forgotten - hours(2));
  EXPECT_EQ(ledger.Now(), forgotten);
  clock.Advance(hours(3));
  EXPECT_EQ(ledger.Now(), forgotten + hours(1));
}

}  // namespace
}  // namespace umbranet
