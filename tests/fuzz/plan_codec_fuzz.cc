// Whatever bytes stand in the ledger: they are refused, or they are a plan that reads back the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "umbranet/reflection/plan_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto plan =
      umbranet::DecodePlan(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!plan.ok()) {
    return 0;
  }
  const auto bytes = umbranet::EncodePlan(*plan);
  if (!bytes.ok()) {
    std::abort();
  }
  const auto again = umbranet::DecodePlan(*bytes);
  if (!again.ok() || !(*again == *plan)) {
    std::abort();
  }
  return 0;
}
