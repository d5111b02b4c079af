#include "tests/integration/rabbitmq_harness.h"

#include <utility>

#include <gtest/gtest.h>

#include "umbranet/base/unique_id.h"

#include "tests/integration/servers.h"

namespace umbranet {
namespace {

const SystemClock kRealClock;

// The doorbell of a contract test, in a place that it takes along.
class PlacedDoorbell final : public Doorbell {
 public:
  PlacedDoorbell() : doorbell_(place_.OpenHealthyDoorbell()) {}

  void Ring(const ReflectionJob& job) noexcept override { doorbell_->Ring(job); }

  void RingWithTurn(const ReflectionJob& job, const Interaction& turn) noexcept override {
    doorbell_->RingWithTurn(job, turn);
  }

  bool Wait(std::stop_token stop, Deadline deadline) override {
    return doorbell_->Wait(std::move(stop), deadline);
  }

  [[nodiscard]] bool Healthy() const noexcept override { return doorbell_->Healthy(); }

 private:
  RabbitMqPlace place_;
  std::unique_ptr<RabbitMqDoorbell> doorbell_;
};

BrokerNames RandomNames() {
  const std::string mark = "umbranet_test_" + RandomHex(8);
  return NamesFor(mark + "_exchange", mark + "_queue").value();
}

}  // namespace

RabbitMqPlace::RabbitMqPlace()
    : url_(ParseAmqpUrl(ServerUrl("RABBITMQ_URL").value()).value()),
      names_(RandomNames()),
      log_(clock, {.burst = 1'000,
                   .sink =
                       [this](std::string_view line) {
                         MutexLock lock(mutex_);
                         lines_ += std::string(line) + "\n";
                       }}),
      connection_(AmqpConnection::Open({.url = url_, .name = "umbranet test"}, guard_).value()) {
  const Status declared = DeclareTopology(*connection_, names_, log_);
  EXPECT_TRUE(declared.ok()) << declared.error().message;
}

RabbitMqPlace::~RabbitMqPlace() {
  // On a connection of its own, since a test may have done anything to the other one.
  StallGuard guard;
  auto connection = AmqpConnection::Open({.url = url_, .name = "umbranet test"}, guard);
  if (!connection.ok()) {
    return;
  }
  for (const std::string& queue : {names_.queue, names_.dead_letter_queue}) {
    [[maybe_unused]] const Status deleted = (*connection)->DeleteQueue(queue);
  }
  for (const std::string& exchange : {names_.exchange, names_.dead_letter_exchange}) {
    [[maybe_unused]] const Status deleted = (*connection)->DeleteExchange(exchange);
  }
}

RabbitMqDoorbell::Options RabbitMqPlace::DoorbellOptions() const {
  RabbitMqDoorbell::Options options;
  options.url = ServerUrl("RABBITMQ_URL").value();
  options.exchange = names_.exchange;
  options.queue = names_.queue;
  options.backoff = {.first = Millis{20}, .last = Millis{200}};
  options.breaker.probe_every = Millis{200};
  return options;
}

RabbitMqDoorbell::Options RabbitMqPlace::DoorbellOptions(std::uint16_t port) const {
  RabbitMqDoorbell::Options options = DoorbellOptions();
  const std::size_t host = options.url.find(url_.host + ":" + std::to_string(url_.port));
  options.url.replace(host, url_.host.size() + 1 + std::to_string(url_.port).size(),
                      "127.0.0.1:" + std::to_string(port));
  options.connect_budget = Millis{1'000};
  options.call_budget = Millis{3'000};
  return options;
}

std::unique_ptr<RabbitMqDoorbell> RabbitMqPlace::OpenDoorbell(RabbitMqDoorbell::Options options,
                                                              AcceptJob accept) {
  return RabbitMqDoorbell::Open(clock, log_, std::move(options), std::move(accept)).value();
}

std::unique_ptr<RabbitMqDoorbell> RabbitMqPlace::OpenHealthyDoorbell(AcceptJob accept) {
  auto doorbell = OpenDoorbell(DoorbellOptions(), std::move(accept));
  doorbell->WaitUntilHealthy(RabbitMqPatience());
  return doorbell;
}

std::unique_ptr<RabbitMqDoorbell> RabbitMqPlace::OpenHealthyRinger() {
  RabbitMqDoorbell::Options options = DoorbellOptions();
  options.consume = false;
  auto doorbell = OpenDoorbell(options);
  doorbell->WaitUntilHealthy(RabbitMqPatience());
  return doorbell;
}

void RabbitMqPlace::Publish(const std::string& body, AmqpHeaders headers, const std::string& type) {
  AmqpMessage message;
  message.body = body;
  message.type = type;
  message.headers = std::move(headers);
  message.timestamp = clock.Now();
  EXPECT_TRUE(connection_->Publish(names_.exchange, "reflection.ana", message).ok());
}

std::optional<AmqpMessage> RabbitMqPlace::TakeMessage(const std::string& queue) {
  return connection_->Get(queue).value();
}

std::optional<AmqpMessage> RabbitMqPlace::AwaitMessage(const std::string& queue) {
  const Deadline deadline = RabbitMqPatience();
  std::optional<AmqpMessage> message = TakeMessage(queue);
  while (!message.has_value() && !deadline.Expired()) {
    message = TakeMessage(queue);
  }
  return message;
}

std::string RabbitMqPlace::Log() {
  MutexLock lock(mutex_);
  return lines_;
}

Deadline RabbitMqPatience() {
  return Deadline::After(kRealClock, std::chrono::seconds(30));
}

DoorbellEngine RabbitMqDoorbellEngine() {
  return {"RabbitMq", [] { return std::make_unique<PlacedDoorbell>(); },
          [] { return MissingServer("RABBITMQ_URL"); }};
}

}  // namespace umbranet
