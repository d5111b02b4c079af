// What the threads do that look after something every so often.
#pragma once

#include <functional>
#include <stop_token>

#include "umbranet/base/clock.h"

namespace umbranet {

// Calls `call` on the caller's thread, `every` after it was called and after each return, by the
// machine's own clock, until `stop` is requested, which ends a wait at once.
void RepeatUntilStopped(const std::stop_token& stop, Millis every,
                        const std::function<void()>& call);

}  // namespace umbranet
