// The part of a conversation that a prompt has room for. Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// How much of a running conversation is in view.
struct ConversationWindow {
  std::size_t tokens = 2'000;  // By EstimateTokens, both halves of the turns together.
  std::size_t turns = 20;
};

// Both halves of the turn.
std::size_t TokensOf(const Interaction& turn);

// The newest of `oldest_first` that fit the window together, in the same order. The newest one is
// always among them, even when it alone does not fit.
std::vector<Interaction> NewestWithin(std::vector<Interaction> oldest_first,
                                      const ConversationWindow& window);

}  // namespace umbranet
