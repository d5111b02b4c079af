// What differs between two lists of a user's memories of one tier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "umbranet/domain/memory_item.h"

namespace umbranet {

struct ChangedMemory {
  MemoryItem before;
  MemoryItem after;
};

// Items are in the order of the lists that they come from, as many as were asked for; the counts
// are of all.
struct MemoryDifference {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t same = 0;
  std::uint64_t added = 0;
  std::uint64_t gone = 0;
  std::uint64_t changed = 0;
  std::vector<MemoryItem> added_items;
  std::vector<MemoryItem> gone_items;
  std::vector<ChangedMemory> changed_items;
};

// Memories with the same id are one. It is changed when it says something else, holds at another
// time, or has given way to another or does not any more. Those that are left over and say the same
// words of the same time are one as well.
MemoryDifference CompareMemories(const std::vector<MemoryItem>& before,
                                 const std::vector<MemoryItem>& after, std::size_t items_max);

}  // namespace umbranet
