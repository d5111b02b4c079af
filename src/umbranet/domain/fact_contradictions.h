// Facts that cannot both hold although neither was taken back. A store settles what one slot
// (subject, predicate, qualifier) says of one value: a denial ends it, a newer value of what one
// has one of supersedes the older. What it cannot settle lies across slots, "loves opera" beside
// "hates opera", or was said in one breath, two ages. Such facts are all kept, and marked when they
// are shown. Pure; may be called from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "umbranet/domain/fact.h"

namespace umbranet {

// memory_id of a fact -> memory_ids of those that it contradicts. Facts without any have no entry.
using Contradictions = std::unordered_map<std::string, std::vector<std::string>>;

// Of one user's facts that still hold; at most kContradictionsMax for each, in the order of
// `facts`.
inline constexpr std::size_t kContradictionsMax = 16;
[[nodiscard]] Contradictions FindContradictions(std::span<const Fact> facts);

}  // namespace umbranet
