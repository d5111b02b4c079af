// Goal: whoever claims from a queue gets his batch however the news of it comes, and in parallel
// nothing is lost, done twice or out of order.
// Method: one suite, run against every pair of ledger and doorbell. The ledger's clock is turned by
// hand; the queue waits on the real one, with periods so long that only the way under test can be
// the one that wakes it.
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/mutex.h"
#include "umbranet/reflection/reflection_queue.h"

#include "tests/contract/doorbell_engines.h"
#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using testing::IsEmpty;

using Pair = std::tuple<LedgerEngine, DoorbellEngine>;

class ReflectionQueueContract : public testing::TestWithParam<Pair> {
 protected:
  void SetUp() override {
    const auto& [ledger, doorbell] = GetParam();
    if (const std::string missing = ledger.missing() + doorbell.missing(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    harness_ = ledger.make();
    bell_ = doorbell.make();
  }

  // Nothing happens by itself.
  static ReflectionQueue::Options Quiet() {
    return {.poll = hours(1), .poll_unhealthy = hours(1), .sweep_every = hours(1)};
  }

  void Make(const ReflectionQueue::Options& options) {
    queue_ = std::make_unique<ReflectionQueue>(real_, harness_->ledger(), *bell_, options);
  }

  static ClaimOptions Worker() {
    ClaimOptions options;
    options.worker = "worker";
    return options;
  }

  static Interaction Turn(const std::string& user, const std::string& id) {
    Interaction turn;
    turn.user = {std::string(kDefaultTenant), user};
    turn.interaction_id = id;
    turn.user_message = "The bakery opens at seven.";
    return turn;
  }

  AcceptedTurn Accept(const std::string& user, const std::string& id) {
    const std::vector<Interaction> turns = {Turn(user, id)};
    return harness_->journal()
        .Accept(turns, RunMode::kBackground, "", Deadline::Never())
        .value()
        .at(0);
  }

  std::optional<ClaimedBatch> Claim() {
    return queue_->Claim(Worker(), {}, Deadline::Never()).value();
  }

  // A claim in another thread, which nothing ends but a batch.
  std::future<std::optional<ClaimedBatch>> ClaimAside() {
    return std::async(std::launch::async, [this] { return Claim(); });
  }

  SystemClock real_;
  std::unique_ptr<LedgerHarness> harness_;
  std::unique_ptr<Doorbell> bell_;
  std::unique_ptr<ReflectionQueue> queue_;
};

INSTANTIATE_TEST_SUITE_P(Engines, ReflectionQueueContract,
                         testing::Combine(testing::ValuesIn(LedgerEngines()),
                                          testing::ValuesIn(DoorbellEngines())),
                         [](const auto& pair) {
                           return std::get<0>(pair.param).name + std::get<1>(pair.param).name;
                         });

TEST_P(ReflectionQueueContract, WhatIsReadyIsHandedOutWithoutARing) {
  Make(Quiet());
  const AcceptedTurn turn = Accept("ana", "t1");
  const auto batch = Claim();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->jobs.at(0).job.job_id, turn.job_id);
}

TEST_P(ReflectionQueueContract, ARingBringsAWaitingClaimItsBatch) {
  Make(Quiet());
  auto claim = ClaimAside();
  Accept("ana", "t1");
  bell_->Ring({});
  EXPECT_TRUE(claim.get().has_value());
}

TEST_P(ReflectionQueueContract, WhatNobodyRangForIsFoundByLooking) {
  ReflectionQueue::Options options = Quiet();
  options.poll = Millis{5};
  Make(options);
  auto claim = ClaimAside();
  Accept("ana", "t1");
  EXPECT_TRUE(claim.get().has_value());
}

TEST_P(ReflectionQueueContract, ASweepThatMakesSomethingReadyIsNoticed) {
  ReflectionQueue::Options options = Quiet();
  options.sweep_every = Millis{5};  // No sweep by itself, since the queue is not started.
  Make(options);
  Accept("ana", "t1");
  ASSERT_TRUE(Claim().has_value());
  auto claim = ClaimAside();
  harness_->clock.Advance(Millis{15'000});
  EXPECT_EQ(queue_->Sweep(Deadline::Never()).value().expired, 1U);
  EXPECT_TRUE(claim.get().has_value());
}

TEST_P(ReflectionQueueContract, AStartedQueueSweepsByItself) {
  ReflectionQueue::Options options = Quiet();
  options.sweep_every = Millis{5};
  Make(options);
  Accept("ana", "t1");
  ASSERT_TRUE(Claim().has_value());
  harness_->clock.Advance(Millis{15'000});
  queue_->Start();
  EXPECT_TRUE(Claim().has_value());
  queue_->Stop();
}

TEST_P(ReflectionQueueContract, StartingAndStoppingMayBeRepeated) {
  Make(Quiet());
  queue_->Stop();
  queue_->Start();
  queue_->Start();
  queue_->Stop();
  queue_->Stop();
  queue_->Start();
  Accept("ana", "t1");
  EXPECT_TRUE(Claim().has_value());
}

TEST_P(ReflectionQueueContract, AClaimEndsEmptyHandedAtItsDeadline) {
  Make(Quiet());
  const auto batch = queue_->Claim(Worker(), {}, Deadline::After(real_, Millis{5}));
  ASSERT_TRUE(batch.ok());
  EXPECT_FALSE(batch->has_value());
}

TEST_P(ReflectionQueueContract, AStopEndsAWaitingClaim) {
  Make(Quiet());
  bool empty_handed = false;
  std::jthread worker([&](const std::stop_token& stop) {
    const auto batch = queue_->Claim(Worker(), stop, Deadline::Never());
    empty_handed = batch.ok() && !batch->has_value();
  });
  worker.request_stop();
  worker.join();
  EXPECT_TRUE(empty_handed);
}

// What the workers of the next test saw.
class Witness {
 public:
  void Begin(const ClaimedBatch& batch) {
    MutexLock lock(mutex_);
    if (!at_work_.insert(batch.user.user_id).second) {
      faults_.push_back("two batches of " + batch.user.user_id + " at a time");
    }
    for (const ClaimedJob& job : batch.jobs) {
      started_[batch.user.user_id].push_back(job.job.interaction_id);
    }
  }

  void End(const ClaimedBatch& batch) {
    MutexLock lock(mutex_);
    at_work_.erase(batch.user.user_id);
    done_ += batch.jobs.size();
  }

  std::size_t Done() {
    MutexLock lock(mutex_);
    return done_;
  }

  std::vector<std::string> Faults() {
    MutexLock lock(mutex_);
    return faults_;
  }

  std::map<std::string, std::vector<std::string>> Started() {
    MutexLock lock(mutex_);
    return started_;
  }

 private:
  Mutex mutex_;
  std::set<std::string> at_work_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> started_ GUARDED_BY(mutex_);
  std::vector<std::string> faults_ GUARDED_BY(mutex_);
  std::size_t done_ GUARDED_BY(mutex_) = 0;
};

TEST_P(ReflectionQueueContract, InParallelNothingIsLostDoneTwiceOrOutOfOrder) {
  constexpr int kProducers = 3;
  constexpr int kTurns = 60;
  ReflectionQueue::Options options;
  options.poll = Millis{50};
  Make(options);
  queue_->Start();
  Witness witness;
  JobLedger& ledger = harness_->ledger();
  const auto work = [&](const std::stop_token& stop) {
    ClaimOptions claim = Worker();
    claim.jobs_max = 4;
    while (!stop.stop_requested()) {
      const auto batch = queue_->Claim(claim, stop, Deadline::Never());
      if (!batch.ok() || !batch->has_value()) {
        continue;
      }
      witness.Begin(**batch);
      std::vector<TierProgress> progress;
      for (const ClaimedJob& job : (*batch)->jobs) {
        progress.push_back({job.job.job_id, kAllReflectedTiers});
      }
      const Lease lease = (*batch)->lease;
      EXPECT_TRUE(ledger.MarkTiersDone(lease, progress, Deadline::Never()).ok());
      witness.End(**batch);
      EXPECT_TRUE(ledger.Settle(lease, {}, Deadline::Never()).ok());
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back(work);
    }
    std::vector<std::jthread> producers;
    for (int producer = 0; producer < kProducers; ++producer) {
      producers.emplace_back([&, producer] {
        for (int i = 0; i < kTurns; ++i) {
          // Each producer has its users, whose order is then known.
          const std::string user = std::to_string(producer) + (i % 2 == 0 ? "even" : "odd");
          Accept(user, std::to_string(1000 + i));
          bell_->Ring({});
        }
      });
    }
    producers.clear();
    while (witness.Done() < kProducers * kTurns) {
      std::this_thread::yield();
    }
  }
  EXPECT_THAT(witness.Faults(), IsEmpty());
  std::size_t started = 0;
  for (const auto& [user, turns] : witness.Started()) {
    EXPECT_TRUE(std::is_sorted(turns.begin(), turns.end())) << user;
    EXPECT_EQ(std::set<std::string>(turns.begin(), turns.end()).size(), turns.size()) << user;
    started += turns.size();
    const Freshness freshness =
        harness_->journal()
            .ReadFreshness({std::string(kDefaultTenant), user}, Deadline::Never())
            .value();
    EXPECT_EQ(freshness.reflected, turns.size()) << user;
    EXPECT_EQ(freshness.pending, 0U) << user;
  }
  EXPECT_EQ(started, static_cast<std::size_t>(kProducers * kTurns));
}

}  // namespace
}  // namespace umbranet
