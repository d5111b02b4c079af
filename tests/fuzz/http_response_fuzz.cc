// Any bytes for a response: the reader neither crashes nor reads a whole response differently when
// the network cuts it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/net/http_response_reader.h"

namespace {

using umbranet::HttpResponseReader;

std::string ReadInPieces(std::string_view bytes, std::size_t piece) {
  HttpResponseReader reader({.header_bytes_max = 512, .body_bytes_max = 1024});
  std::string body;
  while (!bytes.empty()) {
    if (!reader.Feed(bytes.substr(0, piece)).ok()) {
      return "refused";
    }
    bytes.remove_prefix(bytes.size() < piece ? bytes.size() : piece);
    body += reader.body();
    reader.ClearBody();
  }
  if (!reader.FeedEnd().ok()) {
    return "cut short";
  }
  return std::to_string(reader.head().status) + (reader.CanReuseConnection() ? "+" : "-") + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::size_t{data[0]} % 16 + 1;
  const std::string whole = ReadInPieces(bytes, bytes.size() + 1);
  const std::string pieces = ReadInPieces(bytes, piece);
  // A limit may be met sooner or later by a response that is over it or never ends.
  const bool judged = whole != "refused" && pieces != "refused" && whole != "cut short";
  if (judged && whole != pieces) {
    std::abort();
  }
  return 0;
}
