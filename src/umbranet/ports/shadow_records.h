// What a path that is only tried would have made of turns, beside the plans that were carried out.
// Nothing here is ever read back into memory.
//
// Bounded: of all runs the newest kShadowRunsMax stay, and of a run a plan up to kShadowPlanBytes.
// Runs of a user who is forgotten go with the user's journal (Journal::EraseUser).
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/shadow_run.h"

namespace umbranet {

inline constexpr std::size_t kShadowRunsMax = 20'000;
inline constexpr std::size_t kShadowPlanBytes = std::size_t{16} << 10U;

class ShadowRecords {
 public:
  virtual ~ShadowRecords() = default;

  // In place of an earlier run of the same job. Passed over when the ledger has no such job of the
  // user: he was forgotten meanwhile.
  virtual Status Save(const ShadowRun& run, Deadline deadline) = 0;

  // Of the runs of this candidate.
  virtual Result<ShadowSummary> Summarize(const std::string& candidate, Deadline deadline) = 0;

  // Everything, to begin anew. How many runs.
  virtual Result<std::uint64_t> Clear(Deadline deadline) = 0;
};

}  // namespace umbranet
