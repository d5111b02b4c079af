// What is known of a user on one page: the facts and rules in force, by subject, each with the
// turns that it comes from. Worked out of the stores whenever it is asked for, so it is never out
// of date and nobody has to write it. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

struct ProfileLine {
  std::string memory_id;
  std::string text;
  std::optional<Timestamp> since;
  std::vector<SourceRef> sources;
};

struct ProfileSection {
  std::string name;                // "identity", "home_and_work", ..., from a closed list.
  std::vector<ProfileLine> lines;  // What was said most often first, then most recently.
};

struct UserProfile {
  std::vector<ProfileSection> sections;  // Those that hold something.
  std::string text;                      // The page, in Markdown.
};

// `rules` as their tier lists them, those that are over too. `section_max` lines of each section.
[[nodiscard]] UserProfile BuildProfile(const KnowledgeGraph& graph,
                                       std::span<const MemoryItem> rules, Timestamp now,
                                       std::size_t section_max = 25);

}  // namespace umbranet
