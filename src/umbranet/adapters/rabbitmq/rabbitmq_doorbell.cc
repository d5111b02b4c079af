#include "umbranet/adapters/rabbitmq/rabbitmq_doorbell.h"

#include <utility>

#include "umbranet/base/unique_id.h"

namespace umbranet {

Result<std::unique_ptr<RabbitMqDoorbell>> RabbitMqDoorbell::Open(const Clock& clock,
                                                                 StructuredLog& log,
                                                                 Options options,
                                                                 AcceptJob accept) {
  UMBRANET_ASSIGN_OR_RETURN(AmqpUrl url, ParseAmqpUrl(options.url));
  UMBRANET_ASSIGN_OR_RETURN(BrokerNames names, NamesFor(options.exchange, options.queue));
  return std::unique_ptr<RabbitMqDoorbell>(new RabbitMqDoorbell(
      clock, log, std::move(options), std::move(url), std::move(names), std::move(accept)));
}

RabbitMqDoorbell::RabbitMqDoorbell(const Clock& clock, StructuredLog& log, Options options,
                                   AmqpUrl url, BrokerNames names, AcceptJob accept)
    : log_(log),
      options_(std::move(options)),
      url_(std::move(url)),
      names_(std::move(names)),
      instance_(RandomHex(8)),
      state_(options_.consume),
      publisher_(clock, log, state_, PublisherOptions()) {
  if (options_.consume) {
    consumer_.emplace(clock, log, state_, ConsumerOptions(), std::move(accept),
                      [this] { signal_.Notify(); });
  }
}

RabbitMqDoorbell::~RabbitMqDoorbell() {
  Stop();
}

void RabbitMqDoorbell::Ring(const ReflectionJob& job) noexcept {
  signal_.Notify();
  publisher_.Put(job, nullptr);
}

void RabbitMqDoorbell::RingWithTurn(const ReflectionJob& job, const Interaction& turn) noexcept {
  signal_.Notify();
  publisher_.Put(job, &turn);
}

bool RabbitMqDoorbell::Wait(std::stop_token stop, Deadline deadline) {
  return signal_.Wait(std::move(stop), deadline);
}

bool RabbitMqDoorbell::Healthy() const noexcept {
  return state_.Healthy();
}

void RabbitMqDoorbell::StopConsuming() {
  if (consumer_.has_value()) {
    consumer_->Stop();
  }
}

void RabbitMqDoorbell::Stop() {
  StopConsuming();
  publisher_.Stop();
}

bool RabbitMqDoorbell::WaitUntilHealthy(Deadline deadline) {
  return state_.WaitUntilHealthy(deadline);
}

Status RabbitMqDoorbell::Probe() const {
  StallGuard guard;
  UMBRANET_ASSIGN_OR_RETURN(const auto connection,
                            AmqpConnection::Open(ConnectionOptions("probe"), guard));
  UMBRANET_RETURN_IF_ERROR(DeclareTopology(*connection, names_, log_));
  connection->Close(options_.call_budget);
  return {};
}

RabbitMqStatus RabbitMqDoorbell::ReadStatus() const {
  return state_.Snapshot();
}

AmqpConnection::Options RabbitMqDoorbell::ConnectionOptions(const char* role) const {
  return {.url = url_,
          .name = "umbranet " + std::string(role) + " " + instance_,
          .connect_budget = options_.connect_budget,
          .call_budget = options_.call_budget};
}

ReflectionPublisher::Options RabbitMqDoorbell::PublisherOptions() const {
  return {.connection = ConnectionOptions("publisher"),
          .names = names_,
          .instance = instance_,
          .confirm_timeout = options_.confirm_timeout,
          .waiting_max = options_.waiting_max,
          .breaker = options_.breaker,
          .backoff = options_.backoff};
}

ReflectionConsumer::Options RabbitMqDoorbell::ConsumerOptions() const {
  return {.connection = ConnectionOptions("consumer"),
          .names = names_,
          .instance = instance_,
          .prefetch = options_.prefetch,
          .known = options_.known,
          .backoff = options_.backoff};
}

}  // namespace umbranet
