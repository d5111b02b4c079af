// Tier 2: what happened. An episode is one half of a turn that was worth keeping.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/time_range.h"

namespace umbranet {

struct Episode {
  std::string memory_id;
  UserKey user;
  std::string interaction_id;
  Role role = Role::kUser;
  std::string session_id;
  std::string speaker;  // Who said it; the assistant's half carries "Assistant".
  std::string text;
  Timestamp occurred_at{};
  std::int64_t sequence = 0;  // The turn's place in the journal; orders turns within a session.
  double importance = 0.5;    // 0 to 1
  std::vector<TimeRange> event_times;  // What the text speaks of, resolved against occurred_at.
};

}  // namespace umbranet
