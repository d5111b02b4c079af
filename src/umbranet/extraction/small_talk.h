#pragma once

#include <string_view>

#include "umbranet/extraction/word_stream.h"

namespace umbranet {

// Whether a message is made of pleasantries alone, and of which kind: "greeting", "thanks",
// "farewell", "acknowledgement", "empty". Empty result: there may be something to keep. Whole words
// decide. Pure; safe from any thread.
[[nodiscard]] std::string_view SmallTalkKind(std::string_view text, const WordStream& message);

}  // namespace umbranet
