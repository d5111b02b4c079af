// Goal: another path is tried on turns as far as its plan, and nothing else notices. Method:
// batches go through a real processor over stores in memory, with a candidate beside it that a
// script or a record of answers speaks for.
#include "umbranet/reflection/shadow_runner.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/extraction/llm_extractor.h"
#include "umbranet/extraction/recorded_answers.h"
#include "umbranet/extraction/rule_extractor.h"

#include "tests/doubles/in_memory_shadow_records.h"
#include "tests/doubles/scripted_language_model.h"
#include "tests/unit/reflection_harness.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();

// Hands on to another, and remembers what it was given.
class WatchedExtractor final : public Extractor {
 public:
  explicit WatchedExtractor(Extractor& inner) : inner_(inner) {}

  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override {
    inputs.push_back(input);
    if (fails) {
      return Internal("the candidate broke");
    }
    return inner_.Extract(input, deadline);
  }

  [[nodiscard]] std::string_view Name() const override { return "watched"; }

  // Looked at while the runner is idle.
  std::vector<ExtractionInput> inputs;
  bool fails = false;

 private:
  Extractor& inner_;
};

class ShadowRunnerTest : public ReflectionHarness {
 protected:
  void Start(ShadowRunner::Options options = {}) {
    options.candidate = "inline";
    options.nice = 0;
    runner_ = std::make_unique<ShadowRunner>(clock_, candidate_, records_, metrics_, log_,
                                             std::move(options));
  }

  BatchProcessor Processor(Extractor& in_force) {
    return {
        clock_,   {journal_, ledger_, episodic_, semantic_, procedural_, nullptr, runner_.get()},
        in_force, metrics_,
        log_,     ProcessorOptions()};
  }

  ShadowSummary Summarize() {
    EXPECT_TRUE(runner_->AwaitIdle(Deadline::After(SystemClock{}, std::chrono::seconds(30))));
    return records_.Summarize("inline", kNever).value();
  }

  InMemoryShadowRecords records_{store_};
  RuleExtractor rules_;
  WatchedExtractor candidate_{rules_};
  std::unique_ptr<ShadowRunner> runner_;
};

TEST_F(ShadowRunnerTest, TheSamePathMakesTheSamePlansAndNothingIsWrittenTwice) {
  Start();
  BatchProcessor processor = Processor(rules_);
  AcceptMany(25);
  AttemptAll(processor);
  const ShadowSummary summary = Summarize();
  EXPECT_EQ(summary.runs, 25U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kIdentical), 25U);
  EXPECT_THAT(summary.examples, IsEmpty());
  EXPECT_EQ(Count(episodic_), 25U);
  EXPECT_EQ(metrics_.reflection_shadow_total.At("identical").Value(), 25);
}

TEST_F(ShadowRunnerTest, ATurnsWayIsCountedFromItsAcceptance) {
  Start();
  BatchProcessor processor = Processor(rules_);
  AcceptMany(1);
  clock_.Advance(std::chrono::seconds(10));
  AttemptAll(processor);
  EXPECT_EQ(Summarize().end_to_end_p95_ms, 10'000U);
}

TEST_F(ShadowRunnerTest, ACandidateIsGivenEachTurnAloneBehindWhatWasSaidBefore) {
  Start({.preceding_max = 2});
  BatchProcessor processor = Processor(rules_);
  Accept({Turn("a", "one"), Turn("b", "elsewhere", kAna, "other"), Turn("c", "two"),
          Turn("d", "three"), Turn("e", "four")});
  AttemptAll(processor);
  Summarize();
  const ExtractionInput* last = nullptr;
  for (const ExtractionInput& input : candidate_.inputs) {
    ASSERT_THAT(input.turns, SizeIs(1));
    last = input.turns.front().interaction_id == "e" ? &input : last;
  }
  ASSERT_NE(last, nullptr);
  std::vector<std::string> before;
  for (const Interaction& turn : last->preceding) {
    before.push_back(turn.interaction_id);
  }
  EXPECT_THAT(before, ElementsAre("c", "d"));
}

TEST_F(ShadowRunnerTest, WhereTheCandidateDiffersItIsToldAndWhatIsInForceStays) {
  Start();
  BatchProcessor processor = Processor(extractor_);  // Scripted: it finds what the rules do not.
  Accept({Turn("a", "always answer in metric units")});
  AttemptAll(processor);
  const ShadowSummary summary = Summarize();
  EXPECT_EQ(summary.runs, 1U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kIdentical), 0U);
  EXPECT_THAT(summary.examples, ElementsAre(MakeJobId(kAna, "a")));
  EXPECT_EQ(Count(semantic_), 1U) << "the scripted fact";
}

TEST_F(ShadowRunnerTest, ACandidatesFailureIsWrittenDownAndTouchesNobody) {
  candidate_.fails = true;
  Start();
  BatchProcessor processor = Processor(rules_);
  AcceptMany(3);
  AttemptAll(processor);
  const ShadowSummary summary = Summarize();
  EXPECT_EQ(summary.failed, 3U);
  EXPECT_EQ(StatusOf("t1").state, JobState::kDone);
}

TEST_F(ShadowRunnerTest, OnlyTheShareOfTheTurnsThatWasAskedForIsTried) {
  Start({.percent = 30, .waiting_max = 1'000});
  BatchProcessor processor = Processor(rules_);
  AcceptMany(300);
  AttemptAll(processor);
  const std::uint64_t runs = Summarize().runs;
  EXPECT_GT(runs, 300U * 15 / 100);
  EXPECT_LT(runs, 300U * 45 / 100);
}

TEST_F(ShadowRunnerTest, TurnsThatComeFasterThanItWorksArePassedOver) {
  Start({.waiting_max = 0});
  BatchProcessor processor = Processor(rules_);
  AcceptMany(5);
  AttemptAll(processor);
  EXPECT_EQ(Summarize().runs, 0U);
  EXPECT_EQ(metrics_.reflection_shadow_total.At("passed_over").Value(), 5);
}

TEST_F(ShadowRunnerTest, AUserWhoIsForgottenMeanwhileLeavesNoRun) {
  Start();
  BatchProcessor processor = Processor(rules_);
  AcceptMany(2);
  const auto batch = Claim();
  ASSERT_TRUE(batch.has_value());
  (void)processor.Process(*batch, {}, kNever);
  (void)Summarize();
  EXPECT_EQ(journal_.EraseUser(kAna, kNever).value().shadow_plans, 2U);
  EXPECT_EQ(Summarize().runs, 0U);
}

// A model answers the path in force; the candidate is answered from the record and never asks it.
TEST_F(ShadowRunnerTest, AModelIsAskedOnceAndItsAnswerServesBothPaths) {
  ScriptedLanguageModel model;
  AnswerCache record({});
  RecordingLanguageModel recording(model, record);
  LlmExtractor in_force(clock_, recording, metrics_, log_, {});
  ReplayedLanguageModel replayed(std::string(model.Name()), record);
  LlmExtractor tried(clock_, replayed, metrics_, log_,
                     {.patience = Millis{0}, .cache = {.entries_max = 0}});
  ASSERT_TRUE(records_.Clear(kNever).ok());
  ShadowRunner runner(clock_, tried, records_, metrics_, log_,
                      {.candidate = "inline", .nice = 0, .unanswered = [&replayed] {
                         return replayed.Unanswered();
                       }});
  BatchProcessor processor(clock_,
                           {journal_, ledger_, episodic_, semantic_, procedural_, nullptr, &runner},
                           in_force, metrics_, log_, ProcessorOptions());
  const auto idle = [&runner] {
    return runner.AwaitIdle(Deadline::After(SystemClock{}, std::chrono::seconds(30)));
  };
  // A batch of one turn is asked about as it would be alone.
  Accept({Turn("a", "My sister Ana lives in Porto.")});
  AttemptAll(processor);
  ASSERT_TRUE(idle());
  const std::size_t asked = model.Requests().size();
  EXPECT_GE(asked, 1U);
  ShadowSummary summary = records_.Summarize("inline", kNever).value();
  EXPECT_EQ(summary.runs, 1U);
  EXPECT_EQ(summary.unanswered, 0U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kIdentical), 1U);
  // Two turns together are another question than each of them alone.
  Accept({Turn("b", "I work at the bakery."), Turn("c", "My brother Jonas lives in Bergen.")});
  AttemptAll(processor);
  ASSERT_TRUE(idle());
  summary = records_.Summarize("inline", kNever).value();
  EXPECT_EQ(summary.runs, 3U);
  EXPECT_EQ(summary.unanswered, 2U);
}

}  // namespace
}  // namespace umbranet
