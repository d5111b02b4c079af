#include "umbranet/domain/newest_turns.h"

#include <iterator>

#include "umbranet/base/token_estimate.h"

namespace umbranet {

std::size_t TokensOf(const Interaction& turn) {
  return EstimateTokens(turn.user_message) + EstimateTokens(turn.assistant_response);
}

std::vector<Interaction> NewestWithin(std::vector<Interaction> oldest_first,
                                      const ConversationWindow& window) {
  std::size_t used = 0;
  std::size_t turns = 0;
  auto first = oldest_first.end();
  while (first != oldest_first.begin()) {
    used += TokensOf(*std::prev(first));
    if (turns > 0 && (used > window.tokens || turns >= window.turns)) {
      break;
    }
    --first;
    ++turns;
  }
  oldest_first.erase(oldest_first.begin(), first);
  return oldest_first;
}

}  // namespace umbranet
