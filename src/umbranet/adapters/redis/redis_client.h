// A bounded pool of connections to one Redis server, which reconnects by itself, keeps to a budget
// and, while the server is away, says so at once instead of waiting for it again and again.
//
// All methods may be called from any thread. Failures name the server, never its password:
//   kUnavailable, kDeadlineExceeded  it is away or too slow; the effect is unknown
//   kFailedPrecondition              it refuses the credentials, or what they may do
//   kStorageFull                     it takes nothing new
//   kResourceExhausted               every connection is in use for the whole budget
//   kBadGateway                      it answered with nonsense, or refused for another reason
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/redis/redis_address.h"
#include "umbranet/adapters/redis/redis_connection.h"
#include "umbranet/adapters/redis/redis_script.h"
#include "umbranet/base/circuit_breaker.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class RedisClient {
 public:
  struct Options {
    RedisAddress address;
    std::size_t connections_max = 16;
    Millis connect_budget{100};
    Millis call_budget{100};  // For a call in all, connecting included.
    CircuitBreaker::Options breaker;
    StructuredLog* log = nullptr;  // May be null; must outlive the client.
  };

  // Connects when it is first needed. kInvalidArgument: the system's certificates cannot be read.
  static Result<std::unique_ptr<RedisClient>> Open(const Clock& clock, const Options& options);

  // Runs the script, in one round trip once the server knows it. It must be harmless to run twice:
  // a connection that turns out to be dead is replaced, and the call repeated. An error reply is
  // an error.
  Result<RedisReply> Run(const RedisScript& script, std::span<const std::string_view> keys,
                         std::span<const std::string_view> arguments, Deadline deadline);

  // The same for a plain command.
  Result<RedisReply> Call(std::span<const std::string_view> command, Deadline deadline);

  // False while calls are turned away because the server does not answer.
  [[nodiscard]] bool Healthy() const { return !breaker_.IsOpen(); }

  [[nodiscard]] const CircuitBreaker& breaker() const { return breaker_; }

 private:
  using Use = std::function<Result<RedisReply>(RedisConnection&, Deadline)>;

  struct Taken {
    std::unique_ptr<RedisConnection> connection;
    bool reused = false;
  };

  RedisClient(const Clock& clock, Options options, std::unique_ptr<TlsContext> tls);

  Result<RedisReply> WithConnection(const Use& use, Deadline deadline);
  Result<RedisReply> TryOnce(const Use& use, bool fresh, bool& was_reused, Deadline deadline);
  Result<Taken> Take(bool fresh, Deadline deadline);
  // Null: a place was taken, and is to be filled or given up.
  Result<std::unique_ptr<RedisConnection>> TakePlace(bool fresh, Deadline deadline);
  void GiveBack(std::unique_ptr<RedisConnection> connection);
  void GiveUpPlace();
  void Report(const Result<RedisReply>& outcome, bool had_time);

  const Clock& clock_;
  const Options options_;
  const std::unique_ptr<TlsContext> tls_;
  AddressResolver resolver_;
  CircuitBreaker breaker_;
  Mutex mutex_;
  ConditionVariable place_free_;
  std::vector<std::unique_ptr<RedisConnection>> idle_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
