#include "umbranet/extraction/event_times.h"

#include <algorithm>
#include <cstddef>

namespace umbranet {
namespace {

constexpr std::size_t kEventTimesMax = 8;

}  // namespace

std::vector<TimeRange> EventTimes(const std::vector<TimeExpression>& expressions,
                                  Timestamp said_at) {
  std::vector<TimeRange> times;
  for (const TimeExpression& expression : expressions) {
    if (expression.kind == TimeExpressionKind::kDuration ||
        expression.kind == TimeExpressionKind::kSet || expression.range.start == kOpenStart) {
      continue;
    }
    TimeRange range = expression.range;
    if (range.end == kOpenEnd) {
      range.end = std::max(range.start, said_at);
    }
    if (std::find(times.begin(), times.end(), range) == times.end()) {
      times.push_back(range);
    }
    if (times.size() >= kEventTimesMax) {
      break;
    }
  }
  return times;
}

std::vector<TimeRange> EventTimes(std::string_view text, Timestamp said_at) {
  return EventTimes(FindTimeExpressions(text, said_at), said_at);
}

}  // namespace umbranet
