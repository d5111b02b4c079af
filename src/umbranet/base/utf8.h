// UTF-8 as far as input checks and display need it. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace umbranet {

// Well-formed by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsValidUtf8(std::string_view text);

// True when a C0 control character, DEL or a C1 control character is in it (well-formed UTF-8 is
// assumed).
bool HasControlCharacters(std::string_view text);

// The longest prefix of at most `bytes_max` bytes that does not cut a character in two.
std::string_view TruncateUtf8(std::string_view text, std::size_t bytes_max);

}  // namespace umbranet
