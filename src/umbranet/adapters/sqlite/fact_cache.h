// The facts of those users who were asked about lately, whole, each as of one revision of his
// facts.
//
// Every write to a user's part of the graph raises the revision of his facts by one and says here,
// before it commits, which facts it touches. So what is kept can be brought up to a reader's
// revision by reading those anew. A reader whose snapshot is of another revision than what is known
// here searches the file instead.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "umbranet/adapters/sqlite/user_facts.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class FactCache {
 public:
  explicit FactCache(std::size_t facts_max) : facts_max_(facts_max) {}

  // What a reader of a revision has to do to search in memory.
  struct Known {
    std::shared_ptr<const UserFacts> facts;  // Null: read all of them and call Keep.
    std::vector<std::int64_t>
        stale;           // Those to be read anew and put in place by Keep; may be none.
    bool first = false;  // The user was not known here before.
  };

  // Nothing: search the file, the reader's snapshot is of another revision than what is here. Only
  // for readers of the present.
  std::optional<Known> Find(std::int64_t user_key, std::int64_t revision);

  // The facts as read at `revision`, after Find of that revision said so. Passed over when a write
  // has touched some since. When the bound is reached, everything else goes.
  void Keep(std::int64_t user_key, std::int64_t revision, std::shared_ptr<const UserFacts> facts);

  // The write that makes `revision` changes these facts, and no others. Only from the one writer,
  // before it commits. Harmless when it does not.
  void Touch(std::int64_t user_key, std::int64_t revision, const std::set<std::int64_t>& heads);

  // The same, of all of the user's facts.
  void Drop(std::int64_t user_key);

 private:
  struct User {
    std::shared_ptr<const UserFacts> facts;  // Null until they are read.
    std::int64_t revision = 0;               // That they would be of with the stale ones read anew.
    std::set<std::int64_t> stale;
  };

  const std::size_t facts_max_;
  Mutex mutex_;
  std::unordered_map<std::int64_t, User> users_ GUARDED_BY(mutex_);
  std::size_t facts_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
