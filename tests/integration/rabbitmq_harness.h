// A place of each test's own on the RabbitMQ server, and a second way into it that knows nothing of
// the doorbell.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/rabbitmq/amqp_connection.h"
#include "umbranet/adapters/rabbitmq/rabbitmq_doorbell.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/telemetry/structured_log.h"

#include "tests/contract/doorbell_engines.h"

namespace umbranet {

// Exchanges and queues with random names, removed afterwards.
class RabbitMqPlace {
 public:
  RabbitMqPlace();
  ~RabbitMqPlace();
  RabbitMqPlace(const RabbitMqPlace&) = delete;
  RabbitMqPlace& operator=(const RabbitMqPlace&) = delete;

  // With the budgets of a test: what takes seconds in a process takes tenths here.
  [[nodiscard]] RabbitMqDoorbell::Options DoorbellOptions() const;
  // The same through a port of this machine that leads to the server.
  [[nodiscard]] RabbitMqDoorbell::Options DoorbellOptions(std::uint16_t port) const;

  std::unique_ptr<RabbitMqDoorbell> OpenDoorbell(RabbitMqDoorbell::Options options,
                                                 AcceptJob accept = {});
  // Healthy already.
  std::unique_ptr<RabbitMqDoorbell> OpenHealthyDoorbell(AcceptJob accept = {});
  // Healthy, and takes nothing from the queue.
  std::unique_ptr<RabbitMqDoorbell> OpenHealthyRinger();

  // As a foreign producer does it.
  void Publish(const std::string& body, AmqpHeaders headers = {}, const std::string& type = "");
  // The next message of a queue, once there is one.
  std::optional<AmqpMessage> AwaitMessage(const std::string& queue);
  // Nothing when the queue is empty.
  std::optional<AmqpMessage> TakeMessage(const std::string& queue);

  [[nodiscard]] const BrokerNames& names() const { return names_; }

  [[nodiscard]] const AmqpUrl& url() const { return url_; }

  AmqpConnection& connection() { return *connection_; }

  // Everything that doorbells of this place have logged.
  std::string Log();

  const SystemClock clock;

 private:
  const AmqpUrl url_;
  const BrokerNames names_;
  Mutex mutex_;
  std::string lines_ GUARDED_BY(mutex_);
  StructuredLog log_;
  StallGuard guard_;
  std::unique_ptr<AmqpConnection> connection_;
};

// Long enough for a busy machine; whoever waits so long has failed.
Deadline RabbitMqPatience();

DoorbellEngine RabbitMqDoorbellEngine();

}  // namespace umbranet
