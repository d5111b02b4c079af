// The twin of tier 4. It keeps what plans said and folds it anew for every question. It knows no
// leases, so it takes every fence.
//
// All methods may be called from any thread. The clock must outlive the memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/rule_history.h"
#include "umbranet/ports/procedural_memory.h"

namespace umbranet {

class InMemoryProceduralMemory final : public ProceduralMemory {
 public:
  explicit InMemoryProceduralMemory(const Clock& clock) : clock_(clock) {}

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;
  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override;
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override;
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override;
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::vector<Rule>> Active(const UserKey& user, std::optional<Timestamp> as_of,
                                   std::size_t limit, Deadline deadline) override;

 private:
  struct Said {
    std::string statement_id;
    StatementPlace place;
    Timestamp recorded_at{};
    PlannedRule rule;
    std::optional<std::string> edited_text;
    std::optional<Timestamp> edited_withdrawn_at;
  };

  struct Derived {
    std::map<MemoryPlace, Rule> rules;
    std::map<std::string, std::string> rule_of;  // Statement id -> memory id.
  };

  static Derived Derive(const UserKey& user, const std::vector<Said>& said,
                        std::optional<Timestamp> as_of);
  std::optional<std::pair<UserKey, Rule>> Locate(std::string_view tenant,
                                                 std::string_view memory_id) REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<UserKey, std::vector<Said>> said_ GUARDED_BY(mutex_);
  std::set<std::pair<UserKey, std::string>> applied_ GUARDED_BY(mutex_);  // Job ids.
  std::set<std::string> erased_ GUARDED_BY(mutex_);                       // Statement ids.
};

}  // namespace umbranet
