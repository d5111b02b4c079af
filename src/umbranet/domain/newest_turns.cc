#include "umbranet/domain/newest_turns.h"

#include <iterator>

#include "umbranet/base/token_estimate.h"

namespace umbranet {

std::size_t TokensOf(const Interaction& turn) {
  return EstimateTokens(turn.user_message) + EstimateTokens(turn.assistant_response);
}

std::vector<Interaction> NewestWithin(std::vector<Interaction> oldest_first,
                                      std::size_t token_budget) {
  std::size_t used = 0;
  auto first = oldest_first.end();
  while (first != oldest_first.begin()) {
    used += TokensOf(*std::prev(first));
    if (used > token_budget && first != oldest_first.end()) {
      break;
    }
    --first;
  }
  oldest_first.erase(oldest_first.begin(), first);
  return oldest_first;
}

}  // namespace umbranet
