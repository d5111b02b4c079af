// Tier 2: what happened. See tier_processor.h.
#pragma once

#include "umbranet/ports/episodic_memory.h"
#include "umbranet/reflection/tier_processor.h"

namespace umbranet {

class EpisodicProcessor final : public TierProcessor {
 public:
  EpisodicProcessor(const Clock& clock, Metrics& metrics, EpisodicMemory& memory, Millis budget)
      : TierProcessor(clock, metrics, Tier::kEpisodic, memory, budget) {}
};

}  // namespace umbranet
