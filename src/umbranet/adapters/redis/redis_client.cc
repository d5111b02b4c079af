#include "umbranet/adapters/redis/redis_client.h"

#include <array>
#include <string>
#include <utility>

#include "umbranet/adapters/redis/redis_errors.h"

namespace umbranet {
namespace {

constexpr std::chrono::minutes kKeepAddresses{1};
// How long a caller without a deadline sleeps between looks at the pool.
constexpr std::chrono::seconds kLookAgain{1};

}  // namespace

Result<std::unique_ptr<RedisClient>> RedisClient::Open(const Clock& clock, const Options& options) {
  std::unique_ptr<TlsContext> tls;
  if (options.address.tls) {
    UMBRANET_ASSIGN_OR_RETURN(tls, TlsContext::Open(""));
  }
  return std::unique_ptr<RedisClient>(new RedisClient(clock, options, std::move(tls)));
}

RedisClient::RedisClient(const Clock& clock, Options options, std::unique_ptr<TlsContext> tls)
    : clock_(clock),
      options_(std::move(options)),
      tls_(std::move(tls)),
      resolver_(clock, options_.address.host, options_.address.port, kKeepAddresses),
      breaker_(clock, options_.breaker) {}

Result<RedisReply> RedisClient::Run(const RedisScript& script,
                                    std::span<const std::string_view> keys,
                                    std::span<const std::string_view> arguments,
                                    Deadline deadline) {
  const std::string keys_count = std::to_string(keys.size());
  std::vector<std::string_view> command{"EVALSHA", script.digest, keys_count};
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return WithConnection(
      [&](RedisConnection& connection, Deadline by) -> Result<RedisReply> {
        Result<RedisReply> reply = connection.Call(command, by);
        if (!reply.ok() || !reply->IsError() || !reply->Text().starts_with("NOSCRIPT")) {
          return reply;
        }
        std::vector<std::string_view> whole = command;
        whole[0] = "EVAL";
        whole[1] = script.text;
        return connection.Call(whole, by);
      },
      deadline);
}

Result<RedisReply> RedisClient::Call(std::span<const std::string_view> command, Deadline deadline) {
  return WithConnection(
      [&](RedisConnection& connection, Deadline by) { return connection.Call(command, by); },
      deadline);
}

Result<RedisReply> RedisClient::WithConnection(const Use& use, Deadline deadline) {
  if (!breaker_.Allow()) {
    return Unavailable("redis: " + NameOfServer(options_.address) +
                       " has not answered of late and is asked again in a while");
  }
  // A caller who has next to no time left learns nothing about the server.
  const bool had_time = deadline.IsNever() || deadline.Remaining() >= options_.call_budget;
  const Deadline by = deadline.Within(clock_, options_.call_budget);
  bool was_reused = false;
  Result<RedisReply> outcome = TryOnce(use, /*fresh=*/false, was_reused, by);
  // The server may have been started anew since that connection was last used.
  if (!outcome.ok() && was_reused && outcome.error().code == ErrorCode::kUnavailable &&
      !by.Expired()) {
    outcome = TryOnce(use, /*fresh=*/true, was_reused, by);
  }
  Report(outcome, had_time);
  if (outcome.ok() && outcome->IsError()) {
    return ErrorOfReply(options_.address, outcome->Text());
  }
  return outcome;
}

Result<RedisReply> RedisClient::TryOnce(const Use& use, bool fresh, bool& was_reused,
                                        Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(Taken taken, Take(fresh, deadline));
  was_reused = taken.reused;
  Result<RedisReply> outcome = use(*taken.connection, deadline);
  if (outcome.ok()) {
    GiveBack(std::move(taken.connection));
  } else {
    taken.connection.reset();
    GiveUpPlace();
  }
  return outcome;
}

Result<RedisClient::Taken> RedisClient::Take(bool fresh, Deadline deadline) {
  for (;;) {
    UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<RedisConnection> kept, TakePlace(fresh, deadline));
    if (kept == nullptr) {
      break;
    }
    if (kept->IsQuiet(clock_)) {
      return Taken{.connection = std::move(kept), .reused = true};
    }
    kept.reset();
    GiveUpPlace();
  }
  Result<std::unique_ptr<RedisConnection>> connection =
      RedisConnection::Open(clock_, options_.address, resolver_, tls_.get(),
                            deadline.Within(clock_, options_.connect_budget));
  if (!connection.ok()) {
    GiveUpPlace();
    return connection.error();
  }
  return Taken{.connection = std::move(connection).value()};
}

Result<std::unique_ptr<RedisConnection>> RedisClient::TakePlace(bool fresh, Deadline deadline) {
  std::vector<std::unique_ptr<RedisConnection>> doubtful;  // Closed after the lock is released.
  MutexLock lock(mutex_);
  if (fresh) {
    // One of them was dead, so the others are as old.
    doubtful = std::exchange(idle_, {});
    open_ -= doubtful.size();
  }
  for (;;) {
    if (!idle_.empty()) {
      std::unique_ptr<RedisConnection> kept = std::move(idle_.back());
      idle_.pop_back();
      return kept;
    }
    if (open_ < options_.connections_max) {
      ++open_;
      return std::unique_ptr<RedisConnection>();
    }
    if (deadline.Expired()) {
      return Error{ErrorCode::kResourceExhausted,
                   "redis: every connection to " + NameOfServer(options_.address) + " is in use"};
    }
    if (const std::optional<SteadyTime> at = deadline.At()) {
      place_free_.WaitUntil(mutex_, *at);
    } else {
      place_free_.WaitFor(mutex_, kLookAgain);
    }
  }
}

void RedisClient::GiveBack(std::unique_ptr<RedisConnection> connection) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(connection));
  place_free_.NotifyOne();
}

void RedisClient::GiveUpPlace() {
  const MutexLock lock(mutex_);
  --open_;
  place_free_.NotifyOne();
}

void RedisClient::Report(const Result<RedisReply>& outcome, bool had_time) {
  if (!outcome.ok() && outcome.error().code == ErrorCode::kResourceExhausted) {
    return;  // Nobody was asked.
  }
  const std::string server = NameOfServer(options_.address);
  if (outcome.ok() || !IsServerAway(outcome.error())) {
    if (breaker_.Succeeded() && options_.log != nullptr) {
      options_.log->Info("redis_back", {{"server", server}});
    }
  } else if (had_time && breaker_.Failed() && options_.log != nullptr) {
    options_.log->Warning("redis_away", {{"server", server}, {"error", outcome.error().message}});
  }
}

}  // namespace umbranet
