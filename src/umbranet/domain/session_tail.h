// The newest turns of a session as the journal had them at one moment, by their sequences alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace umbranet {

// Of a session, at most: more than a store of conversations has to hold against the journal.
inline constexpr std::size_t kSessionTailMax = 8;

struct SessionTail {
  std::vector<std::int64_t> sequences;  // Newest first, at most kSessionTailMax.

  // The session had no other turns.
  [[nodiscard]] bool IsWhole() const { return sequences.size() < kSessionTailMax; }
};

}  // namespace umbranet
