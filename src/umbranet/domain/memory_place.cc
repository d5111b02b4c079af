#include "umbranet/domain/memory_place.h"

#include <charconv>
#include <system_error>

namespace umbranet {
namespace {

constexpr std::size_t kMemoryIdBytesMax = 64;

bool TakeNumber(std::string_view& text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '.') {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::string FormatCursor(const MemoryPlace& place) {
  return std::to_string(ToUnixMillis(place.occurred_at)) + '.' + std::to_string(place.sequence) +
         '.' + std::to_string(place.ordinal) + '.' + place.memory_id;
}

std::optional<MemoryPlace> ParseCursor(std::string_view cursor) {
  MemoryPlace place;
  if (cursor.empty()) {
    place.occurred_at = Timestamp::min();
    return place;
  }
  std::int64_t occurred_at = 0;
  if (!TakeNumber(cursor, occurred_at) || !TakeNumber(cursor, place.sequence) ||
      !TakeNumber(cursor, place.ordinal) || cursor.empty() || cursor.size() > kMemoryIdBytesMax) {
    return std::nullopt;
  }
  place.occurred_at = FromUnixMillis(occurred_at);
  place.memory_id = std::string(cursor);
  return place;
}

}  // namespace umbranet
