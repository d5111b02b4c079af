#include "umbranet/adapters/sqlite/fact_cache.h"

#include <utility>

namespace umbranet {

std::optional<FactCache::Known> FactCache::Find(std::int64_t user_key, std::int64_t revision) {
  const MutexLock lock(mutex_);
  const auto [place, fresh] = users_.try_emplace(user_key);
  User& user = place->second;
  if (fresh) {
    user.revision = revision;
  }
  if (revision == user.revision) {
    return Known{user.facts, {user.stale.begin(), user.stale.end()}, fresh};
  }
  if (revision > user.revision) {  // Somebody wrote without a touch being seen.
    facts_ -= user.facts == nullptr ? 0 : user.facts->size();
    user = {.facts = nullptr, .revision = revision, .stale = {}};
  }
  return std::nullopt;
}

void FactCache::Keep(std::int64_t user_key, std::int64_t revision,
                     std::shared_ptr<const UserFacts> facts) {
  const MutexLock lock(mutex_);
  const auto known = users_.find(user_key);
  if (known == users_.end() || known->second.revision != revision) {
    return;
  }
  if (facts->size() > facts_max_) {
    return;
  }
  User& user = known->second;
  facts_ -= user.facts == nullptr ? 0 : user.facts->size();
  user.facts = nullptr;
  if (facts_ + facts->size() > facts_max_) {
    users_.clear();
    facts_ = 0;
  }
  facts_ += facts->size();
  users_[user_key] = {.facts = std::move(facts), .revision = revision, .stale = {}};
}

void FactCache::Touch(std::int64_t user_key, std::int64_t revision,
                      const std::set<std::int64_t>& heads) {
  const MutexLock lock(mutex_);
  const auto known = users_.find(user_key);
  if (known == users_.end()) {
    return;
  }
  User& user = known->second;
  if (revision != user.revision + 1 && revision != user.revision) {
    facts_ -= user.facts == nullptr ? 0 : user.facts->size();
    user.facts = nullptr;
  }
  user.revision = revision;
  if (user.facts != nullptr) {
    user.stale.insert(heads.begin(), heads.end());
  }
}

void FactCache::Drop(std::int64_t user_key) {
  const MutexLock lock(mutex_);
  const auto known = users_.find(user_key);
  if (known != users_.end()) {
    facts_ -= known->second.facts == nullptr ? 0 : known->second.facts->size();
    users_.erase(known);
  }
}

}  // namespace umbranet
