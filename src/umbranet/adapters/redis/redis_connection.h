// One connection to a Redis server: hiredis reads the protocol, a SocketStream carries it.
//
// A connection belongs to one thread at a time. After a failure of any kind but a server's own
// error reply it must be thrown away, since what is on the wire is no longer known.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <hiredis/hiredis.h>

#include "umbranet/adapters/redis/redis_address.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/net/address_resolver.h"
#include "umbranet/net/socket_stream.h"

namespace umbranet {

// An answer of the server, an error reply among them.
class RedisReply {
 public:
  explicit RedisReply(redisReply* reply) : reply_(reply) {}

  [[nodiscard]] bool IsError() const { return reply_->type == REDIS_REPLY_ERROR; }

  // Empty unless it is of that kind.
  [[nodiscard]] std::string_view Text() const { return TextOf(*reply_); }

  [[nodiscard]] std::int64_t Number() const { return NumberOf(*reply_); }

  [[nodiscard]] const redisReply& raw() const { return *reply_; }

  static std::string_view TextOf(const redisReply& reply);
  static std::int64_t NumberOf(const redisReply& reply);
  static std::span<redisReply* const> ElementsOf(const redisReply& reply);

 private:
  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };

  std::unique_ptr<redisReply, Free> reply_;
};

class RedisConnection {
 public:
  // Connects, logs in and chooses the database, in two round trips at most. `tls` may be null
  // unless the address wants it. kFailedPrecondition: the credentials are refused.
  static Result<std::unique_ptr<RedisConnection>> Open(const Clock& clock,
                                                       const RedisAddress& address,
                                                       AddressResolver& resolver,
                                                       const TlsContext* tls, Deadline deadline);

  // One command, one answer.
  Result<RedisReply> Call(std::span<const std::string_view> command, Deadline deadline);

  // False: the server has closed, or sent what nobody asked for. Does not wait.
  bool IsQuiet(const Clock& clock);

 private:
  RedisConnection(const RedisAddress& address, std::unique_ptr<SocketStream> stream);

  Status LogIn(Deadline deadline);
  Result<RedisReply> ReadReply(Deadline deadline);

  struct FreeReader {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };

  const RedisAddress& address_;
  const std::unique_ptr<SocketStream> stream_;
  const std::unique_ptr<redisReader, FreeReader> reader_;
};

}  // namespace umbranet
