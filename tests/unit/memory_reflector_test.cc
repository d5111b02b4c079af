// Goal: workers work off what was accepted, survive whatever happens beneath them, and stop without
// losing or holding on to anything.
// Method: the real queue, processor and threads over the in-memory twins. Tests wait for what they
// are about, on latches or through WaitIdle, never for time; the suite is what ThreadSanitizer is
// run on.
//
// Deliberate faults that this suite was seen to catch, each by the test named after it:
//   - Stop settles an interrupted batch instead of releasing it   (AStopGivesAHangingBatchBack)
//   - an exception ends its worker                                (AWorkerSurvivesExceptions)
//   - leases are not extended                                     (ALongExtractionKeepsItsLease)
//   - a failed Settle is not repeated (ASettlementIsRepeatedWhileTheLeaseLasts)
//   - a lost lease is settled                                     (ALostLeaseIsNotSettled)
//   - WaitIdle does not wait for leased jobs                      (ALostLeaseIsNotSettled)
#include "umbranet/reflection/memory_reflector.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/reflection/condition_variable_doorbell.h"

#include "tests/doubles/in_memory_short_term_memory.h"
#include "tests/unit/reflection_harness.h"

namespace umbranet {
namespace {

using Plans = std::span<const ReflectionPlan>;

class MemoryReflectorTest : public ReflectionHarness {
 protected:
  static MemoryReflector::Options ReflectorOptions() {
    return {.error_pause = Millis{1}, .nice = 0};
  }

  // Makes everything anew around the stores.
  void Build(const MemoryReflector::Options& options = ReflectorOptions(),
             std::chrono::milliseconds stop_grace = std::chrono::hours(1)) {
    auto processing = ProcessorOptions();
    processing.tier_budget = std::chrono::hours(1);
    processing.stop_grace = stop_grace;
    queue_ =
        std::make_unique<ReflectionQueue>(clock_, ledger_, doorbell_, ReflectionQueue::Options{});
    const BatchProcessor::Stores stores{journal_, ledger_, episodic_, semantic_, procedural_};
    processor_ =
        std::make_unique<BatchProcessor>(clock_, stores, extractor_, metrics_, log_, processing);
    summarizer_ = std::make_unique<SessionSummarizer>(
        journal_, short_term_, metrics_, log_,
        SessionSummarizer::Options{
            .window = {.tokens = 20}, .turns_left_min = 2, .look_every_turns = 4});
    reflector_ = std::make_unique<MemoryReflector>(clock_, *queue_, *processor_, *summarizer_,
                                                   metrics_, log_, options);
  }

  void AcceptAndRing(const Interaction& turn) {
    Accept({turn});
    const auto stored = journal_.Read(turn.user, {&turn.interaction_id, 1}, Deadline::Never());
    ASSERT_TRUE(stored.ok() && stored->size() == 1);
    ASSERT_TRUE(short_term_.Append(stored->front(), Deadline::Never()).ok());
    doorbell_.Ring({});
  }

  // Stops everything at the end of the test's scope: faults and scripts refer to the test's own
  // variables, so it is declared after them.
  class Running {
   public:
    explicit Running(MemoryReflectorTest& test) : test_(test) { test_.reflector_->Start(); }

    ~Running() {
      test_.reflector_.reset();
      test_.processor_.reset();
    }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    MemoryReflectorTest& test_;
  };

  [[nodiscard]] bool WaitIdle() {
    return reflector_->WaitIdle(Deadline::After(real_clock_, std::chrono::seconds(60)));
  }

  SystemClock real_clock_;
  ConditionVariableDoorbell doorbell_;
  InMemoryShortTermMemory short_term_;
  std::unique_ptr<ReflectionQueue> queue_;
  std::unique_ptr<BatchProcessor> processor_;
  std::unique_ptr<SessionSummarizer> summarizer_;
  std::unique_ptr<MemoryReflector> reflector_;
};

TEST_F(MemoryReflectorTest, WaitsUntilEverythingIsReflected) {
  Build();
  const Running running(*this);
  std::vector<UserKey> users;
  for (int u = 0; u < 20; ++u) {
    users.push_back({"default", "user" + std::to_string(u)});
  }
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < 4; ++p) {
      producers.emplace_back([&, p] {
        for (int i = 0; i < 10; ++i) {
          for (std::size_t u = static_cast<std::size_t>(p); u < users.size(); u += 4) {
            const std::string id = "t" + std::to_string(i);
            AcceptAndRing(Turn(id, "always say " + id, users[u]));
          }
        }
      });
    }
  }
  ASSERT_TRUE(WaitIdle());
  for (const UserKey& user : users) {
    EXPECT_EQ(Count(episodic_, user), 10U);
    EXPECT_EQ(Count(semantic_, user), 10U);
    EXPECT_EQ(Count(procedural_, user), 10U);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(StatusOf("t" + std::to_string(i), user).state, JobState::kDone);
      EXPECT_LE(StatusOf("t" + std::to_string(i), user).attempts, 0U);
    }
  }
  reflector_->Stop();
  EXPECT_EQ(metrics_.reflection_attempts_total.At("done").Value(), 200);
}

TEST_F(MemoryReflectorTest, TurnsOfOneUserAreWorkedOutInTheirOrder) {
  Build();
  AcceptMany(40);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  reflector_->Stop();
  std::vector<std::int64_t> order;
  for (const ExtractionInput& call : extractor_.Calls()) {
    for (const Interaction& turn : call.turns) {
      order.push_back(turn.sequence);
    }
  }
  EXPECT_EQ(order.size(), 40U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(MemoryReflectorTest, CanBeStartedAndStoppedAsOftenAsAnyoneLikes) {
  Build();
  reflector_->Stop();
  const Running running(*this);
  reflector_->Start();
  AcceptAndRing(Turn("t1", "one"));
  ASSERT_TRUE(WaitIdle());
  reflector_->Stop();
  reflector_->Stop();
  AcceptAndRing(Turn("t2", "two"));
  EXPECT_EQ(StatusOf("t2").state, JobState::kReady);
  reflector_->Start();
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(MemoryReflectorTest, AStopGivesAHangingBatchBack) {
  std::latch hanging(1);
  std::latch opened(1);
  // One worker: a second one, told to stop a moment later, could take the batch that the first has
  // just given back, and give it back again.
  auto options = ReflectorOptions();
  options.workers = 1;
  Build(options, std::chrono::milliseconds(0));
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    hanging.count_down();
    opened.wait();
    return std::nullopt;
  });
  AcceptMany(3);
  const Running running(*this);
  hanging.wait();
  reflector_->Stop();
  EXPECT_EQ(StatusOf("t1").state, JobState::kReady);
  EXPECT_EQ(StatusOf("t3").state, JobState::kReady);
  EXPECT_EQ(StatusOf("t1").attempts, 0U);
  EXPECT_EQ(StatusOf("t1").crashes, 0U);
  EXPECT_EQ(metrics_.reflection_attempts_total.At("released").Value(), 3);
  opened.count_down();
  extractor_.SetScript(nullptr);
  reflector_->Start();
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(Count(episodic_), 3U);
}

TEST_F(MemoryReflectorTest, AStopWaitsForABatchThatFinishesWithinItsGrace) {
  std::latch applying(1);
  Build();
  episodic_.FailBeforeApply([&](Plans) -> std::optional<Error> {
    applying.count_down();
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  applying.wait();
  reflector_->Stop();
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
}

TEST_F(MemoryReflectorTest, AWorkerSurvivesExceptions) {
  Build();
  std::atomic<int> thrown = 0;
  ledger_.FailBefore([&](std::string_view call) -> std::optional<Error> {
    if (call == "MarkTiersDone" && thrown++ == 0) {
      throw std::runtime_error("a library threw");
    }
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t1").state, JobState::kRetryWait);
  EXPECT_THAT(StatusOf("t1").last_error, ::testing::HasSubstr("a library threw"));
  PassRetryDelay();
  doorbell_.Ring({});
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(episodic_), 1U);
}

TEST_F(MemoryReflectorTest, WorkersOutliveALedgerThatIsAway) {
  Build();
  std::atomic<int> refused = 0;
  ledger_.FailBefore([&](std::string_view call) -> std::optional<Error> {
    if (call == "Claim" && refused++ < 20) {
      return Unavailable("ledger: away");
    }
    return std::nullopt;
  });
  AcceptMany(2);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(MemoryReflectorTest, ASettlementIsRepeatedWhileTheLeaseLasts) {
  Build();
  std::atomic<int> refused = 0;
  ledger_.FailBefore([&](std::string_view call) -> std::optional<Error> {
    if (call == "Settle" && refused++ < 2) {
      return Unavailable("ledger: away");
    }
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(ledger_.Calls("Settle"), 3U);
}

TEST_F(MemoryReflectorTest, ALostLeaseIsNotSettled) {
  auto options = ReflectorOptions();
  options.workers = 1;
  Build(options);
  std::atomic<int> losses = 0;
  episodic_.FailBeforeApply([&](Plans) -> std::optional<Error> {
    if (losses++ == 0) {
      clock_.Advance(Millis{15'000});
      EXPECT_TRUE(in_memory_ledger_.Sweep(Deadline::Never()).ok());
      return Aborted("sqlite: not leased under this token");
    }
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  reflector_->Stop();
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(StatusOf("t1").crashes, 1U);
  EXPECT_EQ(Count(episodic_), 1U);
  EXPECT_EQ(ledger_.Calls("Settle"), 1U);
  EXPECT_EQ(metrics_.reflection_fence_rejected_total.Value(), 1);
  EXPECT_EQ(metrics_.reflection_attempts_total.At("lease_lost").Value(), 1);
}

TEST_F(MemoryReflectorTest, ALongExtractionKeepsItsLease) {
  auto options = ReflectorOptions();
  options.lease = Millis{30};
  options.lease_cap = std::chrono::hours(1);
  options.workers = 1;
  Build(options);
  std::latch kept_alive(5);
  std::atomic<int> extended = 0;
  // Two thirds of a lease pass after each heartbeat: without the next one it would be over.
  ledger_.FailAfter([&](std::string_view call) -> std::optional<Error> {
    if (call == "Extend" && extended++ < 5) {
      clock_.Advance(Millis{20});
      EXPECT_EQ(in_memory_ledger_.Sweep(Deadline::Never())->expired, 0U);
      kept_alive.count_down();
    }
    return std::nullopt;
  });
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    kept_alive.wait();
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(StatusOf("t1").crashes, 0U);
}

TEST_F(MemoryReflectorTest, ReflectsOneJobOnTheCallersThread) {
  Build();
  AcceptMany(2);
  const std::string job_id = MakeJobId(kAna, "t2");
  EXPECT_TRUE(*reflector_->ReflectNow(job_id, {}, Deadline::Never()));
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
  EXPECT_EQ(StatusOf("t1").state, JobState::kReady);
  EXPECT_FALSE(*reflector_->ReflectNow(job_id, {}, Deadline::Never())) << "it is done";
  EXPECT_FALSE(*reflector_->ReflectNow("unknown", {}, Deadline::Never()));
}

TEST_F(MemoryReflectorTest, ReflectsJobsBeforeItReturnsThoughAWorkerWasQuicker) {
  std::latch begun(1);
  Build();
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    begun.count_down();
    return std::nullopt;
  });
  AcceptMany(1);
  const Running running(*this);
  begun.wait();
  const std::string job_id = MakeJobId(kAna, "t1");
  EXPECT_TRUE(reflector_->ReflectInline(kAna.tenant, {&job_id, 1}, Deadline::Never()).ok());
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(extractor_.CallsFor("t1"), 1U);
}

TEST_F(MemoryReflectorTest, ReflectsJobsInlineWithoutAnyWorker) {
  Build();
  AcceptMany(3);
  const std::vector<std::string> jobs = {MakeJobId(kAna, "t1"), MakeJobId(kAna, "t2"),
                                         MakeJobId(kAna, "t3")};
  EXPECT_TRUE(reflector_->ReflectInline(kAna.tenant, jobs, Deadline::Never()).ok());
  EXPECT_EQ(Count(episodic_), 3U);
}

TEST_F(MemoryReflectorTest, SaysWhyAJobWasNotReflectedInline) {
  Build();
  extractor_.SetScript(
      [](const ExtractionInput&) { return std::optional(Unavailable("model: away")); });
  AcceptMany(1);
  const std::vector<std::string> jobs = {MakeJobId(kAna, "t1")};
  const Status failed = reflector_->ReflectInline(kAna.tenant, jobs, Deadline::Never());
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, ::testing::HasSubstr("retrying: model: away"));
  const std::vector<std::string> unknown = {"no such job"};
  EXPECT_EQ(reflector_->ReflectInline(kAna.tenant, unknown, Deadline::Never()).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(reflector_->ReflectInline("another tenant", jobs, Deadline::Never()).error().code,
            ErrorCode::kNotFound);
}

TEST_F(MemoryReflectorTest, MeasuresHowLongTurnsWaitedAndHowLongTheyTookInAll) {
  Build();
  AcceptMany(2);
  clock_.Advance(std::chrono::seconds(7));
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    clock_.Advance(std::chrono::seconds(2));
    return std::nullopt;
  });
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  const auto waited = metrics_.reflection_queue_wait_seconds.Collect().histogram;
  EXPECT_EQ(waited.sample_count, 2U);
  EXPECT_EQ(waited.sample_sum, 14);
  const auto all = metrics_.reflection_end_to_end_seconds.At("high").Collect().histogram;
  EXPECT_EQ(all.sample_count, 2U);
  EXPECT_EQ(all.sample_sum, 18);
}

TEST_F(MemoryReflectorTest, SummarisesASessionOnceEnoughHasLeftItsWindow) {
  Build();
  for (int i = 1; i <= 8; ++i) {
    AcceptAndRing(Turn("t" + std::to_string(i),
                       "I met my friend Bea in Porto on day " + std::to_string(i) + "."));
  }
  const Running running(*this);
  ASSERT_TRUE(WaitIdle());
  const auto conversation = short_term_.Read(kAna, "s", {.tokens = 20}, Deadline::Never());
  ASSERT_TRUE(conversation.ok());
  EXPECT_THAT(conversation->summary, ::testing::HasSubstr("Bea in Porto on day 1"));
  EXPECT_GT(conversation->summarized_through, 0);
  EXPECT_GE(metrics_.reflection_summaries_total.At("saved").Value(), 1);
}

TEST_F(MemoryReflectorTest, IsIdleOnlyWhenNothingIsLeft) {
  std::latch hanging(1);
  std::latch opened(1);
  Build();
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    hanging.count_down();
    opened.wait();
    return std::nullopt;
  });
  AcceptMany(1);
  EXPECT_FALSE(reflector_->WaitIdle(Deadline::After(real_clock_, Millis{1})));
  const Running running(*this);
  hanging.wait();
  EXPECT_FALSE(reflector_->WaitIdle(Deadline::After(real_clock_, Millis{1})));
  opened.count_down();
  EXPECT_TRUE(WaitIdle());
}

}  // namespace
}  // namespace umbranet
