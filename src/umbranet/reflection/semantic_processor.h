// Tier 3: who and what. See tier_processor.h.
#pragma once

#include "umbranet/ports/semantic_memory.h"
#include "umbranet/reflection/tier_processor.h"

namespace umbranet {

class SemanticProcessor final : public TierProcessor {
 public:
  SemanticProcessor(const Clock& clock, Metrics& metrics, SemanticMemory& memory, Millis budget)
      : TierProcessor(clock, metrics, Tier::kSemantic, memory, budget) {}
};

}  // namespace umbranet
