#include "umbranet/reflection/episodic_processor.h"

#include <vector>

namespace umbranet {

Status EpisodicProcessor::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                Deadline deadline) {
  std::vector<EpisodeVector> vectors;
  if (embedder_ != nullptr) {
    vectors = embedder_->EmbedPlans(plans, deadline.Within(clock_, embedding_budget_));
  }
  UMBRANET_RETURN_IF_ERROR(TierProcessor::Apply(plans, fence, deadline));
  if (embedder_ != nullptr) {
    embedder_->Save(vectors, deadline);
  }
  return {};
}

}  // namespace umbranet
