// The times that a text speaks of, as spans that it can be asked for by. Pure; may be called from
// any thread.
#pragma once

#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/time_range.h"
#include "umbranet/extraction/temporal_expressions.h"

namespace umbranet {

// Each span once, the first eight. Open ends close when the text was said ("since 2016") or make no
// span ("until Friday"); lengths and recurrences have no place in time.
[[nodiscard]] std::vector<TimeRange> EventTimes(const std::vector<TimeExpression>& expressions,
                                                Timestamp said_at);
[[nodiscard]] std::vector<TimeRange> EventTimes(std::string_view text, Timestamp said_at);

}  // namespace umbranet
