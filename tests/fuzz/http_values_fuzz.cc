// Any text for a URL or a Retry-After: refused, or read in a way that holds together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "umbranet/net/retry_after.h"
#include "umbranet/net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = umbranet::ParseUrl(text); url.ok()) {
    const auto again = umbranet::ParseUrl(umbranet::FormatUrl(*url));
    if (!again.ok() || !(*again == *url)) {
      std::abort();
    }
  }
  const umbranet::Timestamp now = umbranet::FromUnixMillis(1'714'730'400'000);
  const auto wait = umbranet::ParseRetryAfter(text, now);
  if (wait && (wait->count() < 0 || wait->count() > 86'400'000)) {
    std::abort();
  }
  return 0;
}
