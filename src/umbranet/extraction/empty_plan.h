// What every extractor's plan begins with. Pure; any thread.
#pragma once

#include <string_view>

#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// A plan for `turn` that teaches nothing yet, made by `extractor`.
inline ReflectionPlan EmptyPlan(const Interaction& turn, std::string_view extractor) {
  ReflectionPlan plan;
  plan.interaction_id = turn.interaction_id;
  plan.user = turn.user;
  plan.session_id = turn.session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  plan.extractor = extractor;
  return plan;
}

}  // namespace umbranet
