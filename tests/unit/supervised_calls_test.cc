// Goal: whoever waits for a call waits no longer than allowed, and a call left behind harms nobody.
// Method: calls that wait for a latch which the test opens, on a real pool.
#include "umbranet/reflection/supervised_calls.h"

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"

namespace umbranet {
namespace {

class SupervisedCallsTest : public ::testing::Test {
 protected:
  Deadline Soon() { return Deadline::After(clock_, Millis{5}); }

  Deadline Late() { return Deadline::After(clock_, std::chrono::seconds{30}); }

  SystemClock clock_;
  std::latch opened_{1};
  BoundedWorkerPool pool_{{.name = "calls", .threads_max = 2, .queue_max = 2}};
};

TEST_F(SupervisedCallsTest, HandsOverWhatCallsReturn) {
  SupervisedCalls<std::string> calls(pool_);
  calls.Start(7, []() -> Result<std::string> { return std::string("done"); });
  const auto finished = calls.Collect({}, Late());
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].call, 7U);
  EXPECT_EQ(*finished[0].result, "done");
  EXPECT_EQ(calls.Running(), 0U);
}

TEST_F(SupervisedCallsTest, HandsOverWhatIsThereWhileOthersStillRun) {
  SupervisedCalls<void> calls(pool_);
  calls.Start(0, [this] {
    opened_.wait();
    return Status();
  });
  calls.Start(1, [] { return Status(Unavailable("away")); });
  const auto first = calls.Collect({}, Late());
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].call, 1U);
  EXPECT_EQ(first[0].result.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(calls.Running(), 1U);
  opened_.count_down();
  EXPECT_EQ(calls.Collect({}, Late()).size(), 1U);
}

TEST_F(SupervisedCallsTest, LeavesACallThatOverstaysBehind) {
  const auto held = std::make_shared<int>(1);
  {
    SupervisedCalls<void> calls(pool_);
    calls.Start(0, [this, held] {
      opened_.wait();
      return Status();
    });
    EXPECT_TRUE(calls.Collect({}, Soon()).empty());
    EXPECT_EQ(calls.Running(), 1U);
  }
  EXPECT_EQ(held.use_count(), 2) << "what the call holds must live until it comes back";
  opened_.count_down();
  pool_.Stop();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(SupervisedCallsTest, DoesNotBeginACallThatNobodyWaitsForAnyMore) {
  std::atomic<int> begun = 0;
  {
    SupervisedCalls<void> calls(pool_);
    for (std::size_t i = 0; i < 4; ++i) {
      calls.Start(i, [this, &begun] {
        ++begun;
        opened_.wait();
        return Status();
      });
    }
    while (begun < 2) {
      std::this_thread::yield();
    }
  }
  opened_.count_down();
  pool_.Stop();
  EXPECT_EQ(begun, 2);
}

TEST_F(SupervisedCallsTest, WakesWhenAStopIsRequested) {
  SupervisedCalls<void> calls(pool_);
  calls.Start(0, [this] {
    opened_.wait();
    return Status();
  });
  std::stop_source stop;
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_TRUE(calls.Collect(stop.get_token(), Late()).empty());
  opened_.count_down();
}

TEST_F(SupervisedCallsTest, TurnsAnExceptionIntoAnError) {
  SupervisedCalls<void> calls(pool_);
  calls.Start(0, []() -> Status { throw std::runtime_error("a library threw"); });
  const auto finished = calls.Collect({}, Late());
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].result.error().code, ErrorCode::kInternal);
  EXPECT_NE(finished[0].result.error().message.find("a library threw"), std::string::npos);
}

TEST_F(SupervisedCallsTest, FailsACallForWhichThereIsNoThread) {
  SupervisedCalls<void> calls(pool_);
  for (std::size_t i = 0; i < 5; ++i) {
    calls.Start(i, [this] {
      opened_.wait();
      return Status();
    });
  }
  const auto refused = calls.Collect({}, Late());
  ASSERT_FALSE(refused.empty());
  EXPECT_EQ(refused[0].call, 4U);
  EXPECT_EQ(refused[0].result.error().code, ErrorCode::kUnavailable);
  opened_.count_down();
  while (calls.Running() > 0) {
    (void)calls.Collect({}, Late());
  }
}

TEST_F(SupervisedCallsTest, DoesNotWaitForNothing) {
  SupervisedCalls<void> calls(pool_);
  EXPECT_TRUE(calls.Collect({}, Deadline::Never()).empty());
}

}  // namespace
}  // namespace umbranet
