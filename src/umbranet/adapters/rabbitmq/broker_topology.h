// The exchange and queues that reflection jobs travel through, and how they are declared.
#pragma once

#include <string>
#include <string_view>

#include "umbranet/adapters/rabbitmq/amqp_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

inline constexpr std::string_view kDefaultExchange = "memory_reflection_exchange";
inline constexpr std::string_view kDefaultQueue = "memory_reflection_queue";

struct BrokerNames {
  std::string exchange;
  std::string queue;
  std::string dead_letter_exchange;
  std::string dead_letter_queue;

  bool operator==(const BrokerNames&) const = default;
};

// The dead letters go beside the rest: "x_exchange" has "x_dlx" and "x_queue" has "x_dlq"; names
// that end otherwise get "_dlx" and "_dlq" appended. kInvalidArgument: a name that no broker takes.
Result<BrokerNames> NamesFor(std::string_view exchange, std::string_view queue);

// Declares everything and binds it, which changes nothing where it is there already. What is there
// with other properties, or may not be declared by this user, is logged and used as it is.
Status DeclareTopology(AmqpConnection& connection, const BrokerNames& names, StructuredLog& log);

}  // namespace umbranet
