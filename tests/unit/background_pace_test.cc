// Goal: threads behind the answers give way, but not for ever. Method: pieces of work that say how
// long they waited, and threads that look at how they are run.
#include "umbranet/adapters/local_embedder/background_pace.h"

#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

namespace umbranet {
namespace {

using std::chrono::milliseconds;

// SCHED_IDLE, or how nice an ordinary thread is.
int RunAs(const BackgroundPace& pace) {
  int run_as = 0;
  std::jthread([&] {
    pace.GiveWay();
    run_as = sched_getscheduler(0) == SCHED_IDLE ? -SCHED_IDLE : getpriority(PRIO_PROCESS, 0);
  }).join();
  return run_as;
}

TEST(BackgroundPace, GivesWayToEverybodyAtFirst) {
  const BackgroundPace pace;
  EXPECT_FALSE(pace.Starving());
  EXPECT_EQ(RunAs(pace), -SCHED_IDLE);
}

TEST(BackgroundPace, IsLessYieldingOnceWorkHasWaitedForLong) {
  BackgroundPace pace;
  pace.Note(milliseconds(10), milliseconds(4000));
  EXPECT_TRUE(pace.Starving());
  EXPECT_GE(RunAs(pace), 10);
}

TEST(BackgroundPace, TakesNoOffenceAtAShortWaitOrAtWorkThatIsLong) {
  BackgroundPace pace;
  pace.Note(milliseconds(1), milliseconds(900));
  pace.Note(milliseconds(4000), milliseconds(9000));
  EXPECT_FALSE(pace.Starving());
}

TEST(ThreadTime, RunsWithTheThreadsWork) {
  const auto begun = ThreadTime();
  volatile int count = 0;
  while (ThreadTime() == begun) {
    count = count + 1;
  }
  EXPECT_GT(ThreadTime(), begun);
}

}  // namespace
}  // namespace umbranet
