#include "umbranet/memory/spool_book.h"

#include <algorithm>

namespace umbranet {

void SpoolBook::Add(const UserKey& user, std::uint64_t turns) {
  if (turns == 0) {
    return;
  }
  const MutexLock lock(mutex_);
  users_[user] += turns;
  waiting_ += turns;
}

void SpoolBook::Remove(const UserKey& user, std::uint64_t turns) {
  const MutexLock lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) {
    return;
  }
  const std::uint64_t gone = std::min(turns, found->second);
  found->second -= gone;
  waiting_ -= gone;
  if (found->second == 0) {
    users_.erase(found);
  }
}

bool SpoolBook::Holds(const UserKey& user) const {
  if (waiting_.load() == 0) {
    return false;
  }
  const MutexLock lock(mutex_);
  return users_.contains(user);
}

}  // namespace umbranet
