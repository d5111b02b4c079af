// The part of a conversation that a prompt has room for. Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// Both halves of the turn.
std::size_t TokensOf(const Interaction& turn);

// The newest of `oldest_first` that fit the budget together, in the same order. The newest one is
// always among them, even when it alone is over budget.
std::vector<Interaction> NewestWithin(std::vector<Interaction> oldest_first,
                                      std::size_t token_budget);

}  // namespace umbranet
