// Words and names as they are written, capitals included. Pure; may be called from any thread.
#pragma once

#include <string_view>

namespace umbranet {

// Whether `text` has `word`, which may be of several words, with no letter or digit on either side.
[[nodiscard]] bool ContainsWord(std::string_view text, std::string_view word);

}  // namespace umbranet
