// Identifiers and digests. All functions may be called from any thread.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"

namespace umbranet {

// RFC 9562 version 7: 48 bits of Unix milliseconds, then random bits. Sorts by time of making.
std::string NewUuidV7(Timestamp now);

// RFC 9562 version 5 in Umbranet's own namespace: the same name gives the same id everywhere, for
// ever. Parts are joined with U+001F, which no user id may contain, so ("ab","c") and ("a","bc")
// differ.
std::string NameUuidV5(std::initializer_list<std::string_view> parts);

// Lower-case hexadecimal SHA-256 of `bytes`: 64 characters.
std::string Sha256Hex(std::string_view bytes);

// `size` random bytes from the operating system as lower-case hexadecimal, 2 x size characters.
std::string RandomHex(std::size_t size);

}  // namespace umbranet
