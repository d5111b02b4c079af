// Places at which a process can be made to die, stop, dawdle or fail, so that tests can show that
// nothing is lost whichever it is. Unset, a place costs one relaxed load.
//
// UMBRANET_CRASH=POINT:N:ACTION in the environment arms one place for its Nth passing, once:
//   kill      SIGKILL to this process: no destructor runs, as with a power cut of the program
//   stop      SIGSTOP to this process, until somebody continues it
//   delay=MS  the thread waits
//   error     the place fails as if what it stands before were unavailable; where a place cannot
//             fail, it is passed
//
// Any thread.
#pragma once

#include <atomic>
#include <span>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

// Every place there is, in the order in which a turn comes by.
std::span<const std::string_view> CrashPointNames();

// kInvalidArgument says what UMBRANET_CRASH should look like. An empty text disarms.
Status ArmCrashPoint(std::string_view text);

namespace crash_point {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): the places are everywhere.
extern std::atomic<bool> armed;

// What the place is to fail with.
Status Reach(std::string_view name);

inline Status Pass(std::string_view name) {
  return armed.load(std::memory_order_relaxed) ? Reach(name) : Status();
}

}  // namespace crash_point

}  // namespace umbranet

// In a function that returns a Status or a Result.
#define UMBRANET_CRASH_POINT(name) UMBRANET_RETURN_IF_ERROR(::umbranet::crash_point::Pass(name))
// Where nothing can fail.
#define UMBRANET_CRASH_POINT_PASSED(name)           \
  do {                                              \
    (void)::umbranet::crash_point::Pass(name).ok(); \
  } while (false)
