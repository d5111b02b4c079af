// How many language-model tokens a text is worth, near enough to fill a budget without asking a
// tokenizer.
#pragma once

#include <cstddef>
#include <string_view>

namespace umbranet {

// English prose averages about four bytes a token in the byte-pair vocabularies in use; every
// started group of four counts, so that many short texts do not add up to nothing.
inline constexpr std::size_t EstimateTokens(std::string_view text) {
  return (text.size() + 3) / 4;
}

}  // namespace umbranet
