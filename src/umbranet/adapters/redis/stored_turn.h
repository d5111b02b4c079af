// A turn as Redis holds it: its tokens, which the server counts with, and JSON. Pure functions,
// callable from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// "12 {...}". User and session are left out: the key tells them.
std::string EncodeTurn(const Interaction& turn);

// Nothing when `text` is not what EncodeTurn writes, of this version or an earlier one.
std::optional<Interaction> DecodeTurn(std::string_view text, const UserKey& user,
                                      std::string_view session_id);

}  // namespace umbranet
