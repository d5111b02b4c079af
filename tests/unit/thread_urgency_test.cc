// Goal: work behind the answers yields to them. Method: threads that look at how they are run.
#include "umbranet/base/thread_urgency.h"

#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace umbranet {
namespace {

int NiceAfter(int nice) {
  int got = 0;
  std::jthread([&] {
    WorkBehindAnswers(nice);
    got = getpriority(PRIO_PROCESS, 0);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
  return got;
}

TEST(ThreadUrgency, IsAsNiceAsItWasAskedFor) {
  EXPECT_EQ(NiceAfter(15), 15);
}

TEST(ThreadUrgency, StaysAsItIsAtZero) {
  const int here = getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(NiceAfter(0), here);
}

class ThreadAhead : public testing::TestWithParam<Slices> {};

INSTANTIATE_TEST_SUITE_P(Slices, ThreadAhead, testing::Values(Slices::kOrdinary, Slices::kShort));

TEST_P(ThreadAhead, GoesAheadWhereTheSystemAllowsItAndStaysAsItIsElsewhere) {
  const Slices slices = GetParam();
  int here = 0;
  int got = 0;
  std::jthread([&] {
    here = getpriority(PRIO_PROCESS, 0);
    WorkAhead(kNiceOfAnswers, slices);
    got = getpriority(PRIO_PROCESS, 0);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
  EXPECT_TRUE(got == kNiceOfAnswers || got == here) << got;
  if (geteuid() == 0) {
    EXPECT_LE(got, here);
  }
}

TEST_P(ThreadAhead, NeverFallsBehindWhereItWas) {
  const Slices slices = GetParam();
  int got = 0;
  bool is_allowed = false;
  std::jthread([&] {
    is_allowed = setpriority(PRIO_PROCESS, 0, kNiceOfAnswers - 5) == 0;
    WorkAhead(kNiceOfAnswers, slices);
    got = getpriority(PRIO_PROCESS, 0);
  }).join();
  if (!is_allowed) {
    GTEST_SKIP() << "this user may not go ahead of others";
  }
  EXPECT_EQ(got, kNiceOfAnswers - 5);
}

}  // namespace
}  // namespace umbranet
