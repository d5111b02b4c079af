// One connection to a broker over rabbitmq-c, with one channel in use at a time. Everything that
// the library says in its own way is a Status or an event here.
//
// Not for use from several threads at once. No call blocks for longer than the options' budgets;
// the stall guard can end each of them sooner. Errors name the server and what to do, never the
// password: kUnavailable (away, or gone during the call: connect again), kFailedPrecondition
// (credentials, vhost, certificate, or a declaration that differs from what is there: an operator
// must act), kPermissionDenied and kNotFound (of the user's rights, of a queue or exchange).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "umbranet/adapters/rabbitmq/amqp_url.h"
#include "umbranet/adapters/rabbitmq/stall_guard.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Headers whose value is text or a whole number.
using AmqpHeaders = std::vector<std::pair<std::string, std::variant<std::int64_t, std::string>>>;

struct AmqpMessage {
  std::string body;
  std::string type;
  std::string message_id;
  std::string correlation_id;
  std::string content_type;
  std::string app_id;
  std::uint8_t priority = 0;
  Timestamp timestamp{};  // To the second.
  AmqpHeaders headers;    // Of a delivery, those with text or whole numbers alone.

  // The text of a header; empty when there is none.
  [[nodiscard]] std::string_view TextHeader(std::string_view name) const;
};

struct AmqpDelivery {
  std::uint64_t tag = 0;
  AmqpMessage message;
};

// The broker has taken responsibility for a publish (or refused to); with `multiple` for all up to
// it. Publishes are counted from 1 on each channel.
struct AmqpConfirm {
  std::uint64_t tag = 0;
  bool multiple = false;
  bool accepted = true;
};

// A publish that no queue wanted; its confirm follows.
struct AmqpReturn {
  std::string reason;
  std::string message_id;
};

// The broker takes no publishes (its memory or disk is short), or takes them again.
struct AmqpBlocked {
  bool blocked = true;
  std::string reason;
};

// The queue that was consumed from is gone.
struct AmqpConsumerCancelled {};

using AmqpEvent =
    std::variant<AmqpDelivery, AmqpConfirm, AmqpReturn, AmqpBlocked, AmqpConsumerCancelled>;

class AmqpConnection {
 public:
  struct Options {
    AmqpUrl url;
    std::string name;  // What operators see in the broker's list.
    Millis connect_budget{3'000};
    Millis call_budget{5'000};
    int heartbeat_s = 10;
  };

  // Connects and opens a channel. `guard` must outlive the connection.
  static Result<std::unique_ptr<AmqpConnection>> Open(const Options& options, StallGuard& guard);
  // Closes the socket without ceremony.
  ~AmqpConnection();
  AmqpConnection(const AmqpConnection&) = delete;
  AmqpConnection& operator=(const AmqpConnection&) = delete;

  // Says goodbye to the broker, for at most `budget`.
  void Close(Millis budget);

  // A fresh channel in place of one that the broker has closed. What is still under way for the old
  // one is passed over.
  Status ReplaceChannel();

  // After kFailedPrecondition, kPermissionDenied and kNotFound the channel was closed by the
  // broker: call ReplaceChannel.
  Status DeclareExchange(const std::string& name, bool passive);  // topic, durable
  Status DeclareQueue(const std::string& name, const AmqpHeaders& arguments, bool passive);
  Status BindQueue(const std::string& queue, const std::string& exchange, const std::string& key);
  Status DeleteQueue(const std::string& name);
  Status DeleteExchange(const std::string& name);

  Status SelectConfirms();
  // Durable and mandatory.
  Status Publish(const std::string& exchange, const std::string& key, const AmqpMessage& message);
  // While on, what is published leaves in full packets only; the rest goes out when it is off, or
  // after a fifth of a second. The broker then reads many messages at once.
  void GatherWrites(bool on) const noexcept;

  // Deliveries begin to come, at most `prefetch` of them unsettled.
  Status Consume(const std::string& queue, std::uint16_t prefetch);
  Status Ack(std::uint64_t delivery_tag);
  // And every earlier delivery that is not settled yet.
  Status AckThrough(std::uint64_t delivery_tag);
  // Not to be delivered again: to the dead letters.
  Status Reject(std::uint64_t delivery_tag);
  // One message, acknowledged; nothing when the queue is empty.
  Result<std::optional<AmqpMessage>> Get(const std::string& queue);

  // Returns when Next may have something, when `wake_fd` is readable, at `until`, or after a few
  // seconds: the heartbeats of the protocol are kept up by Next alone, so call it then too.
  void Wait(int wake_fd, SteadyTime until) const;
  // Never waits for a message to begin, only for a begun one to end. An error: the channel or the
  // connection is gone.
  Result<std::optional<AmqpEvent>> Next();

  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  struct Client;

  AmqpConnection(Options options, StallGuard& guard);
  Status Connect();
  Status Login();
  Status LastReply(std::string_view what);
  Error ClosedByServer(std::string_view what, std::uint32_t method, void* decoded);
  Error LibraryError(std::string_view what, int status) const;
  Result<AmqpMessage> ReadMessage();
  Result<std::optional<AmqpEvent>> ReadEvent(std::uint16_t channel, std::uint32_t method,
                                             void* decoded);

  const Options options_;
  StallGuard& guard_;
  const std::string server_;
  std::unique_ptr<Client> client_;
  std::uint16_t channel_ = 0;
};

}  // namespace umbranet
