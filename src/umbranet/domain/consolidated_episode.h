// An episode that sums up old ones of a user, which stay as they are beside it. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {

// Of its memory_id; what it begins with is that of every episode.
inline constexpr std::string_view kConsolidatedPrefix = "ep_con_";

inline bool IsConsolidatedId(std::string_view memory_id) {
  return memory_id.starts_with(kConsolidatedPrefix);
}

// An episode that is old enough to be summed up.
struct OldEpisode {
  std::string memory_id;
  std::string interaction_id;
  Role role = Role::kUser;
  std::string session_id;
  std::string speaker;
  std::string text;
  Timestamp occurred_at{};
};

struct ConsolidationSource {
  std::string memory_id;
  SourceRef source;

  auto operator<=>(const ConsolidationSource&) const = default;
};

struct ConsolidatedEpisode {
  std::string memory_id;
  UserKey user;
  std::string session_id;  // Empty: its sources are of several.
  std::string text;
  Timestamp from{};   // When the first of its sources occurred,
  Timestamp until{};  // and the last.
  std::string model;  // That wrote it.
  Timestamp made_at{};
  std::vector<ConsolidationSource> sources;  // In the order in which they occurred.

  bool operator==(const ConsolidatedEpisode&) const = default;
};

// Without text, model and made_at. `sources` are at least one.
[[nodiscard]] ConsolidatedEpisode DraftConsolidation(const UserKey& user,
                                                     std::span<const OldEpisode> sources);

// As a memory is listed and recalled: no one said it in these words, and its sources are the halves
// of turns that it was made of.
[[nodiscard]] MemoryItem ItemOfConsolidated(const ConsolidatedEpisode& episode);

// The columns memory_id, session_id, from_at, until_at, made_at, model and text of a store's row,
// from `first` on; without sources.
template <typename Row>
ConsolidatedEpisode ReadConsolidated(const Row& row, int first, UserKey user) {
  ConsolidatedEpisode episode;
  episode.memory_id = row.String(first);
  episode.user = std::move(user);
  episode.session_id = row.String(first + 1);
  episode.from = row.Time(first + 2);
  episode.until = row.Time(first + 3);
  episode.made_at = row.Time(first + 4);
  episode.model = row.String(first + 5);
  episode.text = row.String(first + 6);
  return episode;
}

// The columns memory_id, interaction_id, role, session_id, speaker, text and occurred_at.
template <typename Row>
OldEpisode ReadOldEpisode(const Row& row) {
  return {row.String(0), row.String(1), static_cast<Role>(row.Int(2)), row.String(3), row.String(4),
          row.String(5), row.Time(6)};
}

// What is summed up together.
struct ConsolidationGroup {
  std::size_t episodes_min = 6;
  std::size_t episodes_max = 40;
  std::size_t bytes_max = 24'000;               // Of their texts; the first always fits.
  Millis stretch = std::chrono::hours{24 * 7};  // From the first to the last.
};

// The indices of a group that begins with the oldest, of `episodes` oldest first: those of its
// session within the stretch, or where they are too few, whatever comes next within the stretch,
// or where that is too little too, the next episodes_min. Empty: there are not so many.
[[nodiscard]] std::vector<std::size_t> ChooseConsolidationGroup(
    std::span<const OldEpisode> episodes, const ConsolidationGroup& group);

// The group itself, taken out of `episodes`.
[[nodiscard]] std::vector<OldEpisode> TakeConsolidationGroup(std::vector<OldEpisode> episodes,
                                                             const ConsolidationGroup& group);

}  // namespace umbranet
