#include "umbranet/reflection/failure_classification.h"

namespace umbranet {

FailureKind ClassifyFailure(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return FailureKind::kPermanent;
    // Away, full, or refusing everybody until an operator acts.
    case ErrorCode::kUnavailable:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kStorageFull:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kFailedPrecondition:
      return FailureKind::kSystemic;
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
    case ErrorCode::kDataLoss:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kBadGateway:
    case ErrorCode::kAborted:
      return FailureKind::kTransient;
  }
  return FailureKind::kTransient;
}

FailureKind ClassifyFailure(ErrorCode code, std::size_t inputs) {
  const FailureKind kind = ClassifyFailure(code);
  return kind == FailureKind::kPermanent && inputs > 1 ? FailureKind::kTransient : kind;
}

}  // namespace umbranet
