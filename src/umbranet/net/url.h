// Where an HTTP server is. Pure functions, callable from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

struct Url {
  bool tls = false;
  std::string host;  // Lower case; an IPv6 address without its brackets.
  std::uint16_t port = 0;
  std::string path;  // A prefix to put before a target: "" or "/v1", never a slash at its end.

  bool operator==(const Url&) const = default;
};

// Reads "http://host[:port][/path]" or https. kInvalidArgument says what to write instead; a user
// name, a query or a fragment has no meaning here and is refused, and the text of a refused URL is
// never repeated, since it may hold a secret.
Result<Url> ParseUrl(std::string_view text);

// The value of the Host header: the port is left out where it is the scheme's own.
std::string HostHeader(const Url& url);

// "https://api.example.com/v1", for people to read.
std::string FormatUrl(const Url& url);

}  // namespace umbranet
