#include "umbranet/adapters/rabbitmq/broker_topology.h"

#include <cstdint>
#include <functional>
#include <utility>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::size_t kNameBytesMax = 200;  // Of the 255 that the protocol has room for.

// An explicit limit, since what happens without one differs between versions of the broker.
constexpr std::int64_t kDeliveryLimit = 20;
// At a lower limit an operator who looks at a dead letter too often deletes it.
constexpr std::int64_t kDeadLetterDeliveryLimit = 1'000'000;

std::string Beside(std::string_view name, std::string_view ending, std::string_view in_its_place) {
  if (name.ends_with(ending)) {
    name.remove_suffix(ending.size());
  }
  return std::string(name) + std::string(in_its_place);
}

Status CheckName(std::string_view setting, std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || name.starts_with("amq.") ||
      !IsValidUtf8(name) || HasControlCharacters(name)) {
    return InvalidArgument("rabbitmq: " + std::string(setting) +
                           " must have 1 to 200 bytes and not begin with 'amq.'");
  }
  return {};
}

AmqpHeaders QueueArguments(const BrokerNames& names) {
  // The at-least-once strategy demands reject-publish; without a length limit nothing is rejected.
  return {{"x-queue-type", "quorum"},
          {"x-delivery-limit", kDeliveryLimit},
          {"x-dead-letter-exchange", names.dead_letter_exchange},
          {"x-dead-letter-strategy", "at-least-once"},
          {"x-overflow", "reject-publish"},
          {"x-queue-leader-locator", "balanced"}};
}

AmqpHeaders DeadLetterArguments() {
  return {{"x-queue-type", "quorum"}, {"x-delivery-limit", kDeadLetterDeliveryLimit}};
}

bool IsOfTheServersMaking(const Error& error) {
  return error.code == ErrorCode::kFailedPrecondition || error.code == ErrorCode::kPermissionDenied;
}

class Declarer {
 public:
  Declarer(AmqpConnection& connection, StructuredLog& log) : connection_(connection), log_(log) {}

  // `declare` is told whether only to look.
  Status Declare(std::string_view name, const std::function<Status(bool passive)>& declare) {
    Status declared = declare(false);
    if (declared.ok() || !IsOfTheServersMaking(declared.error())) {
      return declared;
    }
    UMBRANET_RETURN_IF_ERROR(connection_.ReplaceChannel());
    Status there = declare(true);
    if (!there.ok()) {
      // Neither there nor to be made: the reason why not is what helps.
      return there.error().code == ErrorCode::kNotFound ? std::move(declared) : std::move(there);
    }
    log_.Warning("rabbitmq_drift", {{"name", name}, {"error", declared.error().message}});
    return {};
  }

  Status Bind(const std::string& queue, const std::string& exchange, const std::string& key) {
    Status bound = connection_.BindQueue(queue, exchange, key);
    if (bound.ok() || !IsOfTheServersMaking(bound.error())) {
      return bound;
    }
    log_.Warning("rabbitmq_drift", {{"name", queue}, {"error", bound.error().message}});
    return connection_.ReplaceChannel();
  }

 private:
  AmqpConnection& connection_;
  StructuredLog& log_;
};

}  // namespace

Result<BrokerNames> NamesFor(std::string_view exchange, std::string_view queue) {
  UMBRANET_RETURN_IF_ERROR(CheckName("RABBITMQ_EXCHANGE", exchange));
  UMBRANET_RETURN_IF_ERROR(CheckName("RABBITMQ_QUEUE", queue));
  return BrokerNames{.exchange = std::string(exchange),
                     .queue = std::string(queue),
                     .dead_letter_exchange = Beside(exchange, "_exchange", "_dlx"),
                     .dead_letter_queue = Beside(queue, "_queue", "_dlq")};
}

Status DeclareTopology(AmqpConnection& connection, const BrokerNames& names, StructuredLog& log) {
  Declarer declarer(connection, log);
  const auto exchange = [&](const std::string& name) {
    return declarer.Declare(
        name, [&](bool passive) { return connection.DeclareExchange(name, passive); });
  };
  const auto queue = [&](const std::string& name, const AmqpHeaders& arguments) {
    return declarer.Declare(
        name, [&](bool passive) { return connection.DeclareQueue(name, arguments, passive); });
  };
  // The dead letters first, so that none is lost to a queue that is not there yet.
  UMBRANET_RETURN_IF_ERROR(exchange(names.dead_letter_exchange));
  UMBRANET_RETURN_IF_ERROR(queue(names.dead_letter_queue, DeadLetterArguments()));
  UMBRANET_RETURN_IF_ERROR(declarer.Bind(names.dead_letter_queue, names.dead_letter_exchange, "#"));
  UMBRANET_RETURN_IF_ERROR(exchange(names.exchange));
  UMBRANET_RETURN_IF_ERROR(queue(names.queue, QueueArguments(names)));
  return declarer.Bind(names.queue, names.exchange, "reflection.#");
}

}  // namespace umbranet
