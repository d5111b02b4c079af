// An episode that sums up old ones of a user, which stay as they are beside it. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

}  // namespace umbranet
