// How urgent it is to reflect on a turn, when the client does not say. By whole words, never by
// substrings: "remember this" is urgent, "remembrance thistle" is not. Pure; any thread.
#pragma once

#include <string_view>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// High: the user asks for it to be remembered ("remember that ...", "don't forget ...", "from now
// on ..."). Low: nothing but greetings, thanks and status lines. Normal: all else, questions about
// remembering ("do you remember ...?") among it.
[[nodiscard]] Priority DecidePriority(std::string_view user_message);

}  // namespace umbranet
