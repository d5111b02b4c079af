#include "umbranet/reflection/completed_plan.h"

namespace umbranet {

ReflectionPlan CompletedPlan(ReflectionPlan plan, std::string_view job_id, const Interaction& turn,
                             std::string_view extractor) {
  plan.job_id = job_id;
  plan.interaction_id = turn.interaction_id;
  plan.user = turn.user;
  plan.session_id = turn.session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  if (plan.extractor.empty()) {
    plan.extractor = extractor;
  }
  return plan;
}

}  // namespace umbranet
