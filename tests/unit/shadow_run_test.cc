// Goal: the gate opens when every condition is met, and each of them alone keeps it shut. Method:
// a summary that meets them all, with one thing changed.
#include "umbranet/domain/shadow_run.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

ShadowSummary Good() {
  ShadowSummary summary;
  summary.runs = 10'000;
  summary.compared[PlanDifference::kIdentical] = 9'900;
  summary.compared[PlanDifference::kWording] = 90;
  summary.compared[PlanDifference::kConflicting] = 10;
  summary.end_to_end_p95_ms = 30'000;
  return summary;
}

// The names of those that are not met.
std::vector<std::string> Unmet(const ShadowSummary& summary) {
  std::vector<std::string> names;
  for (const ShadowGateCheck& check : CheckShadowGate(summary)) {
    if (!check.met) {
      names.emplace_back(check.name);
    }
  }
  return names;
}

TEST(ShadowGate, IsMetWhenEveryConditionIs) {
  EXPECT_EQ(Unmet(Good()), std::vector<std::string>());
}

TEST(ShadowGate, EachConditionAloneKeepsItShut) {
  using Names = std::vector<std::string>;
  ShadowSummary summary = Good();
  summary.compared[PlanDifference::kMissing] = 1;
  EXPECT_EQ(Unmet(summary), Names{"missing_or_extra"});
  summary = Good();
  summary.compared[PlanDifference::kExtra] = 1;
  EXPECT_EQ(Unmet(summary), Names{"missing_or_extra"});
  summary = Good();
  summary.compared[PlanDifference::kConflicting] = 11;
  EXPECT_EQ(Unmet(summary), Names{"conflicting"});
  summary = Good();
  summary.failed = 1;
  EXPECT_EQ(Unmet(summary), Names{"failed"});
  summary = Good();
  summary.unanswered = 1;
  EXPECT_EQ(Unmet(summary), Names{"unanswered"});
  summary = Good();
  summary.end_to_end_p95_ms = 30'001;
  EXPECT_EQ(Unmet(summary), Names{"end_to_end_p95_ms"});
  EXPECT_EQ(Unmet(ShadowSummary{}), Names{"runs"});
}

TEST(ShadowSummary, ThePercentileIsOfWhatWasCompared) {
  std::vector<ShadowRun> runs(100);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].candidate_ms = static_cast<std::uint32_t>(i + 1);
  }
  runs.emplace_back().outcome = ShadowOutcome::kFailed;
  runs.back().candidate_ms = 1'000'000;
  EXPECT_EQ(SummarizeRuns(runs).candidate_p95_ms, 95U);
  EXPECT_EQ(SummarizeRuns(runs).failed, 1U);
}

}  // namespace
}  // namespace umbranet
