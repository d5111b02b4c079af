// What the failures of a Redis server mean to a caller. Pure functions, callable from any thread.
#pragma once

#include <string_view>

#include "umbranet/adapters/redis/redis_address.h"
#include "umbranet/base/result.h"

namespace umbranet {

// An answer that begins with '-'. The server is named and, where an operator must act, how.
Error ErrorOfReply(const RedisAddress& address, std::string_view reply);

// A failure of the socket under the connection, retold as one of this server.
Error ErrorOfConnection(const RedisAddress& address, const Error& error);

// Whether it says that the server is away or too slow.
bool IsServerAway(const Error& error);

}  // namespace umbranet
