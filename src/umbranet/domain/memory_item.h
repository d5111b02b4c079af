// The four tiers, and the one form in which a memory of any tier is listed, recalled and shown.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

enum class Tier : std::uint8_t { kShortTerm = 0, kEpisodic = 1, kSemantic = 2, kProcedural = 3 };

inline constexpr std::array<Tier, 4> kAllTiers = {Tier::kShortTerm, Tier::kEpisodic,
                                                  Tier::kSemantic, Tier::kProcedural};
// The tiers that reflection works out; tier 1 is written with the turn.
inline constexpr std::array<Tier, 3> kReflectedTiers = {Tier::kEpisodic, Tier::kSemantic,
                                                        Tier::kProcedural};

std::string_view TierName(Tier tier);  // "short_term", "episodic", "semantic", "procedural"
std::optional<Tier> ParseTier(std::string_view name);

// A set of reflected tiers as stored in a job: episodic 1, semantic 2, procedural 4.
using TierMask = std::uint8_t;
inline constexpr TierMask kAllReflectedTiers = 7;

constexpr TierMask TierBit(Tier tier) {
  return tier == Tier::kEpisodic     ? 1
         : tier == Tier::kSemantic   ? 2
         : tier == Tier::kProcedural ? 4
                                     : 0;
}

// Memory ids begin with their tier, so that an id alone finds its store.
inline constexpr std::string_view kEpisodePrefix = "ep_";
inline constexpr std::string_view kFactPrefix = "fa_";
inline constexpr std::string_view kRulePrefix = "ru_";
// Turns that are not reflected yet are recalled under "st_" + interaction id; they cannot be looked
// up or edited.
inline constexpr std::string_view kTurnPrefix = "st_";
// Empty when `memory_id` is of no tier that stores memories under ids.
std::optional<Tier> TierOfMemoryId(std::string_view memory_id);

struct MemoryItem {
  std::string memory_id;
  UserKey user;
  Tier tier = Tier::kEpisodic;
  std::string text;
  double score = 0;  // Comparable within one recall only.
  Timestamp occurred_at{};
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_to;
  std::optional<std::string> superseded_by;  // memory_id of the successor
  // memory_ids of what says the opposite, where neither says that things have changed.
  std::vector<std::string> contradicts = {};
  std::vector<SourceRef> sources;
  // Who said it: kDefaultSpeaker is the user. Empty where no one did in these words (a fact), or
  // where a listing does not tell.
  std::string speaker = {};
};

// What an owner may change by hand. Absent fields stay.
struct MemoryPatch {
  std::optional<std::string> text;
  std::optional<Timestamp> valid_to;
};

struct MemoryPage {
  std::vector<MemoryItem> items;
  std::string next_cursor;  // Empty at the end.
};

}  // namespace umbranet
