#include "umbranet/domain/shadow_run.h"

#include <algorithm>
#include <cstddef>

namespace umbranet {
namespace {

constexpr std::uint64_t kRunsMin = 10'000;
constexpr std::uint64_t kConflictsOneIn = 1'000;
constexpr std::uint32_t kEndToEndMaxMs = 30'000;
constexpr std::size_t kExamplesMax = 10;

std::uint32_t Percentile95(std::vector<std::uint32_t> values) {
  if (values.empty()) {
    return 0;
  }
  const auto at = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * 95 / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

bool IsNotable(const ShadowRun& run) {
  return run.outcome != ShadowOutcome::kCompared ||
         run.comparison.difference > PlanDifference::kWording;
}

std::string Count(std::uint64_t number) {
  return std::to_string(number);
}

}  // namespace

ShadowSummary SummarizeRuns(std::span<const ShadowRun> runs) {
  ShadowSummary summary;
  for (const PlanDifference difference : kAllPlanDifferences) {
    summary.compared[difference] = 0;
  }
  std::vector<std::uint32_t> control;
  std::vector<std::uint32_t> candidate;
  std::vector<std::uint32_t> end_to_end;
  for (const ShadowRun& run : runs) {
    ++summary.runs;
    summary.first_at = summary.first_at ? std::min(*summary.first_at, run.at) : run.at;
    summary.last_at = summary.last_at ? std::max(*summary.last_at, run.at) : run.at;
    if (run.outcome == ShadowOutcome::kFailed) {
      ++summary.failed;
    } else if (run.outcome == ShadowOutcome::kUnanswered) {
      ++summary.unanswered;
    } else {
      ++summary.compared[run.comparison.difference];
      control.push_back(run.control_ms);
      candidate.push_back(run.candidate_ms);
      end_to_end.push_back(run.end_to_end_ms);
    }
  }
  summary.control_p95_ms = Percentile95(std::move(control));
  summary.candidate_p95_ms = Percentile95(std::move(candidate));
  summary.end_to_end_p95_ms = Percentile95(std::move(end_to_end));
  for (auto run = runs.rbegin(); run != runs.rend() && summary.examples.size() < kExamplesMax;
       ++run) {
    if (IsNotable(*run)) {
      summary.examples.push_back(run->job_id);
    }
  }
  return summary;
}

std::vector<ShadowGateCheck> CheckShadowGate(const ShadowSummary& summary) {
  const auto of = [&summary](PlanDifference difference) {
    const auto found = summary.compared.find(difference);
    return found == summary.compared.end() ? std::uint64_t{0} : found->second;
  };
  const std::uint64_t unlike = of(PlanDifference::kMissing) + of(PlanDifference::kExtra);
  const std::uint64_t conflicting = of(PlanDifference::kConflicting);
  return {
      {"runs", "at least " + Count(kRunsMin), Count(summary.runs), summary.runs >= kRunsMin},
      {"missing_or_extra", "0", Count(unlike), unlike == 0},
      {"conflicting", "at most one in " + Count(kConflictsOneIn), Count(conflicting),
       conflicting * kConflictsOneIn <= summary.runs},
      {"failed", "0", Count(summary.failed), summary.failed == 0},
      {"unanswered", "0", Count(summary.unanswered), summary.unanswered == 0},
      {"end_to_end_p95_ms", "at most " + Count(kEndToEndMaxMs), Count(summary.end_to_end_p95_ms),
       summary.end_to_end_p95_ms <= kEndToEndMaxMs},
  };
}

}  // namespace umbranet
