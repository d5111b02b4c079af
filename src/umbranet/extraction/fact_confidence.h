// How sure a fact is to be what a message tells, and not only something that it touches on. Pure;
// may be called from any thread.
#pragma once

#include <vector>

#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// Sets the confidence of the facts of one message, in the order in which they were read: the
// probability that a reader who notes what the message says of its speaker notes this. It falls
// with every other thing that the same message tells, with kinds that are mostly mentioned in
// passing ("my sister says ...", "I love music") and with objects that say little; a job or an
// illness told by itself is nearly sure. How it was fitted, and that it is calibrated, stands in
// docs/decisions/0037-what-a-facts-confidence-means.md.
void JudgeConfidence(std::vector<PlannedFact>& facts);

}  // namespace umbranet
