#include "umbranet/adapters/sqlite/fact_cache.h"

#include <algorithm>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"

namespace umbranet {

std::shared_ptr<const StoredFact> FactCache::Find(std::int64_t user_key, std::int64_t revision,
                                                  std::int64_t head) const {
  const MutexLock lock(mutex_);
  const auto user = users_.find(user_key);
  if (user == users_.end()) {
    return nullptr;
  }
  const auto found = user->second.by_head.find(head);
  if (found == user->second.by_head.end() || found->second.fact == nullptr) {
    return nullptr;
  }
  const Entry& entry = found->second;
  const std::int64_t earlier = std::min(entry.read_at, revision);
  const bool untouched = entry.touched_at <= earlier && user->second.complete_since <= earlier;
  return entry.read_at == revision || untouched ? entry.fact : nullptr;
}

void FactCache::Keep(std::int64_t user_key, std::int64_t revision,
                     std::shared_ptr<const StoredFact> fact) {
  const MutexLock lock(mutex_);
  if (entries_ >= facts_max_) {
    users_.clear();
    entries_ = 0;
  }
  UserFacts& user = users_[user_key];
  if (revision < user.touched_at) {
    return;
  }
  const auto [place, fresh] = user.by_head.try_emplace(fact->head);
  entries_ += fresh ? 1U : 0U;
  Entry& entry = place->second;
  if (entry.fact == nullptr || revision > entry.read_at) {
    entry.fact = std::move(fact);
    entry.read_at = revision;
  }
}

void FactCache::Touch(std::int64_t user_key, std::int64_t revision,
                      const std::set<std::int64_t>& heads) {
  const MutexLock lock(mutex_);
  const auto user = users_.find(user_key);
  if (user == users_.end()) {
    return;
  }
  user->second.complete_since = std::min(user->second.complete_since, revision - 1);
  user->second.touched_at = revision;
  for (const std::int64_t head : heads) {
    const auto found = user->second.by_head.find(head);
    if (found != user->second.by_head.end()) {
      found->second.fact = nullptr;
      found->second.touched_at = revision;
    }
  }
}

void FactCache::TouchAll(std::int64_t user_key, std::int64_t revision) {
  const MutexLock lock(mutex_);
  const auto user = users_.find(user_key);
  if (user == users_.end()) {
    return;
  }
  entries_ -= user->second.by_head.size();
  user->second.by_head.clear();
  user->second.complete_since = revision;
  user->second.touched_at = revision;
}

}  // namespace umbranet
