#pragma once

#include "umbranet/domain/fact.h"

namespace umbranet {

// From this confidence on a fact counts as stated: its message was more likely than not there to
// tell it. Below stands what was touched on beside something else.
inline constexpr double kStatedConfidence = 0.5;

inline bool IsStated(const Fact& fact) {
  return fact.confidence >= kStatedConfidence;
}

}  // namespace umbranet
