#include "umbranet/adapters/neo4j/knowledge_cache.h"

#include <limits>
#include <utility>

namespace umbranet {
namespace {

// A user of whom nothing is known takes room as well.
std::size_t RowsOf(const KnowledgeSnapshot& snapshot) {
  return snapshot.knowledge->size() + 1;
}

// Of the keys of the user's generations.
std::pair<UserKey, std::int64_t> Least(const UserKey& user) {
  return {user, std::numeric_limits<std::int64_t>::min()};
}

}  // namespace

std::optional<KnowledgeSnapshot> KnowledgeCache::Find(const UserKey& user,
                                                      std::int64_t generation) {
  const MutexLock lock(mutex_);
  const auto found = users_.find({user, generation});
  if (found == users_.end()) {
    return std::nullopt;
  }
  recent_.splice(recent_.end(), recent_, found->second.place);
  return found->second.snapshot;
}

void KnowledgeCache::Keep(KnowledgeSnapshot snapshot) {
  const Key user(snapshot.knowledge->user(), snapshot.generation);
  const MutexLock lock(mutex_);
  if (const auto known = users_.find(user); known != users_.end()) {
    const KnowledgeSnapshot& here = known->second.snapshot;
    if (here.epoch == snapshot.epoch && here.revision > snapshot.revision) {
      return;
    }
    Remove(known);
  }
  rows_ += RowsOf(snapshot);
  const auto place = recent_.insert(recent_.end(), user);
  users_.emplace(user, Entry{std::move(snapshot), place});
  while (rows_ > rows_max_ && users_.size() > 1) {
    Remove(users_.find(recent_.front()));
  }
}

std::optional<KnowledgeSnapshot> KnowledgeCache::FindUnder(const UserKey& user,
                                                           std::int64_t version, SteadyTime since) {
  const MutexLock lock(mutex_);
  for (auto known = users_.lower_bound(Least(user));
       known != users_.end() && known->first.first == user; ++known) {
    const Entry& entry = known->second;
    if (entry.found && entry.found->version == version && entry.found->at >= since) {
      recent_.splice(recent_.end(), recent_, entry.place);
      return entry.snapshot;
    }
  }
  return std::nullopt;
}

void KnowledgeCache::NoteUnder(const KnowledgeSnapshot& snapshot, std::int64_t version,
                               SteadyTime at) {
  const MutexLock lock(mutex_);
  const auto known = users_.find({snapshot.knowledge->user(), snapshot.generation});
  if (known == users_.end()) {
    return;
  }
  Entry& entry = known->second;
  const bool is_same =
      entry.snapshot.epoch == snapshot.epoch && entry.snapshot.revision == snapshot.revision;
  // Several may look at the same time, and the one who read the earlier version come last.
  if (is_same && (!entry.found || entry.found->version <= version)) {
    entry.found = {version, at};
  }
}

void KnowledgeCache::Drop(const UserKey& user, std::int64_t generation) {
  const MutexLock lock(mutex_);
  if (const auto known = users_.find({user, generation}); known != users_.end()) {
    Remove(known);
  }
}

void KnowledgeCache::DropUser(const UserKey& user) {
  const MutexLock lock(mutex_);
  for (auto known = users_.lower_bound(Least(user));
       known != users_.end() && known->first.first == user;
       known = users_.lower_bound(Least(user))) {
    Remove(known);
  }
}

void KnowledgeCache::DropAll() {
  const MutexLock lock(mutex_);
  users_.clear();
  recent_.clear();
  rows_ = 0;
}

void KnowledgeCache::Remove(std::map<Key, Entry>::iterator entry) {
  rows_ -= RowsOf(entry->second.snapshot);
  recent_.erase(entry->second.place);
  users_.erase(entry);
}

}  // namespace umbranet
