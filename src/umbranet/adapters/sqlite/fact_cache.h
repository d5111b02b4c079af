// Facts as searches read them lately. What a user's facts are changes with nearly every write to
// his part of the graph, in ways that reach from one fact to others (a successor, a name), so a
// write of any kind raises the revision of his facts, and what was read under another revision is
// of no use any more.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class FactCache {
 public:
  explicit FactCache(std::size_t facts_max) : facts_max_(facts_max) {}

  // Null when it is not here as of that revision.
  [[nodiscard]] std::shared_ptr<const StoredFact> Find(std::int64_t user_key, std::int64_t revision,
                                                       std::int64_t head) const;
  // Unless a later revision has been seen. When the bound is reached, everything else goes.
  void Keep(std::int64_t user_key, std::int64_t revision, std::shared_ptr<const StoredFact> fact);
  void Drop(std::int64_t user_key);

 private:
  struct UserFacts {
    std::int64_t revision = 0;
    std::unordered_map<std::int64_t, std::shared_ptr<const StoredFact>> by_head;
  };

  const std::size_t facts_max_;
  mutable Mutex mutex_;
  std::unordered_map<std::int64_t, UserFacts> users_ GUARDED_BY(mutex_);
  std::size_t facts_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
