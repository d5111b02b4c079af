// Where an answer came from, in words.
#pragma once

#include <string_view>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// "recorded", "chat", "offline_chat"
std::string_view OriginName(Origin origin);

}  // namespace umbranet
