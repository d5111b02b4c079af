// Words of everyday life that are asked for under one name and told under another: "What is my
// job?" is answered by "I work as a nurse". A small thesaurus of general English, so that a
// question reaches what a person says of work, family, home, health, travel and the like; it knows
// nothing of any one conversation. Pure; may be called from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace umbranet {

// Stems related to `stem`, itself not among them. Empty for most words.
[[nodiscard]] std::span<const std::string> RelatedTerms(std::string_view stem);

}  // namespace umbranet
