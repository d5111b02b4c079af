// What of a plan is nobody's to decide. Any thread.
#pragma once

#include <string_view>

#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// Whose plan it is comes from the ledger and the journal, whatever an extractor wrote there: no
// model may put a memory into another user's store. `extractor` is set where it did not name
// itself.
ReflectionPlan CompletedPlan(ReflectionPlan plan, std::string_view job_id, const Interaction& turn,
                             std::string_view extractor);

}  // namespace umbranet
