// Reading the server's rows, and the marks that writes leave. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "umbranet/base/result.h"

namespace umbranet {

// In random bytes: what tells a write from all others, and a graph from one that began anew.
inline constexpr std::size_t kWriterBytes = 8;
inline constexpr std::size_t kEpochBytes = 16;

// Whether the user whose first generation is of that epoch has ever had a second one.
bool HasGenerations(std::string_view epoch);
// The epoch of one who has, from now on.
std::string EpochWithGenerations();
// The next one of a graph that begins anew.
std::string NextEpoch(std::string_view epoch);

namespace graph_answer {

std::string TextOf(const boost::json::value& value);
Error NotAsked();
// The row's columns, when it has so many.
const boost::json::array* RowOf(const boost::json::array& rows, std::size_t index,
                                std::size_t columns);

}  // namespace graph_answer

}  // namespace umbranet
