// The twin of tier 2: episodes in a map, searched by looking at every one of them. It knows no
// leases, so it takes every fence. All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

class InMemoryEpisodicMemory final : public EpisodicMemory {
 public:
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
  Result<EpisodesFound> Find(const EpisodeQuery& asked, Deadline deadline) override;
  Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) override;
  Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                     Deadline deadline) override;
  Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) override;

  // Of all users, each user's in their order.
  std::vector<Episode> Episodes();

 private:
  using Key = std::pair<UserKey, MemoryPlace>;

  struct Match {
    Key key;
    EpisodeCandidate candidate;
    double score = 0;
  };

  struct Vector {
    std::string space;
    Embedding embedding;
  };

  std::map<Key, Episode>::iterator Locate(std::string_view tenant, std::string_view memory_id)
      REQUIRES(mutex_);
  static std::size_t KeepBest(std::vector<Match>& all, const EpisodeQuery& query, Role role,
                              std::size_t share);
  void Compare(std::vector<Match>& all, const EpisodeQuery& query) REQUIRES(mutex_);
  static std::set<std::int64_t> WantedTurns(const std::vector<Match>& all);
  std::vector<Match> CountTerms(const EpisodeQuery& query, EpisodesFound& found) REQUIRES(mutex_);

  Mutex mutex_;
  std::map<Key, Episode> episodes_ GUARDED_BY(mutex_);
  std::set<std::pair<UserKey, std::string>> applied_ GUARDED_BY(mutex_);   // Job ids.
  std::set<std::string> erased_ GUARDED_BY(mutex_);                        // Memory ids.
  std::map<std::string, Vector, std::less<>> vectors_ GUARDED_BY(mutex_);  // By memory id.
};

}  // namespace umbranet
