#include "umbranet/adapters/sqlite/fact_cache.h"

#include <utility>

namespace umbranet {

std::shared_ptr<const StoredFact> FactCache::Find(std::int64_t user_key, std::int64_t revision,
                                                  std::int64_t head) const {
  const MutexLock lock(mutex_);
  const auto user = users_.find(user_key);
  if (user == users_.end() || user->second.revision != revision) {
    return nullptr;
  }
  const auto fact = user->second.by_head.find(head);
  return fact == user->second.by_head.end() ? nullptr : fact->second;
}

void FactCache::Keep(std::int64_t user_key, std::int64_t revision,
                     std::shared_ptr<const StoredFact> fact) {
  const MutexLock lock(mutex_);
  if (facts_ >= facts_max_) {
    users_.clear();
    facts_ = 0;
  }
  UserFacts& user = users_[user_key];
  if (user.revision > revision) {
    return;
  }
  if (user.revision < revision) {
    facts_ -= user.by_head.size();
    user.by_head.clear();
    user.revision = revision;
  }
  const std::int64_t head = fact->head;
  facts_ += user.by_head.emplace(head, std::move(fact)).second ? 1U : 0U;
}

void FactCache::Drop(std::int64_t user_key) {
  const MutexLock lock(mutex_);
  const auto user = users_.find(user_key);
  if (user != users_.end()) {
    facts_ -= user->second.by_head.size();
    users_.erase(user);
  }
}

}  // namespace umbranet
