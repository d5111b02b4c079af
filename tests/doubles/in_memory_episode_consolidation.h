// The twin of consolidated episodes, beside the twin of tier 2. It looks at the originals whenever
// it is asked, so that what lost one is gone. It knows no generations. Any thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/episode_consolidation.h"

#include "tests/doubles/in_memory_episodic_memory.h"

namespace umbranet {

class InMemoryEpisodeConsolidation final : public EpisodeConsolidation {
 public:
  // Both must outlive it.
  InMemoryEpisodeConsolidation(InMemoryEpisodicMemory& episodic, const Clock& clock)
      : episodic_(episodic), clock_(clock) {}

  Result<std::optional<ConsolidationClaim>> Claim(const ConsolidationPolicy& policy,
                                                  Deadline deadline) override;
  Result<ConsolidatedEpisode> Save(const ConsolidationClaim& claim, std::string_view text,
                                   std::string_view model, Deadline deadline) override;
  Status PutOff(const ConsolidationClaim& claim, const ConsolidationRest& rest,
                Deadline deadline) override;
  Result<std::vector<ConsolidatedEpisode>> Find(const ConsolidatedQuery& query,
                                                Deadline deadline) override;
  Result<ConsolidatedPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                                Deadline deadline) override;
  Result<std::optional<ConsolidatedEpisode>> Get(std::string_view tenant,
                                                 std::string_view memory_id,
                                                 Deadline deadline) override;
  Result<std::map<std::string, std::string>> ConsolidatedIn(const UserKey& user,
                                                            std::span<const std::string> memory_ids,
                                                            Deadline deadline) override;
  Result<bool> Undo(std::string_view tenant, std::string_view memory_id,
                    Deadline deadline) override;
  Result<std::uint64_t> UndoAll(const UserKey& user, Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

 private:
  struct Stored {
    ConsolidatedEpisode episode;
    std::vector<std::string> source_texts;  // Parallel to its sources.
  };

  struct Held {
    std::uint64_t token = 0;
    Timestamp until{};
  };

  // Removes what has lost a source.
  void Refresh() REQUIRES(mutex_);
  std::vector<OldEpisode> Old(const UserKey& user, Timestamp before) REQUIRES(mutex_);
  [[nodiscard]] const Stored* StoredIn(const std::string& memory_id) const REQUIRES(mutex_);
  [[nodiscard]] bool Holds(const ConsolidationClaim& claim) const REQUIRES(mutex_);
  void Undo(const Stored& stored) REQUIRES(mutex_);

  InMemoryEpisodicMemory& episodic_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<Stored> stored_ GUARDED_BY(mutex_);
  std::map<UserKey, Held> claims_ GUARDED_BY(mutex_);
  std::map<std::pair<UserKey, std::string>, Timestamp> left_alone_ GUARDED_BY(mutex_);
  std::uint64_t last_token_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
