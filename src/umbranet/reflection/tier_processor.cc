#include "umbranet/reflection/tier_processor.h"

#include <chrono>
#include <string_view>

#include "umbranet/base/crash_point.h"
#include "umbranet/reflection/failure_classification.h"

namespace umbranet {
namespace {

std::string_view OutcomeName(const Status& status) {
  if (status.ok()) {
    return "ok";
  }
  if (status.error().code == ErrorCode::kAborted) {
    return "aborted";
  }
  return FailureKindName(ClassifyFailure(status.error().code));
}

}  // namespace

TierProcessor::TierProcessor(const Clock& clock, Metrics& metrics, Tier tier, MemoryTier& memory,
                             Millis budget)
    : clock_(clock), metrics_(metrics), tier_(tier), memory_(memory), budget_(budget) {}

Status TierProcessor::Process(std::span<const ReflectionPlan> plans, const Lease& fence,
                              Deadline deadline) {
  const SteadyTime started = clock_.SteadyNow();
  Status status = Apply(plans, fence, deadline.Within(clock_, budget_));
  const std::chrono::duration<double> elapsed = clock_.SteadyNow() - started;
  metrics_.reflection_tier_seconds.At({TierName(tier_), OutcomeName(status)})
      .Observe(elapsed.count());
  return status;
}

Status TierProcessor::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                            Deadline deadline) {
  UMBRANET_CRASH_POINT("tier.before_apply");
  Status applied = memory_.Apply(plans, fence, deadline);
  UMBRANET_CRASH_POINT_PASSED("tier.after_apply");
  return applied;
}

}  // namespace umbranet
