// Any bytes: the parser neither crashes nor depends on where the network cut them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/net/sse_parser.h"

namespace {

using umbranet::SseParser;

std::string ParseInPieces(std::string_view stream, std::size_t piece) {
  SseParser parser({.line_bytes_max = 512, .event_bytes_max = 1024});
  std::string seen;
  while (!stream.empty()) {
    parser.Append(stream.substr(0, piece));
    stream.remove_prefix(stream.size() < piece ? stream.size() : piece);
    for (;;) {
      const auto event = parser.Next();
      if (!event.ok()) {
        return seen + "refused";
      }
      if (!event->has_value()) {
        break;
      }
      seen.append((*event)->type).append("\x1F").append((*event)->data).append("\x1E");
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::size_t{data[0]} % 16 + 1;
  if (ParseInPieces(stream, stream.size() + 1) != ParseInPieces(stream, piece)) {
    std::abort();
  }
  return 0;
}
