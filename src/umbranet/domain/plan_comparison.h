// How two plans of one turn differ: the one that was carried out and the one that another path
// would have carried out. Times of the turn, ids, names of extractors and the order of things count
// for nothing; numbers count to a millionth. Pure functions; they may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// From the least to the gravest; a turn is of the gravest that any part of it has.
enum class PlanDifference : std::uint8_t {
  kIdentical = 0,
  kOrderOnly = 1,    // The same things in another order.
  kWording = 2,      // The same things said in other words, or with another weight.
  kExtra = 3,        // The candidate has something that the plan in force lacks.
  kMissing = 4,      // The candidate lacks something.
  kConflicting = 5,  // About the same thing they say opposites, or different values.
};

inline constexpr PlanDifference kAllPlanDifferences[] = {
    PlanDifference::kIdentical, PlanDifference::kOrderOnly, PlanDifference::kWording,
    PlanDifference::kExtra,     PlanDifference::kMissing,   PlanDifference::kConflicting};

// "identical", "order_only", "wording", "extra", "missing", "conflicting"
std::string_view PlanDifferenceName(PlanDifference difference);
std::optional<PlanDifference> ParsePlanDifference(std::string_view name);

struct PlanComparison {
  PlanDifference difference = PlanDifference::kIdentical;
  // How many episodes, entities, facts and rules differ so.
  std::uint32_t wording = 0;
  std::uint32_t extra = 0;
  std::uint32_t missing = 0;
  std::uint32_t conflicting = 0;

  bool operator==(const PlanComparison&) const = default;
};

PlanComparison ComparePlans(const ReflectionPlan& in_force, const ReflectionPlan& candidate);

}  // namespace umbranet
