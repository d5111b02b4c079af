// Goal: what came of trying another path is kept, counted, bounded by its jobs, and gone with its
// user. Method: runs for jobs of the journal beside it.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();

class ShadowRecordsContract : public LedgerFixture {
 protected:
  void SetUp() override {
    LedgerFixture::SetUp();
    if (!IsSkipped() && harness_->shadow() == nullptr) {
      GTEST_SKIP() << "this engine keeps none";
    }
  }

  ShadowRecords& records() { return *harness_->shadow(); }

  ShadowRun Run(const AcceptedTurn& turn, PlanDifference difference,
                std::string_view user_id = "ana") {
    ShadowRun run;
    run.job_id = turn.job_id;
    run.user = User(user_id);
    run.candidate = "inline";
    run.at = clock().Now();
    run.comparison.difference = difference;
    run.plan = std::string("a plan\0with NUL", 15);
    run.control_ms = 10;
    run.candidate_ms = 20;
    run.end_to_end_ms = 30;
    return run;
  }

  void Save(const ShadowRun& run) {
    const Status saved = records().Save(run, kNever);
    ASSERT_TRUE(saved.ok()) << saved.error().message;
  }

  ShadowSummary Summarize(const std::string& candidate = "inline") {
    return records().Summarize(candidate, kNever).value();
  }
};

TEST_P(ShadowRecordsContract, ThereIsNothingBeforeARun) {
  const ShadowSummary summary = Summarize();
  EXPECT_EQ(summary.runs, 0U);
  EXPECT_EQ(summary.compared.size(), 6U);
  EXPECT_FALSE(summary.first_at.has_value());
  EXPECT_THAT(summary.examples, IsEmpty());
}

TEST_P(ShadowRecordsContract, CountsRunsByWhatTheyCameTo) {
  const auto turns = Accept({Turn("a"), Turn("b"), Turn("c"), Turn("d"), Turn("e")});
  Save(Run(turns[0], PlanDifference::kIdentical));
  clock().Advance(std::chrono::seconds(5));
  Save(Run(turns[1], PlanDifference::kConflicting));
  ShadowRun failed = Run(turns[2], PlanDifference::kIdentical);
  failed.outcome = ShadowOutcome::kFailed;
  failed.plan.clear();
  failed.error = "it broke \xFF";
  Save(failed);
  ShadowRun unanswered = failed;
  unanswered.job_id = turns[3].job_id;
  unanswered.outcome = ShadowOutcome::kUnanswered;
  Save(unanswered);
  ShadowRun other = Run(turns[4], PlanDifference::kMissing);
  other.candidate = "rules";
  Save(other);
  const ShadowSummary summary = Summarize();
  EXPECT_EQ(summary.runs, 4U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kIdentical), 1U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kConflicting), 1U);
  EXPECT_EQ(summary.compared.at(PlanDifference::kMissing), 0U);
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_EQ(summary.unanswered, 1U);
  EXPECT_EQ(summary.control_p95_ms, 10U);
  EXPECT_EQ(summary.candidate_p95_ms, 20U);
  EXPECT_EQ(summary.end_to_end_p95_ms, 30U);
  EXPECT_EQ(summary.first_at, ManualClock::kStart);
  EXPECT_EQ(summary.last_at, clock().Now());
  EXPECT_THAT(summary.examples, ElementsAre(turns[3].job_id, turns[2].job_id, turns[1].job_id));
  EXPECT_EQ(Summarize("rules").runs, 1U);
}

TEST_P(ShadowRecordsContract, ARunTakesThePlaceOfAnEarlierOneOfItsJob) {
  const AcceptedTurn turn = AcceptOne(Turn("a"));
  Save(Run(turn, PlanDifference::kMissing));
  Save(Run(turn, PlanDifference::kIdentical));
  EXPECT_EQ(Summarize().runs, 1U);
  EXPECT_EQ(Summarize().compared.at(PlanDifference::kIdentical), 1U);
}

TEST_P(ShadowRecordsContract, WhatIsForgottenGoesAndDoesNotComeBackLate) {
  const AcceptedTurn hers = AcceptOne(Turn("a"));
  const AcceptedTurn his = AcceptOne(Turn("a", "bo"));
  Save(Run(hers, PlanDifference::kIdentical));
  Save(Run(his, PlanDifference::kIdentical, "bo"));
  clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(journal().EraseUser(User("ana"), kNever).value().shadow_plans, 1U);
  EXPECT_EQ(Summarize().runs, 1U);
  Save(Run(hers, PlanDifference::kMissing));
  Save(Run(his, PlanDifference::kMissing, "ana"));
  EXPECT_EQ(Summarize().runs, 1U) << "neither a late run nor one under another's name";
}

TEST_P(ShadowRecordsContract, CanBeClearedToBeginAnew) {
  Save(Run(AcceptOne(Turn("a")), PlanDifference::kIdentical));
  EXPECT_EQ(records().Clear(kNever).value(), 1U);
  EXPECT_EQ(records().Clear(kNever).value(), 0U);
  EXPECT_EQ(Summarize().runs, 0U);
}

INSTANTIATE_TEST_SUITE_P(Engines, ShadowRecordsContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace umbranet
