// Text of anybody, as it may stand in a prompt. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace umbranet {

// What `text` looks like between quotation marks: line breaks, quotation marks, control characters
// and every "<" are escaped the way JSON escapes them, so that no text can end its line, its
// quotation or the block that it stands in.
[[nodiscard]] std::string QuoteAsData(std::string_view text);

}  // namespace umbranet
