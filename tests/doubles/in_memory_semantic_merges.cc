#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/domain/entity_name.h"

#include "tests/doubles/in_memory_semantic_memory.h"

// The twin's merge log.

namespace umbranet {

bool InMemorySemanticMemory::Note(MergeLogs& merges, const ReflectionPlan& plan,
                                  const std::string& name, const std::string& other,
                                  Timestamp now) {
  const auto [at, fresh] = merges.try_emplace({name, other});
  MergeLog& log = at->second;
  if (log.parted_through && plan.sequence <= *log.parted_through) {
    return false;
  }
  const bool holds = !fresh && log.Holds();
  if (!holds ||
      std::pair(plan.occurred_at, plan.sequence) < std::pair(log.occurred_at, log.sequence)) {
    log.interaction_id = plan.interaction_id;
    log.occurred_at = plan.occurred_at;
    log.sequence = plan.sequence;
    log.recorded_at = holds ? log.recorded_at : now;
  }
  log.last_sequence = holds ? std::max(log.last_sequence, plan.sequence) : plan.sequence;
  return true;
}

Result<std::vector<EntityMerge>> InMemorySemanticMemory::Merges(const UserKey& user,
                                                                std::size_t limit,
                                                                Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const Mind& mind = minds_[user];
  const auto display = [&](const std::string& name) {
    const auto found = mind.mentions.find(name);
    if (found == mind.mentions.end()) {
      return name;
    }
    return std::min_element(found->second.begin(), found->second.end(),
                            [](const auto& a, const auto& b) { return a.Rank() < b.Rank(); })
        ->display;
  };
  std::vector<std::pair<std::int64_t, EntityMerge>> ordered;
  for (const auto& [names, log] : merges_[user]) {
    EntityMerge merge{display(names.first), display(names.second), log.interaction_id,
                      log.occurred_at,      log.recorded_at,       std::nullopt};
    if (!log.Holds()) {
      merge.parted_at = log.parted_at;
    }
    ordered.emplace_back(log.sequence, std::move(merge));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.occurred_at, a.first) > std::pair(b.second.occurred_at, b.first);
  });
  std::vector<EntityMerge> merges;
  for (auto& [sequence, merge] : ordered) {
    if (merges.size() < limit) {
      merges.push_back(std::move(merge));
    }
  }
  return merges;
}

Result<std::size_t> InMemorySemanticMemory::Unmerge(const UserKey& user, std::string_view name,
                                                    std::string_view from, Deadline /*deadline*/) {
  const std::string parting = NormalizeName(name);
  const std::string other = NormalizeName(from);
  if (parting.empty() || (other.empty() && !from.empty())) {
    return InvalidArgument("memory: no name");
  }
  const MutexLock lock(mutex_);
  Mind& mind = minds_[user];
  std::size_t undone = 0;
  for (auto& [names, log] : merges_[user]) {
    const auto& [first, second] = names;
    const bool meant = first == parting || second == parting;
    if (!meant || !log.Holds() || (!other.empty() && first != other && second != other)) {
      continue;
    }
    ++undone;
    log.parted_at = clock_.Now();
    log.parted_through = log.last_sequence;
    std::vector<std::pair<std::string, std::string>> kept;
    for (const auto& pair : mind.same) {
      const bool as_said = pair.first == first && pair.second == second;
      const bool turned = pair.first == second && pair.second == first;
      if (!as_said && !turned) {
        kept.push_back(pair);
      }
    }
    mind.same = std::move(kept);
    const auto claims = mind.claims.find(first);
    if (claims != mind.claims.end()) {
      claims->second.erase(second);
      if (claims->second.empty()) {
        mind.claims.erase(claims);
      }
    }
  }
  return undone;
}

}  // namespace umbranet
