#include "umbranet/app/exit_code.h"

#include <cstdio>

namespace umbranet {

ExitCode ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kStorageFull:
    case ErrorCode::kBadGateway:
      return kExitUnavailable;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
      return kExitRefused;
    default:
      return kExitFailed;
  }
}

ExitCode Complain(const Error& error) {
  std::fprintf(stderr, "umbranet: %s\n", error.message.c_str());
  return ExitCodeOf(error);
}

}  // namespace umbranet
