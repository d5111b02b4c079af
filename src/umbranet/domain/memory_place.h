// Where a memory stands in its owner's list, oldest first, and the cursor that pages through it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"

namespace umbranet {

struct MemoryPlace {
  Timestamp occurred_at{};
  std::int64_t sequence = 0;  // The turn's, in the journal.
  std::int64_t ordinal = 0;   // Within the turn.
  std::string memory_id;

  auto operator<=>(const MemoryPlace&) const = default;
};

// The cursor that continues after `place`. It stays good when memories come and go.
std::string FormatCursor(const MemoryPlace& place);
// The place that `cursor` continues after; of "" the one before all others. Nothing when it is no
// cursor of ours.
std::optional<MemoryPlace> ParseCursor(std::string_view cursor);

}  // namespace umbranet
