// Dates as people say them, in UTC. Pure; any thread.
#pragma once

#include <string>

#include "umbranet/base/clock.h"

namespace umbranet {

[[nodiscard]] std::string SpokenDate(Timestamp time);                     // "3 May 2024"
[[nodiscard]] std::string SpokenDate(Timestamp time, Timestamp seen_at);  // "3 May" in that year
[[nodiscard]] std::string SpokenWeekday(Timestamp time);                  // "Friday"

}  // namespace umbranet
