// Where a broker is and who asks it. Pure functions, callable from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

struct AmqpUrl {
  bool tls = false;
  std::string host;  // Lower case; an IPv6 address without its brackets.
  std::uint16_t port = 5672;
  std::string user = "guest";
  std::string password = "guest";
  std::string vhost = "/";
  std::string ca_file =
      {};  // amqps alone: trust this PEM file instead of the system's certificates.

  bool operator==(const AmqpUrl&) const = default;
};

// Reads "amqp://[user[:password]@]host[:port][/vhost]" or amqps, whose port is 5671 and which
// knows one query, "?cacertfile=/path". Percent escapes are undone in user, password, vhost and
// path; "amqp://host" and "amqp://host/" both mean the vhost "/". kInvalidArgument says what to
// write instead and never repeats the text of a refused URL, since it may hold a password.
Result<AmqpUrl> ParseAmqpUrl(std::string_view text);

// "RabbitMQ at 127.0.0.1:5672", for people to read.
std::string ServerName(const AmqpUrl& url);

// "amqp://ana:***@127.0.0.1:5672/vhost".
std::string MaskedUrl(const AmqpUrl& url);

}  // namespace umbranet
