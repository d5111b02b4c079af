// Where a Redis server is, and as whom to log in. Pure functions, callable from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

struct RedisAddress {
  bool tls = false;
  std::string host;  // Lower case; an IPv6 address without its brackets.
  std::uint16_t port = 6379;
  std::string user;      // Empty: the server's default user.
  std::string password;  // Empty: no log-in.
  std::uint32_t database = 0;

  bool operator==(const RedisAddress&) const = default;
};

// Reads "redis://[[user]:password@]host[:port][/database]", or rediss for TLS. kInvalidArgument
// says what to write instead, and never repeats the text, which may hold a secret.
Result<RedisAddress> ParseRedisUrl(std::string_view text);

// "Redis at 127.0.0.1:6379", for messages: without user and password.
std::string NameOfServer(const RedisAddress& address);

}  // namespace umbranet
