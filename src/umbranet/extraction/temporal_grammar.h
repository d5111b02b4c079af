#pragma once

#include <cstddef>

#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/temporal_points.h"

namespace umbranet::temporal {

// The sentences of the temporal grammar over its points: ranges, ranges open on one side,
// recurrences, lengths of time. ReadExpression takes the longest reading at a token.

// The expression that starts at token `i`, positions in the text included, or nothing.
[[nodiscard]] MaybeReading<TimeExpression> ReadExpression(TokenWindow& w, std::size_t i,
                                                          Direction direction,
                                                          const ReferencePoint& reference);

// "from 3 to 5 May", "between Monday and Friday", "2014-2018".
[[nodiscard]] MaybeReading<TimeExpression> ReadRange(const TokenWindow& w, std::size_t i,
                                                     Direction direction,
                                                     const ReferencePoint& reference);

// "every Tuesday at 4", "weekly", "twice a month", "Friday mornings".
[[nodiscard]] MaybeReading<TimeExpression> ReadRecurrence(const TokenWindow& w, std::size_t i,
                                                          const ReferencePoint& reference);

}  // namespace umbranet::temporal
