// Strict reading of JSON text: RFC 8259, at most kJsonDepthMax deep, no name twice in an object, no
// lone surrogates, UTF-8 alone. Pure function.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include <boost/json/value.hpp>

#include "umbranet/http/problem.h"

namespace umbranet {

inline constexpr std::size_t kJsonDepthMax = 32;

// The document, or the problem (400) that says where it is wrong.
std::variant<boost::json::value, Problem> ParseJson(std::string_view text);

}  // namespace umbranet
