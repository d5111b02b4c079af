// The twin of tier 3. It keeps what plans said as they said it, and works the graph out anew for
// every question. It knows no leases, so it takes every fence.
//
// All methods may be called from any thread. The clock must outlive the memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/fact_history.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

class InMemorySemanticMemory final : public SemanticMemory {
 public:
  explicit InMemorySemanticMemory(const Clock& clock) : clock_(clock) {}

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
  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                   Deadline deadline) override;
  Result<FactsFound> Find(const FactQuery& query, Deadline deadline) override;
  Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                            Deadline deadline) override;
  Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                   Deadline deadline) override;
  Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                          Deadline deadline) override;
  Result<std::size_t> Unmerge(const UserKey& user, std::string_view name, std::string_view from,
                              Deadline deadline) override;

 private:
  // What turns said of two names, and through which place in the journal it was undone.
  struct MergeLog {
    std::string interaction_id;
    Timestamp occurred_at{};
    std::int64_t sequence = 0;
    Timestamp recorded_at{};
    std::int64_t last_sequence = 0;
    std::optional<Timestamp> parted_at;
    std::optional<std::int64_t> parted_through;

    [[nodiscard]] bool Holds() const { return !parted_through || last_sequence > *parted_through; }
  };

  using MergeLogs = std::map<std::pair<std::string, std::string>, MergeLog>;

  struct Said {
    std::string statement_id;
    StatementPlace place;
    Timestamp recorded_at{};
    PlannedFact fact;
    std::optional<std::string> edited_text;
    std::optional<Timestamp> edited_valid_to;
  };

  // A name as it was used once.
  struct Mention {
    bool as_alias = false;
    Timestamp at{};
    std::int64_t sequence = 0;
    std::uint32_t ordinal = 0;
    std::string display;
    EntityType type = EntityType::kOther;

    [[nodiscard]] auto Rank() const { return std::tie(as_alias, at, sequence, ordinal, display); }
  };

  // Everything said by one user.
  struct Mind {
    std::vector<Said> said;
    std::map<std::string, std::vector<Mention>> mentions;   // By normalised name.
    std::vector<std::pair<std::string, std::string>> same;  // Two names of one entity.
    // Relation name -> the name that it was said to stand for -> when first.
    std::map<std::string, std::map<std::string, std::pair<Timestamp, std::int64_t>>> claims;
  };

  // The graph worked out of a mind.
  struct Derived {
    std::map<std::string, Entity> entities;                                // By root name.
    std::map<std::string, std::tuple<Timestamp, std::int64_t>> mentioned;  // The same.
    std::map<MemoryPlace, Fact> facts;
    std::map<std::string, std::string> fact_of;  // Statement id -> memory id.
  };

  static void Mentioned(Mind& mind, MergeLogs& merges, const ReflectionPlan& plan, Timestamp now);
  // False when the names are parted and this turn came before that.
  static bool Note(MergeLogs& merges, const ReflectionPlan& plan, const std::string& name,
                   const std::string& other, Timestamp now);
  static std::map<std::string, std::string> FindRoots(const Mind& mind);
  static std::string Resolve(const Mind& mind, const std::map<std::string, std::string>& roots,
                             const std::string& name, const StatementPlace& place);
  static void DeriveEntities(const UserKey& user, const Mind& mind,
                             const std::map<std::string, std::string>& roots, Derived& derived);
  static void DeriveSlot(const UserKey& user, const std::vector<const Said*>& slot,
                         const std::vector<std::pair<std::string, std::string>>& ends,
                         Derived& derived);
  static Derived Derive(const UserKey& user, const Mind& mind, std::optional<Timestamp> as_of);
  static std::vector<FactCandidate> CountTerms(const std::vector<std::string>& terms,
                                               const Derived& derived,
                                               CorpusStatistics& statistics);

  // The user and the fact (as derived) that a memory id of the tenant means.
  std::optional<std::pair<UserKey, Fact>> Locate(std::string_view tenant,
                                                 std::string_view memory_id) REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<UserKey, Mind> minds_ GUARDED_BY(mutex_);
  std::map<UserKey, MergeLogs> merges_ GUARDED_BY(mutex_);                // By normalised names.
  std::set<std::pair<UserKey, std::string>> applied_ GUARDED_BY(mutex_);  // Job ids.
  std::set<std::string> erased_ GUARDED_BY(mutex_);                       // Statement ids.
  std::map<UserKey, std::int64_t> forgotten_through_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
