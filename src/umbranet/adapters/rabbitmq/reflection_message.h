// What travels through the broker: a reflection job with its turn, as one JSON object. The fields,
// which other programs may write too, are described in docs/broker_messages.md. Pure functions;
// they may be called from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

// The AMQP property "type" of a message that holds a whole job, and of one that only wakes.
inline constexpr std::string_view kJobMessageType = "reflection.job.v1";
inline constexpr std::string_view kRingMessageType = "reflection.ring.v1";
inline constexpr int kMessageSchema = 1;
// The header by which a process knows its own messages.
inline constexpr std::string_view kInstanceHeader = "x-umbra-instance";

// A longer job travels as a ring alone; its turn is in the journal.
inline constexpr std::size_t kInlineBytesMax = std::size_t{128} << 10U;
// Of what other programs send: a turn of 1 MiB, escaped, with its metadata.
inline constexpr std::size_t kMessageBytesMax = std::size_t{8} << 20U;

// A job as a message tells of it.
struct IncomingJob {
  // interaction_id is never empty: where a producer names none, its job_id takes that place, so
  // that the same message is the same turn however often it comes. accepted_at is when the producer
  // made it, and zero when it did not say; so is occurred_at.
  Interaction turn;
  std::string traceparent;  // From the message's headers; may be empty.
};

// The message for a job and its turn. Nothing when it cannot be told whole (longer than
// kInlineBytesMax, text that is not UTF-8, a generation that is not the turn's first): then it is
// rung for with EncodeRing.
std::optional<std::string> EncodeJob(const ReflectionJob& job, const Interaction& turn);

// A few words for whoever looks into the queue; nobody reads them back.
std::string EncodeRing(const ReflectionJob& job);

// kInvalidArgument names the field that is wrong, and never repeats its text.
Result<IncomingJob> DecodeJob(std::string_view bytes);

// "reflection.<user>" where the user id may stand in a routing key ([A-Za-z0-9_-]{1,200}), else
// "reflection.h-<32 hexadecimal digits of its SHA-256>".
std::string RoutingKey(std::string_view user_id);

}  // namespace umbranet
