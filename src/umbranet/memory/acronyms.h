// What is asked for in words and told as their acronym: "two-factor authentication" is answered by
// "I turned on 2FA". Pure; may be called from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/text_analysis.h"

namespace umbranet {

struct Acronym {
  std::string written;    // "2FA"; ASCII.
  std::size_t first = 0;  // Of the tokens that it is made of, which stand side by side.
  std::size_t words = 0;
};

// Of every run of three to five words among which there is no stop word and nothing but a space or
// a hyphen between them. A spelled-out number gives its digit. Shorter ones stand for too many
// things. `tokens` are those of `text`.
[[nodiscard]] std::vector<Acronym> AcronymsOf(std::string_view text,
                                              const std::vector<TextToken>& tokens);

// Whether the text has it in capitals, as a word or its plural ("NGOs"): folded to a term, an
// acronym may be any word ("cat").
[[nodiscard]] bool IsWritten(std::string_view acronym, std::string_view text);

}  // namespace umbranet
