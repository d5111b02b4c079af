// Facts as searches read them lately, for readers that each see the file as of one revision of a
// user's facts.
//
// Every write to a user's part of the graph raises the revision of his facts by one and says here,
// before it commits, which facts it touches. A fact that was read at one revision is the same at
// another if nothing touched it in between; that is known as far back as touches have been seen
// without a gap.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <unordered_map>

#include "umbranet/base/mutex.h"

namespace umbranet {

struct StoredFact;

class FactCache {
 public:
  explicit FactCache(std::size_t facts_max) : facts_max_(facts_max) {}

  // Null when it is not known to be as it was at that revision.
  [[nodiscard]] std::shared_ptr<const StoredFact> Find(std::int64_t user_key, std::int64_t revision,
                                                       std::int64_t head) const;
  // Read at `revision`; passed over when something has been touched since, which may have been this
  // fact. When the bound is reached, everything goes.
  void Keep(std::int64_t user_key, std::int64_t revision, std::shared_ptr<const StoredFact> fact);
  // The write that makes `revision` changes these facts, and no others. Only from the one writer,
  // before it commits. Harmless when it does not.
  void Touch(std::int64_t user_key, std::int64_t revision, const std::set<std::int64_t>& heads);
  // The same, of all of the user's facts.
  void TouchAll(std::int64_t user_key, std::int64_t revision);

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  struct Entry {
    std::shared_ptr<const StoredFact> fact;  // Null when it was touched and not read since.
    std::int64_t read_at = 0;
    std::int64_t touched_at = 0;
  };

  struct UserFacts {
    // Every touch by a write that made a later revision has been seen.
    std::int64_t complete_since = kNever;
    std::int64_t touched_at = 0;  // The latest of them.
    std::unordered_map<std::int64_t, Entry> by_head;
  };

  const std::size_t facts_max_;
  mutable Mutex mutex_;
  std::unordered_map<std::int64_t, UserFacts> users_ GUARDED_BY(mutex_);
  std::size_t entries_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
