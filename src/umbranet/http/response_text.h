// Responses as bytes. Pure functions, but for the date.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/http/message.h"

namespace umbranet {

enum class BodyFraming {
  kSized,      // Content-Length: the body is there.
  kChunked,    // Pieces follow in chunks.
  kUntilClose  // Pieces follow, and the end of the connection ends them (HTTP/1.0).
};

// Status line and header fields, with the empty line that ends them.
std::string RenderHead(const HttpResponse& response, BodyFraming framing, bool keep_alive,
                       Timestamp now);

// Appends one chunk of the chunked coding. `piece` is not empty.
void AppendChunk(std::string& out, std::string_view piece);

inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace umbranet
