// Whatever bytes a turn holds and whenever it was said: every expression lies inside of the text,
// after the one before it, and its range is in order.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "umbranet/extraction/temporal_expressions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::int64_t reference_ms = 1'686'738'600'000;
  // The first eight bytes turn the clock when there is text besides.
  if (size > sizeof reference_ms + 1 && data[0] == 0xFF) {
    std::memcpy(&reference_ms, data + 1, sizeof reference_ms);
    data += sizeof reference_ms + 1;
    size -= sizeof reference_ms + 1;
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t previous = 0;
  for (const auto& found :
       umbranet::FindTimeExpressions(text, umbranet::FromUnixMillis(reference_ms))) {
    const bool inside = found.begin >= previous && found.begin < found.end && found.end <= size;
    if (!inside || found.range.end < found.range.start) {
      std::abort();
    }
    previous = found.end;
  }
  return 0;
}
