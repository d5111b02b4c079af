#include "umbranet/memory/token_budget.h"

#include "umbranet/base/token_estimate.h"

namespace umbranet {

bool TokenBudget::Fits(std::string_view piece) const {
  return EstimateTokens(piece) <= left_;
}

bool TokenBudget::Take(std::string_view piece) {
  if (!Fits(piece)) {
    return false;
  }
  left_ -= EstimateTokens(piece);
  return true;
}

}  // namespace umbranet
