// Goal: whatever fails, and wherever, each turn ends in each tier exactly once, from one plan that
// was made once, and whoever is not to blame is not punished.
// Method: the in-memory twins of journal, ledger and tiers, with faults put in between; each test
// makes attempts as a worker does and looks at the ledger and the tiers afterwards.
//
// Deliberate faults that this suite was seen to catch, each by the test named after it:
//   - tiers are applied before plans are saved         (APlanIsSavedBeforeAnyTierIsTouched)
//   - the plan at hand is applied, not the one in force (ThePlanThatWasSavedFirstWins)
//   - a saved plan is not read (ATierThatFailedIsRetriedAloneFromTheSavedPlan)
//   - tiers that are done are applied again (ATierThatFailedIsRetriedAloneFromTheSavedPlan)
//   - a permanent error condemns a whole batch          (APoisonTurnDoesNotTakeItsBatchAlong)
//   - kAborted is taken for a failure (ALeaseLostWhileTiersAreAppliedDropsTheBatch)
//   - a hanging tier is waited for                      (ATierThatHangsCostsItselfAlone)
//   - progress is told of only when all tiers are done
//   (TellsTheLedgerOfWhatIsDoneWhileATierIsStillAtWork)
//   - the extractor's word on whose plan it is is taken (APlanBelongsToWhoseTurnItIs)
//   - turns of several sessions are extracted together  (EachSessionIsExtractedWithItsOwnPast)
//   - a turn that is gone fails its job                 (ATurnThatIsGoneLeavesNothingToDo)
#include "umbranet/reflection/batch_processor.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/reflection/plan_codec.h"

#include "tests/unit/reflection_harness.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;

using Ending = BatchResult::Ending;
using Plans = std::span<const ReflectionPlan>;

class BatchProcessorTest : public ReflectionHarness {};

TEST_F(BatchProcessorTest, PutsEveryTurnOfABatchIntoAllThreeTiers) {
  BatchProcessor processor = MakeProcessor();
  AcceptMany(10);
  const auto result = Attempt(processor);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->reflected.size(), 10U);
  EXPECT_TRUE(result->failures.empty());
  EXPECT_EQ(result->reflected[0].session_id, "s");
  EXPECT_EQ(result->reflected[0].accepted_at, ManualClock::kStart);
  EXPECT_EQ(Count(episodic_), 10U);
  EXPECT_EQ(Count(semantic_), 10U);
  EXPECT_EQ(Count(procedural_), 10U);
  EXPECT_EQ(StatusOf("t7").state, JobState::kDone);
  EXPECT_EQ(extractor_.Calls().size(), 1U);
  EXPECT_EQ(ledger_.Calls("MarkTiersDone"), 1U) << "of tiers that are done about together";
}

TEST_F(BatchProcessorTest, APlanIsSavedBeforeAnyTierIsTouched) {
  BatchProcessor processor = MakeProcessor();
  std::atomic<int> touched_too_early = 0;
  const auto check = [&](Plans) -> std::optional<Error> {
    touched_too_early += ledger_.Calls("SavePlans") == 1 ? 0 : 1;
    return std::nullopt;
  };
  episodic_.FailBeforeApply(check);
  semantic_.FailBeforeApply(check);
  procedural_.FailBeforeApply(check);
  AcceptMany(3);
  Attempt(processor);
  EXPECT_EQ(Count(episodic_), 3U);
  EXPECT_EQ(touched_too_early, 0);
}

TEST_F(BatchProcessorTest, ATierThatFailedIsRetriedAloneFromTheSavedPlan) {
  BatchProcessor processor = MakeProcessor();
  semantic_.FailBeforeApply([](Plans) { return Internal("sqlite: hiccup"); });
  AcceptMany(1);
  const auto first = Attempt(processor);
  ASSERT_EQ(first->failures.size(), 1U);
  EXPECT_EQ(first->failures[0].tier, "semantic");
  EXPECT_EQ(first->failures[0].kind, FailureKind::kTransient);
  EXPECT_THAT(first->failures[0].error, HasSubstr("sqlite: hiccup"));
  EXPECT_EQ(StatusOf("t1").tiers_done, TierBit(Tier::kEpisodic) | TierBit(Tier::kProcedural));
  EXPECT_EQ(Count(episodic_), 1U);

  semantic_.FailBeforeApply(nullptr);
  PassRetryDelay();
  const auto second = Attempt(processor);
  EXPECT_EQ(second->reflected.size(), 1U);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(semantic_), 1U);
  EXPECT_EQ(extractor_.CallsFor("t1"), 1U);
  EXPECT_EQ(episodic_.Applies(), 1U);
  EXPECT_EQ(procedural_.Applies(), 1U);
  EXPECT_EQ(metrics_.reflection_tier_already_applied_total.Value(), 2);
}

TEST_F(BatchProcessorTest, ATierThatHangsCostsItselfAlone) {
  std::latch opened(1);
  BatchProcessor processor = MakeProcessor();
  procedural_.FailBeforeApply([&](Plans) -> std::optional<Error> {
    while (Count(episodic_) != 2 || Count(semantic_) != 2) {
      std::this_thread::yield();
    }
    clock_.Advance(Millis{10});  // Past the tier's budget; then it does not come back.
    opened.wait();
    return Unavailable("late");
  });
  AcceptMany(2);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 2U);
  EXPECT_EQ(result->failures[0].tier, "procedural");
  EXPECT_THAT(result->failures[0].error, HasSubstr("not done within its time"));
  EXPECT_EQ(Count(episodic_), 2U);
  EXPECT_EQ(Count(semantic_), 2U);
  EXPECT_EQ(StatusOf("t2").tiers_done, TierBit(Tier::kEpisodic) | TierBit(Tier::kSemantic));
  opened.count_down();
  procedural_.FailBeforeApply(nullptr);
  PassRetryDelay();
  AttemptAll(processor);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(BatchProcessorTest, TellsTheLedgerOfWhatIsDoneWhileATierIsStillAtWork) {
  BatchProcessor::Options options = ProcessorOptions();
  options.tier_budget = Millis{3'600'000};
  options.progress_grace = Millis{1};
  BatchProcessor processor = MakeProcessor(options);
  procedural_.FailBeforeApply([&](Plans) -> std::optional<Error> {
    const TierMask others = TierBit(Tier::kEpisodic) | TierBit(Tier::kSemantic);
    while (StatusOf("t2").tiers_done != others) {
      clock_.Advance(Millis{1});
      std::this_thread::yield();
    }
    return std::nullopt;
  });
  AcceptMany(2);
  ASSERT_EQ(Attempt(processor)->reflected.size(), 2U);
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(BatchProcessorTest, APoisonTurnDoesNotTakeItsBatchAlong) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetScript([](const ExtractionInput& input) -> std::optional<Error> {
    const bool poisoned =
        std::any_of(input.turns.begin(), input.turns.end(),
                    [](const Interaction& turn) { return turn.interaction_id == "t4"; });
    return poisoned ? std::optional(InvalidArgument("extractor: cannot be read")) : std::nullopt;
  });
  AcceptMany(10);
  AttemptAll(processor);
  EXPECT_EQ(StatusOf("t4").state, JobState::kRetryWait) << "a batch condemns nobody";
  PassRetryDelay();
  AttemptAll(processor);
  for (int i = 1; i <= 10; ++i) {
    const JobStatus status = StatusOf("t" + std::to_string(i));
    EXPECT_EQ(status.state, i == 4 ? JobState::kDead : JobState::kDone) << i;
    EXPECT_EQ(status.attempts, i == 4 ? 1U : 0U) << i;
  }
  EXPECT_EQ(Count(episodic_), 9U);
  EXPECT_THAT(StatusOf("t4").last_error, HasSubstr("cannot be read"));
}

TEST_F(BatchProcessorTest, APlanOutlivesTheProcessThatMadeIt) {
  AcceptMany(2);
  {
    BatchProcessor processor = MakeProcessor();
    const auto batch = Claim();
    ledger_.FailAfter([](std::string_view call) {
      // Everything that comes after the plans were saved does not happen any more.
      return call == "SavePlans" ? std::optional(Aborted("the process has died")) : std::nullopt;
    });
    EXPECT_EQ(processor.Process(*batch, {}, Deadline::Never()).ending, Ending::kLeaseLost);
  }
  EXPECT_EQ(episodic_.Applies() + semantic_.Applies() + procedural_.Applies(), 0U);
  ledger_.FailAfter(nullptr);
  PassRetryDelay();
  BatchProcessor reborn = MakeProcessor();
  AttemptAll(reborn);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(episodic_), 2U);
  EXPECT_EQ(extractor_.Calls().size(), 1U);
}

TEST_F(BatchProcessorTest, ATierWhoseReplyWasLostHoldsItsRowsOnce) {
  BatchProcessor processor = MakeProcessor();
  semantic_.FailAfterApply([](Plans) { return DeadlineExceeded("the reply is lost"); });
  AcceptMany(1);
  Attempt(processor);
  EXPECT_EQ(StatusOf("t1").tiers_done & TierBit(Tier::kSemantic), 0);
  EXPECT_EQ(Count(semantic_), 1U);
  semantic_.FailAfterApply(nullptr);
  PassRetryDelay();
  Attempt(processor);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(semantic_), 1U);
}

TEST_F(BatchProcessorTest, ALeaseLostWhileTiersAreAppliedDropsTheBatch) {
  auto options = ProcessorOptions();
  options.tier_budget = std::chrono::hours(1);  // The lease runs out, the tiers' time does not.
  BatchProcessor processor = MakeProcessor(options);
  std::optional<ClaimedBatch> second_owner;
  episodic_.FailAfterApply([&](Plans) -> std::optional<Error> {
    clock_.Advance(Millis{15'000});
    EXPECT_EQ(in_memory_ledger_.Sweep(Deadline::Never())->expired, 1U);
    second_owner = Claim();
    return std::nullopt;
  });
  AcceptMany(1);
  const auto batch = Claim();
  const BatchResult result = processor.Process(*batch, {}, Deadline::Never());
  EXPECT_EQ(result.ending, Ending::kLeaseLost);
  EXPECT_TRUE(result.failures.empty());
  ASSERT_TRUE(second_owner);
  EXPECT_FALSE(second_owner->jobs[0].plan.empty());
  episodic_.FailAfterApply(nullptr);
  const BatchResult other = processor.Process(*second_owner, {}, Deadline::Never());
  EXPECT_EQ(other.reflected.size(), 1U);
  EXPECT_EQ(Count(episodic_), 1U);
  EXPECT_EQ(extractor_.CallsFor("t1"), 1U);
}

TEST_F(BatchProcessorTest, ATierThatRefusesTheFenceDropsTheBatch) {
  BatchProcessor processor = MakeProcessor();
  episodic_.FailBeforeApply([](Plans) { return Aborted("sqlite: not leased under this token"); });
  AcceptMany(2);
  const auto batch = Claim();
  EXPECT_EQ(processor.Process(*batch, {}, Deadline::Never()).ending, Ending::kLeaseLost);
}

TEST_F(BatchProcessorTest, AUserForgottenMeanwhileLeavesNothing) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    EXPECT_TRUE(journal_.EraseUser(kAna, Deadline::Never()).ok());
    return std::nullopt;
  });
  AcceptMany(3);
  const auto batch = Claim();
  EXPECT_EQ(processor.Process(*batch, {}, Deadline::Never()).ending, Ending::kLeaseLost);
  EXPECT_EQ(Count(episodic_) + Count(semantic_) + Count(procedural_), 0U);
}

TEST_F(BatchProcessorTest, ATurnThatIsGoneLeavesNothingToDo) {
  BatchProcessor processor = MakeProcessor();
  ReflectionJob job;
  job.user = kAna;
  job.interaction_id = "never stored";
  job.job_id = MakeJobId(kAna, job.interaction_id);
  ASSERT_TRUE(in_memory_ledger_.Enqueue({&job, 1}, Deadline::Never()).ok());
  AcceptMany(1);
  const auto result = Attempt(processor);
  EXPECT_EQ(result->reflected.size(), 2U);
  EXPECT_EQ(StatusOf("never stored").state, JobState::kDone);
  EXPECT_EQ(Count(episodic_), 1U);
}

TEST_F(BatchProcessorTest, AnOutageCountsNoAttempt) {
  BatchProcessor processor = MakeProcessor();
  semantic_.FailBeforeApply([](Plans) { return Unavailable("neo4j: connection refused"); });
  AcceptMany(3);
  for (int round = 0; round < 10; ++round) {
    AttemptAll(processor);
    PassRetryDelay();
  }
  semantic_.FailBeforeApply(nullptr);
  EXPECT_EQ(StatusOf("t1").attempts, 0U);
  AttemptAll(processor);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(extractor_.Calls().size(), 1U);
}

TEST_F(BatchProcessorTest, ATransientFailureEndsAfterFourAttempts) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetScript([](const ExtractionInput&) {
    return std::optional(Error{ErrorCode::kBadGateway, "model: nonsense", std::nullopt});
  });
  AcceptMany(1);
  for (int round = 0; round < 6; ++round) {
    AttemptAll(processor);
    PassRetryDelay();
  }
  EXPECT_EQ(StatusOf("t1").state, JobState::kDead);
  EXPECT_EQ(StatusOf("t1").attempts, 4U);
  EXPECT_EQ(extractor_.CallsFor("t1"), 4U);
}

TEST_F(BatchProcessorTest, TheGravestOfSeveralFailuresIsTheJobs) {
  BatchProcessor processor = MakeProcessor();
  episodic_.FailBeforeApply(
      [](Plans) { return Error{ErrorCode::kUnavailable, "postgres: away", Millis{90'000}}; });
  semantic_.FailBeforeApply([](Plans) { return Internal("neo4j: hiccup"); });
  AcceptMany(1);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 1U);
  EXPECT_EQ(result->failures[0].kind, FailureKind::kTransient);
  EXPECT_EQ(result->failures[0].tier, "semantic");
  EXPECT_EQ(result->failures[0].retry_after, Millis{90'000});
  EXPECT_THAT(result->failures[0].error, HasSubstr("postgres: away"));
  EXPECT_THAT(result->failures[0].error, HasSubstr("neo4j: hiccup"));
}

TEST_F(BatchProcessorTest, AnUnreadableSavedPlanEndsItsJobAlone) {
  BatchProcessor processor = MakeProcessor();
  AcceptMany(2);
  const auto batch = Claim();
  const PlanRecord garbage{batch->jobs[0].job.job_id, "{\"version\":99}"};
  ASSERT_TRUE(in_memory_ledger_.SavePlans(batch->lease, {&garbage, 1}, Deadline::Never()).ok());
  ASSERT_TRUE(in_memory_ledger_.Release(batch->lease, Deadline::Never()).ok());
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 1U);
  EXPECT_EQ(result->failures[0].kind, FailureKind::kPermanent);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDead);
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(BatchProcessorTest, ThePlanThatWasSavedFirstWins) {
  BatchProcessor processor = MakeProcessor();
  AcceptMany(1);
  const auto batch = Claim();
  ReflectionPlan other;
  other.job_id = batch->jobs[0].job.job_id;
  other.interaction_id = "t1";
  other.user = kAna;
  other.episodes.push_back({Role::kUser, "User", "what the other worker understood", 0.5, {}});
  const PlanRecord first{other.job_id, EncodePlan(other).value_or("")};
  ledger_.FailBefore([&](std::string_view call) -> std::optional<Error> {
    if (call == "SavePlans") {
      EXPECT_TRUE(in_memory_ledger_.SavePlans(batch->lease, {&first, 1}, Deadline::Never()).ok());
    }
    return std::nullopt;
  });
  EXPECT_EQ(processor.Process(*batch, {}, Deadline::Never()).reflected.size(), 1U);
  const auto page = episodic_.List(kAna, "", 10, Deadline::Never());
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].text, "what the other worker understood");
  EXPECT_EQ(Count(semantic_), 0U);
}

TEST_F(BatchProcessorTest, EachSessionIsExtractedWithItsOwnPast) {
  BatchProcessor processor = MakeProcessor();
  Accept({Turn("a1", "one", kAna, "a"), Turn("b1", "two", kAna, "b")});
  AttemptAll(processor);
  Accept({Turn("a2", "three", kAna, "a"), Turn("b2", "four", kAna, "b"),
          Turn("a3", "five", kAna, "a")});
  AttemptAll(processor);
  const auto calls = extractor_.Calls();
  ASSERT_EQ(calls.size(), 4U);
  ASSERT_EQ(calls[2].turns.size(), 2U);
  EXPECT_EQ(calls[2].turns[0].interaction_id, "a2");
  EXPECT_EQ(calls[2].turns[1].interaction_id, "a3");
  ASSERT_EQ(calls[2].preceding.size(), 1U);
  EXPECT_EQ(calls[2].preceding[0].interaction_id, "a1");
  ASSERT_EQ(calls[3].turns.size(), 1U);
  EXPECT_EQ(calls[3].preceding[0].interaction_id, "b1");
  EXPECT_FALSE(calls[3].known_entities.empty());
}

TEST_F(BatchProcessorTest, StandingRulesAreKnownToTheExtractor) {
  BatchProcessor processor = MakeProcessor();
  AcceptMany(1);
  AttemptAll(processor);
  Accept({Turn("t2", "something else")});
  AttemptAll(processor);
  ASSERT_EQ(extractor_.Calls()[1].known_rules.size(), 1U);
  EXPECT_EQ(extractor_.Calls()[1].known_rules[0].text, "always remember number 1");
}

TEST_F(BatchProcessorTest, NoPlanIsMadeWhileWhatIsKnownCannotBeRead) {
  BatchProcessor processor = MakeProcessor();
  semantic_.FailKnownEntities(Unavailable("neo4j: away"));
  AcceptMany(1);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 1U);
  EXPECT_EQ(result->failures[0].tier, "semantic");
  EXPECT_EQ(result->failures[0].kind, FailureKind::kSystemic);
  EXPECT_TRUE(extractor_.Calls().empty());
}

TEST_F(BatchProcessorTest, APlanBelongsToWhoseTurnItIs) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetEditor([](std::vector<ReflectionPlan>& plans) {
    plans[0].user = {"default", "somebody else"};
    plans[0].interaction_id = "another turn";
    plans[0].job_id = "another job";
  });
  AcceptMany(1);
  Attempt(processor);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(episodic_), 1U);
  EXPECT_EQ(Count(episodic_, {"default", "somebody else"}), 0U);
}

TEST_F(BatchProcessorTest, AnExtractorThatLosesPlansHasFailed) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetEditor([](std::vector<ReflectionPlan>& plans) { plans.pop_back(); });
  AcceptMany(2);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 2U);
  EXPECT_THAT(result->failures[0].error, HasSubstr("1 plans for 2 turns"));
  EXPECT_EQ(Count(episodic_), 0U);
}

TEST_F(BatchProcessorTest, APlanThatCannotBeWrittenFailsItsJobAlone) {
  BatchProcessor processor = MakeProcessor();
  extractor_.SetEditor(
      [](std::vector<ReflectionPlan>& plans) { plans[0].facts[0].confidence = 7; });
  AcceptMany(2);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 1U);
  EXPECT_EQ(result->failures[0].job_id, MakeJobId(kAna, "t1"));
  EXPECT_EQ(result->failures[0].kind, FailureKind::kTransient);
  EXPECT_EQ(StatusOf("t2").state, JobState::kDone);
}

TEST_F(BatchProcessorTest, AnExceptionOutOfATierIsATransientFailure) {
  BatchProcessor processor = MakeProcessor();
  episodic_.FailBeforeApply(
      [](Plans) -> std::optional<Error> { throw std::runtime_error("a library threw"); });
  AcceptMany(1);
  const auto result = Attempt(processor);
  ASSERT_EQ(result->failures.size(), 1U);
  EXPECT_EQ(result->failures[0].kind, FailureKind::kTransient);
  EXPECT_THAT(result->failures[0].error, HasSubstr("a library threw"));
}

TEST_F(BatchProcessorTest, TiersThatAreDoneButCouldNotBeMarkedAreMarkedTheNextTime) {
  BatchProcessor processor = MakeProcessor();
  ledger_.FailBefore([](std::string_view call) {
    return call == "MarkTiersDone" ? std::optional(Unavailable("ledger: away")) : std::nullopt;
  });
  AcceptMany(1);
  const auto first = Attempt(processor);
  ASSERT_EQ(first->failures.size(), 1U);
  EXPECT_EQ(first->failures[0].kind, FailureKind::kSystemic);
  ledger_.FailBefore(nullptr);
  PassRetryDelay();
  AttemptAll(processor);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(Count(episodic_), 1U);
  EXPECT_EQ(Count(semantic_), 1U);
}

TEST_F(BatchProcessorTest, AJobWhoseTiersAreAllDoneOnlyNeedsSettling) {
  BatchProcessor processor = MakeProcessor();
  AcceptMany(1);
  auto batch = Claim();
  EXPECT_EQ(processor.Process(*batch, {}, Deadline::Never()).reflected.size(), 1U);
  ASSERT_TRUE(in_memory_ledger_.Release(batch->lease, Deadline::Never()).ok());
  const auto again = Attempt(processor);
  EXPECT_EQ(again->reflected.size(), 1U);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
  EXPECT_EQ(episodic_.Applies(), 1U);
  EXPECT_EQ(extractor_.Calls().size(), 1U);
}

TEST_F(BatchProcessorTest, AStopBeforeTheExtractionLeavesTheBatchUntouched) {
  BatchProcessor processor = MakeProcessor();
  std::stop_source stop;
  stop.request_stop();
  AcceptMany(2);
  const auto batch = Claim();
  EXPECT_EQ(processor.Process(*batch, stop.get_token(), Deadline::Never()).ending,
            Ending::kInterrupted);
  EXPECT_TRUE(extractor_.Calls().empty());
}

TEST_F(BatchProcessorTest, AStopWhileAnExtractionHangsEndsAfterTheGrace) {
  std::latch opened(1);
  BatchProcessor processor = MakeProcessor();
  std::stop_source stop;
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    stop.request_stop();
    clock_.Advance(Millis{10});
    opened.wait();
    return std::nullopt;
  });
  AcceptMany(1);
  const auto batch = Claim();
  std::jthread time([this, token = stop.get_token()](std::stop_token done) {
    // The grace is counted from the stop on the clock that the test turns.
    while (!done.stop_requested()) {
      if (token.stop_requested()) {
        clock_.Advance(Millis{1});
      }
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(processor.Process(*batch, stop.get_token(), Deadline::Never()).ending,
            Ending::kInterrupted);
  opened.count_down();
  EXPECT_EQ(episodic_.Applies(), 0U);
}

TEST_F(BatchProcessorTest, AStopWhileTiersAreAppliedLetsThemFinish) {
  BatchProcessor processor = MakeProcessor();
  std::stop_source stop;
  episodic_.FailBeforeApply([&](Plans) -> std::optional<Error> {
    stop.request_stop();
    return std::nullopt;
  });
  AcceptMany(2);
  const auto batch = Claim();
  const BatchResult result = processor.Process(*batch, stop.get_token(), Deadline::Never());
  EXPECT_EQ(result.ending, Ending::kSettle);
  EXPECT_EQ(result.reflected.size(), 2U);
}

}  // namespace
}  // namespace umbranet
