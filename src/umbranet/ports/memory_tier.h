// What the three reflected tiers have in common.
//
// Apply carries plans out. All plans of one call belong to one user and are applied in one
// transaction together with their markers applied(job, tier), all or none. A plan whose marker is
// there already is passed over, so applying again is harmless; and the result does not depend on
// the order in which turns are applied, since everything carries the turn's time. `fence` is the
// lease under which the caller works: a tier that shares a database with the ledger returns
// kAborted, and changes nothing, when a job of the call is not leased under it any more (its worker
// was declared dead, or its user was forgotten meanwhile).
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

class MemoryTier {
 public:
  virtual ~MemoryTier() = default;

  virtual Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                       Deadline deadline) = 0;

  // Memories of the user, oldest first. A bad cursor is kInvalidArgument.
  virtual Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                                  Deadline deadline) = 0;
  // Nothing when the tenant has no such memory.
  virtual Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                                Deadline deadline) = 0;
  // The memory as changed; nothing when the tenant has no such memory. A field that this tier
  // cannot change is kInvalidArgument.
  virtual Result<std::optional<MemoryItem>> Update(std::string_view tenant,
                                                   std::string_view memory_id,
                                                   const MemoryPatch& patch, Deadline deadline) = 0;
  // True when it was there. It does not come back when its turn is applied again.
  virtual Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                             Deadline deadline) = 0;
  // Everything of the user, markers too. How many memories there were.
  virtual Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) = 0;
};

// Lexical statistics of what a query ran over, so that ranking can weigh terms without knowing the
// store.
struct CorpusStatistics {
  std::uint64_t documents = 0;                    // The user's, of this tier.
  double length_mean = 0;                         // Terms a document.
  std::vector<std::uint64_t> document_frequency;  // Parallel to the query's terms.
};

}  // namespace umbranet
