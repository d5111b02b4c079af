// What is known already of the things that turns speak of. Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

// The user's facts in force that share words with what the turns say, those first that share the
// rarest, `facts_max` at most.
Result<std::vector<Fact>> FindKnownFacts(SemanticMemory& semantic, const UserKey& user,
                                         std::span<const Interaction> turns, std::size_t facts_max,
                                         Deadline deadline);

}  // namespace umbranet
