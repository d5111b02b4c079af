// Tier 4: how the user wants things done. See tier_processor.h.
#pragma once

#include "umbranet/ports/procedural_memory.h"
#include "umbranet/reflection/tier_processor.h"

namespace umbranet {

class ProceduralProcessor final : public TierProcessor {
 public:
  ProceduralProcessor(const Clock& clock, Metrics& metrics, ProceduralMemory& memory, Millis budget)
      : TierProcessor(clock, metrics, Tier::kProcedural, memory, budget) {}
};

}  // namespace umbranet
