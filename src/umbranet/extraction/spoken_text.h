#pragma once

#include <vector>

namespace umbranet {

// Blanks out what is in a message but is not said by its speaker: fenced code, notes in brackets,
// quotations of several words. Every byte keeps its place; typographic quotes and dashes become
// their ASCII stand-ins, with the bytes left over as spaces (behind an apostrophe, which joins, as
// '\x01'). Linear; any bytes are accepted.
void KeepSpokenText(std::vector<char>& text);

}  // namespace umbranet
