// Goal: a pool runs what it took, refuses what it cannot hold, and gives its threads back.
// Method: tasks that wait on latches, so that each test decides who runs when.
#include "umbranet/base/bounded_worker_pool.h"

#include <atomic>
#include <future>
#include <latch>
#include <memory>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

TEST(BoundedWorkerPool, RunsATaskForEachThreadAtTheSameTime) {
  std::latch all_here(4);
  BoundedWorkerPool pool({.name = "test", .threads_min = 1, .threads_max = 3, .queue_max = 3});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.TrySubmit([&] { all_here.arrive_and_wait(); }));
  }
  all_here.arrive_and_wait();
  EXPECT_EQ(pool.ThreadCount(), 3U);
}

TEST(BoundedWorkerPool, RefusesATaskThatItsQueueCannotHold) {
  std::latch started(1);
  std::latch release(1);
  BoundedWorkerPool pool({.name = "test", .threads_min = 1, .threads_max = 1, .queue_max = 1});
  ASSERT_TRUE(pool.TrySubmit([&] {
    started.count_down();
    release.wait();
  }));
  started.wait();
  EXPECT_TRUE(pool.TrySubmit([] {}));
  EXPECT_FALSE(pool.TrySubmit([] {}));
  release.count_down();
}

TEST(BoundedWorkerPool, TakesABurstOfAsManyAsMayRunAndWaitBeforeAnyThreadHasStarted) {
  std::latch release(1);
  BoundedWorkerPool pool({.name = "test", .threads_min = 0, .threads_max = 8, .queue_max = 2});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(pool.TrySubmit([&] { release.wait(); }));
  }
  EXPECT_FALSE(pool.TrySubmit([] {}));
  release.count_down();
}

TEST(BoundedWorkerPool, RunsEverythingItTookBeforeStopReturnsAndNothingAfter) {
  std::atomic<int> runs = 0;
  BoundedWorkerPool pool({.name = "test", .threads_min = 1, .threads_max = 2, .queue_max = 100});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pool.TrySubmit([&] { ++runs; }));
  }
  pool.Stop();
  EXPECT_EQ(runs, 100);
  EXPECT_EQ(pool.ThreadCount(), 0U);
  EXPECT_FALSE(pool.TrySubmit([&] { ++runs; }));
  pool.Stop();
  EXPECT_EQ(runs, 100);
}

TEST(BoundedWorkerPool, LetsIdleThreadsGoAndStartsOthersWhenWorkReturns) {
  BoundedWorkerPool pool({.name = "test",
                          .threads_min = 0,
                          .threads_max = 1,
                          .queue_max = 1,
                          .idle_after = Millis{0}});
  for (int i = 0; i < 50; ++i) {
    const auto ran = std::make_shared<std::promise<void>>();
    while (!pool.TrySubmit([ran] { ran->set_value(); })) {
    }
    ran->get_future().wait();
  }
}

}  // namespace
}  // namespace umbranet
