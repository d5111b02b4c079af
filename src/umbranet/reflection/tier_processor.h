// Carries the plans of a batch out on one tier, within the tier's own budget, and measures it. The
// tiers differ in what they store, not in how they are driven, so there is one processor and a name
// for each of the three.
//
// All methods may be called from any thread. The memory must outlive the processor.
#pragma once

#include <span>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/memory_tier.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

class TierProcessor {
 public:
  TierProcessor(const TierProcessor&) = delete;
  TierProcessor& operator=(const TierProcessor&) = delete;

  // As MemoryTier::Apply; kDeadlineExceeded when the tier's budget or `deadline` is used up.
  Status Process(std::span<const ReflectionPlan> plans, const Lease& fence, Deadline deadline);

  [[nodiscard]] Tier tier() const { return tier_; }

  // How long one call may take before it counts as failed.
  [[nodiscard]] Millis budget() const { return budget_; }

 protected:
  TierProcessor(const Clock& clock, Metrics& metrics, Tier tier, MemoryTier& memory, Millis budget);
  ~TierProcessor() = default;

  // What is measured.
  virtual Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                       Deadline deadline);

 private:
  const Clock& clock_;
  Metrics& metrics_;
  const Tier tier_;
  MemoryTier& memory_;
  const Millis budget_;
};

}  // namespace umbranet
