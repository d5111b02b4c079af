// What came of trying another path on a turn, what many such trials come to, and whether that is
// enough to go over to it. Pure; the functions may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/plan_comparison.h"

namespace umbranet {

enum class ShadowOutcome : std::uint8_t {
  kCompared = 0,
  kFailed = 1,  // The candidate made no plan.
  // It asked the model something that was not asked before, which is not paid for: its input
  // differs from that of the path in force.
  kUnanswered = 2,
};

struct ShadowRun {
  std::string job_id;
  UserKey user;           // Whose job it is.
  std::string candidate;  // Which path: "inline", "rules".
  Timestamp at{};
  ShadowOutcome outcome = ShadowOutcome::kCompared;
  PlanComparison comparison = {};   // When they were compared.
  std::string plan = {};            // The candidate's, encoded; empty when there is none.
  std::string error = {};           // Why there is none.
  std::uint32_t control_ms = 0;     // What the plan in force took to be made.
  std::uint32_t candidate_ms = 0;   // And the candidate's.
  std::uint32_t end_to_end_ms = 0;  // From acceptance to a plan, had it been the candidate's.
};

struct ShadowSummary {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  std::uint64_t unanswered = 0;
  std::map<PlanDifference, std::uint64_t> compared;  // Every difference, 0 included.
  std::uint32_t control_p95_ms = 0;
  std::uint32_t candidate_p95_ms = 0;
  std::uint32_t end_to_end_p95_ms = 0;
  std::optional<Timestamp> first_at;
  std::optional<Timestamp> last_at;
  // Job ids of the latest few that differ in more than wording, or failed; the latest first.
  std::vector<std::string> examples;
};

// `runs` in the order in which they were saved; of each, user and plan are not looked at.
ShadowSummary SummarizeRuns(std::span<const ShadowRun> runs);

// One condition for going over to the candidate.
struct ShadowGateCheck {
  std::string_view name;
  std::string wanted;  // "at least 10000", for people.
  std::string found;
  bool met = false;
};

// All of them must be met: 10,000 runs, none that lacks something or has something extra, none that
// failed or asked anew, at most one in a thousand that conflicts, and 95 in a hundred within 30 s
// of the turn.
std::vector<ShadowGateCheck> CheckShadowGate(const ShadowSummary& summary);

}  // namespace umbranet
