// The doorbell over RabbitMQ: a ring in one process wakes a worker in another. Every process takes
// from the one queue, so a ring wakes one of them; whoever waits in the process that rings is woken
// at once, without a way through the broker. docs/broker_messages.md describes what travels, and
// how other programs hand in turns.
//
// All methods may be called from any thread. Publisher and consumer have a connection and a thread
// each, connect by themselves, again and again, and never hold up a caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "umbranet/adapters/rabbitmq/broker_topology.h"
#include "umbranet/adapters/rabbitmq/doorbell_state.h"
#include "umbranet/adapters/rabbitmq/reflection_consumer.h"
#include "umbranet/adapters/rabbitmq/reflection_publisher.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/base/wake_signal.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class RabbitMqDoorbell final : public Doorbell {
 public:
  struct Options {
    std::string url;  // RABBITMQ_URL; see amqp_url.h
    std::string exchange = std::string(kDefaultExchange);
    std::string queue = std::string(kDefaultQueue);
    // False: only rings (a process without workers). Jobs of foreign producers are then left to
    // those that have some.
    bool consume = true;
    std::uint16_t prefetch = 64;  // Deliveries under way, each for milliseconds.
    FindKnown known = {};         // See reflection_consumer.h.
    Millis confirm_timeout{3'000};
    Millis connect_budget{3'000};
    Millis call_budget{5'000};
    std::size_t waiting_max = 10'000;  // Rings that wait to be published; more are dropped.
    PublishBreaker::Options breaker = {};
    ReconnectBackoff::Options backoff = {};
  };

  // Begins to connect and returns without waiting for it: a broker that is away is not an error,
  // but Healthy() says so. kInvalidArgument: a URL or a name that cannot be. Clock and log must
  // outlive the doorbell, and so must whatever `accept` uses; the clock must run by itself.
  static Result<std::unique_ptr<RabbitMqDoorbell>> Open(const Clock& clock, StructuredLog& log,
                                                        Options options, AcceptJob accept);
  // Stops.
  ~RabbitMqDoorbell() override;
  RabbitMqDoorbell(const RabbitMqDoorbell&) = delete;
  RabbitMqDoorbell& operator=(const RabbitMqDoorbell&) = delete;

  void Ring(const ReflectionJob& job) noexcept override;
  void RingWithTurn(const ReflectionJob& job, const Interaction& turn) noexcept override;

  // Of what waits here to be published; what the broker has stays.
  void LetGo(const UserKey& user) { publisher_.LetGo(user); }

  void LetGoOfAll() { publisher_.LetGoOfAll(); }

  bool Wait(std::stop_token stop, Deadline deadline) override;
  [[nodiscard]] bool Healthy() const noexcept override;

  // Takes no more messages; `accept` is not called afterwards. For a process that is about to end,
  // before its workers do.
  void StopConsuming();
  // Ends both connections, after what waits was published if that is a matter of half a second.
  // Rings and waits go on within the process. May be repeated.
  void Stop();

  // False: it was not healthy by `deadline`.
  bool WaitUntilHealthy(Deadline deadline);

  // Asks the broker on a connection of its own, within the connect and call budgets: what
  // RabbitMQ, credentials, vhost and rights have to say.
  [[nodiscard]] Status Probe() const;

  [[nodiscard]] RabbitMqStatus ReadStatus() const;

  [[nodiscard]] const BrokerNames& names() const { return names_; }

 private:
  RabbitMqDoorbell(const Clock& clock, StructuredLog& log, Options options, AmqpUrl url,
                   BrokerNames names, AcceptJob accept);

  [[nodiscard]] AmqpConnection::Options ConnectionOptions(const char* role) const;
  [[nodiscard]] ReflectionPublisher::Options PublisherOptions() const;
  [[nodiscard]] ReflectionConsumer::Options ConsumerOptions() const;

  StructuredLog& log_;
  const Options options_;
  const AmqpUrl url_;
  const BrokerNames names_;
  const std::string instance_;
  WakeSignal signal_;
  mutable DoorbellState state_;
  // Last, since their threads use what is above.
  ReflectionPublisher publisher_;
  std::optional<ReflectionConsumer> consumer_;
};

}  // namespace umbranet
