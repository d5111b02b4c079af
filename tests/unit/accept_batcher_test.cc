// Goal: turns that are handed in while others are being stored share the next transaction, each
// caller hears of his own, and nobody waits longer than he said.
// Method: a store that the test holds back with signals.
#include "umbranet/adapters/postgres/accept_batcher.h"

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

// Answers each request with its ids, once the test lets it.
class HeldStore {
 public:
  std::vector<AcceptBatcher::Outcome> Take(std::span<const AcceptRequest* const> requests) {
    std::unique_lock lock(mutex_);
    sizes_.push_back(requests.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    std::vector<AcceptBatcher::Outcome> outcomes;
    for (const AcceptRequest* request : requests) {
      if (request->turns.front().interaction_id == "bad") {
        outcomes.emplace_back(Aborted("no"));
        continue;
      }
      std::vector<AcceptedTurn> turns;
      for (const Interaction& turn : request->turns) {
        turns.push_back({.interaction_id = turn.interaction_id, .job_id = {}});
      }
      outcomes.emplace_back(std::move(turns));
    }
    return outcomes;
  }

  void AwaitCalls(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sizes_.size() >= count; });
  }

  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
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
  bool open_ = false;
};

AcceptRequest Request(const std::string& id, Deadline deadline = {}) {
  AcceptRequest request;
  request.turns.emplace_back().interaction_id = id;
  request.deadline = deadline;
  return request;
}

class AcceptBatcherTest : public testing::Test {
 protected:
  HeldStore store_;
  AcceptBatcher batcher_{{.turns_max = 3, .threads = 1, .waiting_max = 5},
                         [this](std::span<const AcceptRequest* const> requests, Deadline) {
                           return store_.Take(requests);
                         }};
};

TEST_F(AcceptBatcherTest, WhatWaitsGoesTogetherAndEachHearsOfHisOwn) {
  std::vector<std::jthread> callers;
  const auto call = [&](const std::string& id) {
    callers.emplace_back([&, id] {
      const auto outcome = batcher_.Accept(Request(id));
      if (id == "bad") {
        EXPECT_EQ(outcome.error().code, ErrorCode::kAborted);
      } else {
        EXPECT_EQ(outcome->at(0).interaction_id, id);
      }
    });
  };
  call("first");
  store_.AwaitCalls(1);
  for (const std::string id : {"a", "bad", "b", "c"}) {
    call(id);
  }
  while (batcher_.WaitingCount() < 4) {
    std::this_thread::yield();
  }
  store_.Open();
  callers.clear();
  EXPECT_THAT(store_.sizes(), ElementsAre(1U, 3U, 1U));
}

TEST_F(AcceptBatcherTest, ACallerLeavesAtHisDeadlineAndWhatWasNotTakenIsNotStored) {
  std::jthread first([&] { EXPECT_TRUE(batcher_.Accept(Request("first")).ok()); });
  store_.AwaitCalls(1);
  ManualClock clock;
  const Deadline past = Deadline::After(clock, Millis{0});
  EXPECT_EQ(batcher_.Accept(Request("late", past)).error().code, ErrorCode::kDeadlineExceeded);
  store_.Open();
  first.join();
  EXPECT_TRUE(batcher_.Accept(Request("next")).ok());
  EXPECT_THAT(store_.sizes(), ElementsAre(1U, 1U));
}

TEST_F(AcceptBatcherTest, NoMoreThanTheBoundMayWait) {
  std::vector<std::jthread> callers;
  callers.emplace_back([&] { EXPECT_TRUE(batcher_.Accept(Request("first")).ok()); });
  store_.AwaitCalls(1);
  for (int i = 0; i < 5; ++i) {
    callers.emplace_back([&] { EXPECT_TRUE(batcher_.Accept(Request("x")).ok()); });
  }
  while (batcher_.WaitingCount() < 5) {
    std::this_thread::yield();
  }
  EXPECT_EQ(batcher_.Accept(Request("one too many")).error().code, ErrorCode::kResourceExhausted);
  store_.Open();
}

TEST(AcceptBatcherEnd, WhatWasHandedInIsStoredBeforeItEnds) {
  HeldStore store;
  std::vector<std::jthread> callers;
  {
    AcceptBatcher batcher({.threads = 2}, [&](std::span<const AcceptRequest* const> requests,
                                              Deadline) { return store.Take(requests); });
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] { EXPECT_TRUE(batcher.Accept(Request("x")).ok()); });
    }
    store.AwaitCalls(1);
    store.Open();
    callers.clear();
  }
  std::size_t stored = 0;
  for (const std::size_t size : store.sizes()) {
    stored += size;
  }
  EXPECT_EQ(stored, 4U);
}

}  // namespace
}  // namespace umbranet
