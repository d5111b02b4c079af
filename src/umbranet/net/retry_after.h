// When a server wants to be asked again. Pure; may be called from any thread.
#pragma once

#include <optional>
#include <string_view>

#include "umbranet/base/clock.h"

namespace umbranet {

// A date as HTTP writes it, in each of the three forms that RFC 9110 section 5.6.7 makes a
// recipient accept: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" (the year
// nearest to `now`) and "Sun Nov  6 08:49:37 1994". Nothing when it is none of them.
std::optional<Timestamp> ParseHttpDate(std::string_view text, Timestamp now);

// The value of a Retry-After header (RFC 9110 section 10.2.3), whole or fractional seconds or a
// date, as a wait from `now`. Nothing when it is neither; a date in the past is no wait, and no
// wait is longer than a day.
std::optional<Millis> ParseRetryAfter(std::string_view text, Timestamp now);

}  // namespace umbranet
