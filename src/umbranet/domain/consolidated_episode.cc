#include "umbranet/domain/consolidated_episode.h"

#include <algorithm>
#include <utility>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

// Those from the oldest on that `wanted` names, within the bounds of a group.
template <typename Wanted>
std::vector<std::size_t> Take(std::span<const OldEpisode> episodes, const ConsolidationGroup& group,
                              const Wanted& wanted) {
  std::vector<std::size_t> taken;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < episodes.size() && taken.size() < group.episodes_max; ++i) {
    if (!wanted(episodes[i], taken.size())) {
      continue;
    }
    bytes += episodes[i].text.size();
    if (bytes > group.bytes_max && taken.size() >= std::max<std::size_t>(group.episodes_min, 1)) {
      break;
    }
    taken.push_back(i);
  }
  return taken;
}

}  // namespace

ConsolidatedEpisode DraftConsolidation(const UserKey& user, std::span<const OldEpisode> sources) {
  ConsolidatedEpisode draft;
  draft.user = user;
  draft.session_id = sources.front().session_id;
  draft.from = sources.front().occurred_at;
  draft.until = draft.from;
  std::string ids;
  for (const OldEpisode& source : sources) {
    draft.sources.push_back({source.memory_id, {source.interaction_id, source.role}});
    draft.from = std::min(draft.from, source.occurred_at);
    draft.until = std::max(draft.until, source.occurred_at);
    if (source.session_id != sources.front().session_id) {
      draft.session_id.clear();
    }
    ids += source.memory_id + '\n';
  }
  draft.memory_id = std::string(kConsolidatedPrefix) +
                    NameUuidV5({"consolidated episode", user.tenant, user.user_id, ids});
  return draft;
}

MemoryItem ItemOfConsolidated(const ConsolidatedEpisode& episode) {
  MemoryItem item;
  item.memory_id = episode.memory_id;
  item.user = episode.user;
  item.tier = Tier::kEpisodic;
  item.text = episode.text;
  item.occurred_at = episode.until;
  for (const ConsolidationSource& source : episode.sources) {
    item.sources.push_back(source.source);
  }
  return item;
}

std::vector<std::size_t> ChooseConsolidationGroup(std::span<const OldEpisode> episodes,
                                                  const ConsolidationGroup& group) {
  if (episodes.empty() || episodes.size() < group.episodes_min) {
    return {};
  }
  const OldEpisode& first = episodes.front();
  const auto is_near = [&](const OldEpisode& episode) {
    return episode.occurred_at - first.occurred_at <= group.stretch;
  };
  std::vector<std::size_t> taken = Take(episodes, group, [&](const OldEpisode& episode, auto) {
    return episode.session_id == first.session_id && is_near(episode);
  });
  if (taken.size() < group.episodes_min) {
    taken = Take(episodes, group, [&](const OldEpisode& episode, std::size_t so_far) {
      return so_far < group.episodes_min || is_near(episode);
    });
  }
  return taken;
}

std::vector<OldEpisode> TakeConsolidationGroup(std::vector<OldEpisode> episodes,
                                               const ConsolidationGroup& group) {
  std::vector<OldEpisode> taken;
  for (const std::size_t index : ChooseConsolidationGroup(episodes, group)) {
    taken.push_back(std::move(episodes[index]));
  }
  return taken;
}

}  // namespace umbranet
