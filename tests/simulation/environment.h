// Numbers that whoever runs the program may give it.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace umbranet {

inline std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace umbranet
