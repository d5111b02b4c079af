// What ledger and journal have on record for those who look after them: what operators did, and
// whether every accepted turn has left what it should have left.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

// One act of an operator on a dead letter.
struct OperatorAct {
  Timestamp at{};
  std::string actor;
  std::string action;  // requeue, discard
  std::string job_id;
  std::string user_id;
  std::string reason;  // May be empty.
};

struct ActPage {
  std::vector<OperatorAct> acts;  // Latest first.
  std::string next_cursor;        // Empty at the end.
};

// Accepted turns held against what should be there of each. All but `turns` and `unfinished` are
// zero when nothing was lost.
struct LedgerComparison {
  std::uint64_t turns = 0;           // Looked at.
  std::uint64_t without_job = 0;     // No job, and nothing that says what became of it.
  std::uint64_t without_marker = 0;  // The job is done, but not marked in a tier beside the ledger.
  std::uint64_t unfinished = 0;      // Waiting, leased or retrying still: late, but not lost.
  std::vector<std::string> examples;  // Interaction ids of the first few that lack something.

  [[nodiscard]] std::uint64_t Missing() const { return without_job + without_marker; }
};

class LedgerRecords {
 public:
  virtual ~LedgerRecords() = default;

  // Of this tenant's jobs. A bad cursor is kInvalidArgument.
  virtual Result<ActPage> ListActs(std::string_view tenant, std::string_view cursor,
                                   std::size_t limit, Deadline deadline) = 0;

  // Of turns that were accepted before, and whose jobs retention has not reached yet.
  virtual Result<LedgerComparison> Compare(Timestamp accepted_before, Deadline deadline) = 0;
};

}  // namespace umbranet
