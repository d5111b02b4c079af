// What the exit code of a command means, for scripts.
#pragma once

#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // It was tried and did not work.
  kExitUsage = 2,        // The command line or a setting is wrong; nothing was done.
  kExitUnavailable = 3,  // The server, the folder or the model is away or held by somebody else.
  kExitNotFound = 4,     // There is no such user, memory or job.
  kExitRefused = 5,      // A key is missing or is not allowed to.
};

// The codes as `--help` prints them.
inline constexpr std::string_view kExitCodeHelp =
    "Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 server, folder or model away, "
    "4 not found, 5 not allowed.";

ExitCode ExitCodeOf(const Error& error);

// Writes "umbranet: <message>" to standard error and returns the code for it.
ExitCode Complain(const Error& error);

}  // namespace umbranet
