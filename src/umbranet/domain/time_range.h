// A resolved span of time, half open: [start, end).
#pragma once

#include <compare>

#include "umbranet/base/clock.h"

namespace umbranet {

struct TimeRange {
  Timestamp start{};
  Timestamp end{};

  auto operator<=>(const TimeRange&) const = default;
};

}  // namespace umbranet
