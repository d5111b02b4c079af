// Goal: calls that are made at the same time share one, each caller gets his own answer, and nobody
// waits longer than he said or is told of another's deadline.
// Method: a carrier that the test holds back with signals.
#include "umbranet/base/gathered_calls.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using testing::ElementsAre;

using Calls = GatheredCalls<std::string, std::string>;

// Answers each with "<ask>!", once the test lets it.
class HeldCarrier {
 public:
  std::vector<Calls::Outcome> Carry(std::span<const std::string* const> asks, Deadline deadline) {
    std::unique_lock lock(mutex_);
    sizes_.push_back(asks.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return permits_ > 0; });
    --permits_;
    if (deadline.Expired()) {
      return {asks.size(), Calls::Outcome(DeadlineExceeded("carrier: too late"))};
    }
    std::vector<Calls::Outcome> outcomes;
    for (const std::string* const ask : asks) {
      outcomes.push_back(*ask == "bad" ? Calls::Outcome(NotFound("bad"))
                                       : Calls::Outcome(*ask + "!"));
    }
    return outcomes;
  }

  void AwaitCalls(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sizes_.size() >= count; });
  }

  void Permit(int calls) {
    const std::lock_guard lock(mutex_);
    permits_ += calls;
    changed_.notify_all();
  }

  std::vector<std::size_t> sizes() {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> sizes_;
  int permits_ = 0;
};

class GatheredCallsTest : public testing::Test {
 protected:
  // Expects "<ask>!".
  void CallAside(const std::string& ask, Deadline deadline = {}) {
    callers_.emplace_back([this, ask, deadline] {
      const auto answer = calls_.Call(ask, deadline);
      ASSERT_TRUE(answer.ok()) << answer.error().message;
      EXPECT_EQ(*answer, ask + "!");
    });
  }

  void AwaitWaiting(std::size_t count) const {
    while (calls_.WaitingCount() != count) {
      std::this_thread::yield();
    }
  }

  ManualClock clock_;
  HeldCarrier carrier_;
  Calls calls_{{.lanes = 1, .asks_max = 3},
               [this](std::span<const std::string* const> asks, Deadline deadline) {
                 return carrier_.Carry(asks, deadline);
               }};
  std::vector<std::jthread> callers_;  // Last.
};

TEST_F(GatheredCallsTest, WhoComesAloneIsAskedForAtOnce) {
  carrier_.Permit(2);
  EXPECT_EQ(calls_.Call("a", Deadline::Never()).value(), "a!");
  EXPECT_EQ(calls_.Call("bad", Deadline::Never()).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(carrier_.sizes(), ElementsAre(1U, 1U));
}

TEST_F(GatheredCallsTest, WhoComesMeanwhileSharesTheNextCallAndGetsHisOwnAnswer) {
  CallAside("first");
  carrier_.AwaitCalls(1);
  for (const std::string ask : {"a", "b", "c", "d"}) {
    CallAside(ask);
  }
  AwaitWaiting(4);
  carrier_.Permit(3);
  callers_.clear();
  EXPECT_THAT(carrier_.sizes(), ElementsAre(1U, 3U, 1U));
}

// Else he would be told what was true before he asked.
TEST_F(GatheredCallsTest, NobodyJoinsACallThatIsUnderWay) {
  CallAside("first");
  carrier_.AwaitCalls(1);
  CallAside("first");
  AwaitWaiting(1);
  carrier_.Permit(2);
  callers_.clear();
  EXPECT_THAT(carrier_.sizes(), ElementsAre(1U, 1U));
}

TEST_F(GatheredCallsTest, WhoWaitsInVainLeavesAtHisDeadlineAndIsNotAskedFor) {
  CallAside("first");
  carrier_.AwaitCalls(1);
  const Deadline past = Deadline::After(clock_, Millis{0});
  EXPECT_EQ(calls_.Call("late", past).error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(calls_.WaitingCount(), 0U);
  CallAside("next");
  AwaitWaiting(1);
  carrier_.Permit(2);
  callers_.clear();
  EXPECT_THAT(carrier_.sizes(), ElementsAre(1U, 1U));
}

TEST_F(GatheredCallsTest, TheDeadlineOfHimWhoAsksEndsNobodyElsesCall) {
  CallAside("first");
  carrier_.AwaitCalls(1);
  callers_.emplace_back([this] {
    const auto answer = calls_.Call("hasty", Deadline::After(clock_, Millis{10}));
    EXPECT_EQ(answer.error().code, ErrorCode::kDeadlineExceeded);
  });
  AwaitWaiting(1);
  CallAside("patient");
  AwaitWaiting(2);
  carrier_.Permit(1);  // Now the hasty one asks for both.
  carrier_.AwaitCalls(2);
  clock_.Advance(Millis{20});
  carrier_.Permit(2);
  callers_.clear();
  EXPECT_THAT(carrier_.sizes(), ElementsAre(1U, 2U, 1U));
}

TEST_F(GatheredCallsTest, ManyAtOnceAreAllAnswered) {
  carrier_.Permit(4000);
  for (int caller = 0; caller < 8; ++caller) {
    callers_.emplace_back([this, caller] {
      for (int i = 0; i < 200; ++i) {
        const std::string ask = std::to_string(caller) + "/" + std::to_string(i);
        EXPECT_EQ(calls_.Call(ask, Deadline::Never()).value(), ask + "!");
      }
    });
  }
  callers_.clear();
  EXPECT_EQ(calls_.WaitingCount(), 0U);
}

}  // namespace
}  // namespace umbranet
