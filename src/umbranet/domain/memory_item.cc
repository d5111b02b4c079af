#include "umbranet/domain/memory_item.h"

namespace umbranet {

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kShortTerm:
      return "short_term";
    case Tier::kEpisodic:
      return "episodic";
    case Tier::kSemantic:
      return "semantic";
    case Tier::kProcedural:
      return "procedural";
  }
  return "episodic";
}

std::optional<Tier> ParseTier(std::string_view name) {
  for (const Tier tier : kAllTiers) {
    if (name == TierName(tier)) {
      return tier;
    }
  }
  return std::nullopt;
}

std::optional<Tier> TierOfMemoryId(std::string_view memory_id) {
  if (memory_id.starts_with(kEpisodePrefix)) {
    return Tier::kEpisodic;
  }
  if (memory_id.starts_with(kFactPrefix)) {
    return Tier::kSemantic;
  }
  if (memory_id.starts_with(kRulePrefix)) {
    return Tier::kProcedural;
  }
  return std::nullopt;
}

}  // namespace umbranet
