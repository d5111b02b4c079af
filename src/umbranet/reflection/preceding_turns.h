// What was said before turns that are to be understood. Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

// Of every session in `turns`, what was said before its first turn: `turns_max` in all, shared
// between the sessions, but one of each at least.
Result<std::vector<Interaction>> ReadPrecedingTurns(Journal& journal, const UserKey& user,
                                                    std::span<const Interaction> turns,
                                                    std::size_t turns_max, Deadline deadline);

}  // namespace umbranet
