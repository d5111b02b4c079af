// What is known of the users that were asked about lately, each as of a revision of his graph. The
// graph on the server has the say: whoever takes something from here compares the revision first.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/user_knowledge.h"

namespace umbranet {

struct KnowledgeSnapshot {
  std::string epoch;  // Another one when the user's graph began anew. Empty: there is none.
  std::int64_t revision = 0;
  std::shared_ptr<const UserKnowledge> knowledge;
  // Turns up to this place of the journal are forgotten, and none of them is taken in any more.
  std::int64_t forgotten_through = 0;
  std::int64_t generation = 0;  // Of the user's memory.
};

class KnowledgeCache {
 public:
  // At most `rows_max` rows in all, one more for each user; a single user with more is kept alone.
  explicit KnowledgeCache(std::size_t rows_max) : rows_max_(rows_max) {}

  [[nodiscard]] std::optional<KnowledgeSnapshot> Find(const UserKey& user,
                                                      std::int64_t generation = 0);
  // Unless a later revision of the same epoch is here.
  void Keep(KnowledgeSnapshot snapshot);

  // What was found to be in force under this version of the user's memory
  // (Freshness::memory_version) by somebody who began to look at `since` or later.
  [[nodiscard]] std::optional<KnowledgeSnapshot> FindUnder(const UserKey& user,
                                                           std::int64_t version, SteadyTime since);
  // Whoever had read the version before he began to look, at `at`, found this; unless something
  // else is kept by now.
  void NoteUnder(const KnowledgeSnapshot& snapshot, std::int64_t version, SteadyTime at);
  void Drop(const UserKey& user, std::int64_t generation = 0);
  // All generations of his.
  void DropUser(const UserKey& user);
  void DropAll();

 private:
  using Key = std::pair<UserKey, std::int64_t>;  // A generation of a user.

  struct Found {
    std::int64_t version = 0;
    SteadyTime at{};
  };

  struct Entry {
    KnowledgeSnapshot snapshot;
    std::list<Key>::iterator place;
    std::optional<Found> found = std::nullopt;
  };

  void Remove(std::map<Key, Entry>::iterator entry) REQUIRES(mutex_);

  const std::size_t rows_max_;
  Mutex mutex_;
  std::map<Key, Entry> users_ GUARDED_BY(mutex_);
  std::list<Key> recent_ GUARDED_BY(mutex_);  // The latest last.
  std::size_t rows_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
