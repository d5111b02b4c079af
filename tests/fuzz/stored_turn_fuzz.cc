// Whatever bytes stand in Redis: they are refused, or they are a turn that reads back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/adapters/redis/stored_turn.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const umbranet::UserKey user{"default", "ana"};
  const auto turn =
      umbranet::DecodeTurn(std::string_view(reinterpret_cast<const char*>(data), size), user, "s");
  if (!turn) {
    return 0;
  }
  const std::string text = umbranet::EncodeTurn(*turn);
  const auto again = umbranet::DecodeTurn(text, user, "s");
  if (!again || umbranet::EncodeTurn(*again) != text) {
    std::abort();
  }
  return 0;
}
