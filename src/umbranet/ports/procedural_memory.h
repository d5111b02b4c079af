// Tier 4: standing instructions and preferences.
//
// Applying a rule whose key is stored adds its source as evidence; a withdrawal closes the rule
// with that key, or else the one whose key shares most of its words, provided it is older than the
// withdrawal.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "umbranet/domain/rule.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

class ProceduralMemory : public MemoryTier {
 public:
  // Rules in force now, or at `as_of`: most recent first, at most `limit`.
  virtual Result<std::vector<Rule>> Active(const UserKey& user, std::optional<Timestamp> as_of,
                                           std::size_t limit, Deadline deadline) = 0;
};

}  // namespace umbranet
