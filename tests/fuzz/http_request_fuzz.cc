// Any bytes for a connection: requests are read, routed, and their bodies checked without a crash,
// and never differently because the network cut them differently.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "umbranet/http/json_document.h"
#include "umbranet/http/json_fields.h"
#include "umbranet/http/request_reader.h"
#include "umbranet/http/request_tables.h"
#include "umbranet/http/router.h"

namespace {

using umbranet::RequestReader;

constexpr std::size_t kHeaderBytesMax = 2048;
constexpr std::size_t kBodyBytesMax = 4096;

const umbranet::Router& Routes() {
  static const umbranet::Router router = [] {
    umbranet::Router made;
    const umbranet::Handler nothing = [](const umbranet::HttpRequest&, umbranet::ResponseWriter&) {
    };
    made.Add({"POST", "/v1/recall", nothing});
    made.Add({"GET", "/v1/users/{user_id}/memories", nothing});
    made.Add({"DELETE", "/v1/users/{user_id}", nothing});
    made.Add({"GET", "/v1/memories/{memory_id}", nothing});
    return made;
  }();
  return router;
}

std::string Describe(umbranet::HttpRequest& request) {
  std::string text = request.method + " " + request.path + "?" + request.query + "\n";
  const umbranet::RouteMatch match = Routes().Match(request);
  text += match.route == nullptr ? "no route" : match.route->pattern;
  for (const std::string& parameter : match.parameters) {
    text += "[" + parameter + "]";
  }
  for (const umbranet::HeaderField& field : request.headers) {
    text += field.name + "=" + field.value + "\n";
  }
  const auto parsed = umbranet::ParseJson(request.body);
  if (const auto* value = std::get_if<boost::json::value>(&parsed)) {
    for (const umbranet::ObjectTable* table : umbranet::RequestTables()) {
      const auto problem = umbranet::CheckObject(*value, *table);
      text += problem ? problem->code : "ok";
    }
  }
  return text + request.body + "\n";
}

// Every whole request that is read when `bytes` come in pieces of this size. A header that is wrong
// and not whole may be refused sooner or later; that is no difference.
std::string ReadInPieces(std::string_view bytes, std::size_t piece) {
  std::string seen;
  std::string buffer;
  auto reader = std::make_unique<RequestReader>(kHeaderBytesMax);
  while (!bytes.empty()) {
    buffer.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (bool more = false; !more && !buffer.empty();) {
      std::size_t used = 0;
      RequestReader::Step step = reader->Read(buffer, used);
      buffer.erase(0, used);
      if (step == RequestReader::Step::kHeader) {
        if (!reader->AllowBody(kBodyBytesMax)) {
          return seen;
        }
        if (!reader->IsWhole()) {
          continue;
        }
        step = reader->Read({}, used);
      }
      if (step == RequestReader::Step::kRefused) {
        return seen;
      }
      if (step == RequestReader::Step::kWhole) {
        seen += Describe(reader->request());
        reader = std::make_unique<RequestReader>(kHeaderBytesMax);
      } else {
        more = used == 0;
      }
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::size_t{data[0]} % 32 + 1;
  if (ReadInPieces(bytes, bytes.size()) != ReadInPieces(bytes, piece)) {
    std::abort();
  }
  return 0;
}
