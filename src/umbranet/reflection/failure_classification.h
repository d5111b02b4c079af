// What an error of a store or an extractor means for the job that met it. Pure; any thread.
#pragma once

#include <cstddef>

#include "umbranet/base/result.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

// Systemic: somebody who serves every job is away or asks for patience, and an outage must not kill
// the backlog. Permanent: the input itself is at fault. Everything else is transient and counts.
// kAborted and kCancelled are no failures of the job; their callers look at them first.
[[nodiscard]] FailureKind ClassifyFailure(ErrorCode code);

// The same for a call that carried `inputs` turns or plans at once. One of several may be the only
// bad one, so none of them is condemned for good before it has failed alone.
[[nodiscard]] FailureKind ClassifyFailure(ErrorCode code, std::size_t inputs);

}  // namespace umbranet
