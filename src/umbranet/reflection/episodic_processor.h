// Tier 2: what happened. See tier_processor.h. With an embedder, what is applied gets its vectors
// with it; without one, or while it fails, it is applied all the same.
#pragma once

#include "umbranet/ports/episodic_memory.h"
#include "umbranet/reflection/episode_embedder.h"
#include "umbranet/reflection/tier_processor.h"

namespace umbranet {

class EpisodicProcessor final : public TierProcessor {
 public:
  // `embedder` may be null.
  EpisodicProcessor(const Clock& clock, Metrics& metrics, EpisodicMemory& memory, Millis budget,
                    EpisodeEmbedder* embedder)
      : TierProcessor(clock, metrics, Tier::kEpisodic, memory, budget),
        clock_(clock),
        embedder_(embedder),
        embedding_budget_(budget / 2) {}

 private:
  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;

  const Clock& clock_;
  EpisodeEmbedder* const embedder_;
  const Millis embedding_budget_;  // What is left of the budget stores the episodes.
};

}  // namespace umbranet
