#include "umbranet/adapters/rabbitmq/amqp_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "umbranet/base/crash_point.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr int kFrameBytesMax = 131'072;
constexpr std::uint16_t kChannelMax = 2'000;
constexpr Millis kHeartbeatStep{2'000};
constexpr std::uint8_t kDurable = 2;
constexpr std::size_t kShortStringMax = 255;
constexpr std::size_t kServerWordsMax = 300;

constexpr int kAccessRefused = 403;
constexpr int kNotFoundReply = 404;
constexpr int kPreconditionFailed = 406;
constexpr int kNotAllowed = 530;

timeval ToTimeval(Millis budget) {
  return {.tv_sec = budget.count() / 1000,
          .tv_usec = static_cast<suseconds_t>(budget.count() % 1000 * 1000)};
}

// A view of `text` for the length of one call.
amqp_bytes_t Bytes(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

// What does not fit into a short string of the protocol is left out; the body has it all.
std::string_view ShortString(std::string_view text) {
  return text.size() <= kShortStringMax ? text : std::string_view();
}

std::string Text(amqp_bytes_t bytes) {
  return bytes.len == 0 ? std::string() : std::string(static_cast<char*>(bytes.bytes), bytes.len);
}

// The server's words on one line, short.
std::string Words(amqp_bytes_t bytes) {
  const std::string text = Text(bytes);
  std::string words(TruncateUtf8(text, kServerWordsMax));
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return words;
}

// A table over strings that outlive it.
class Table {
 public:
  explicit Table(const AmqpHeaders& headers) {
    entries_.reserve(headers.size());
    for (const auto& [name, value] : headers) {
      amqp_table_entry_t entry{};
      entry.key = Bytes(name);
      if (const auto* text = std::get_if<std::string>(&value)) {
        entry.value.kind = AMQP_FIELD_KIND_UTF8;
        entry.value.value.bytes = Bytes(*text);
      } else {
        entry.value.kind = AMQP_FIELD_KIND_I64;
        entry.value.value.i64 = std::get<std::int64_t>(value);
      }
      entries_.push_back(entry);
    }
  }

  [[nodiscard]] amqp_table_t Get() { return {static_cast<int>(entries_.size()), entries_.data()}; }

 private:
  std::vector<amqp_table_entry_t> entries_;
};

AmqpHeaders ReadHeaders(const amqp_table_t& table) {
  AmqpHeaders headers;
  for (int i = 0; i < table.num_entries; ++i) {
    const amqp_table_entry_t& entry = table.entries[i];
    switch (entry.value.kind) {
      case AMQP_FIELD_KIND_UTF8:
      case AMQP_FIELD_KIND_BYTES:
        headers.emplace_back(Text(entry.key), Text(entry.value.value.bytes));
        break;
      case AMQP_FIELD_KIND_I32:
        headers.emplace_back(Text(entry.key), std::int64_t{entry.value.value.i32});
        break;
      case AMQP_FIELD_KIND_I64:
        headers.emplace_back(Text(entry.key), entry.value.value.i64);
        break;
      default:
        break;
    }
  }
  return headers;
}

// Of a failed connection: what an operator can do about it.
std::string_view Advice(int status) {
  switch (status) {
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
      return "the host name is not known; correct RABBITMQ_URL";
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
      return "TLS failed or the certificate is not trusted; name the right host, or its authority"
             " with ?cacertfile=, in RABBITMQ_URL";
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_TCP_ERROR:
    case AMQP_STATUS_TIMEOUT:
      return "nobody answers; start it, or correct RABBITMQ_URL";
    default:
      return {};
  }
}

bool NeedsOperator(int status) {
  return status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED ||
         status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED;
}

}  // namespace

struct AmqpConnection::Client {
  Client() : state(amqp_new_connection()) {}

  ~Client() {
    if (state != nullptr) {
      amqp_destroy_connection(state);
    }
  }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  amqp_connection_state_t state;
};

std::string_view AmqpMessage::TextHeader(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (header == name) {
      const auto* const text = std::get_if<std::string>(&value);
      return text == nullptr ? std::string_view() : std::string_view(*text);
    }
  }
  return {};
}

AmqpConnection::AmqpConnection(Options options, StallGuard& guard)
    : options_(std::move(options)),
      guard_(guard),
      server_(ServerName(options_.url)),
      client_(std::make_unique<Client>()) {}

AmqpConnection::~AmqpConnection() {
  guard_.Forget();
}

Result<std::unique_ptr<AmqpConnection>> AmqpConnection::Open(const Options& options,
                                                             StallGuard& guard) {
  std::unique_ptr<AmqpConnection> connection(new AmqpConnection(options, guard));
  UMBRANET_RETURN_IF_ERROR(connection->Connect());
  UMBRANET_RETURN_IF_ERROR(connection->Login());
  UMBRANET_RETURN_IF_ERROR(connection->ReplaceChannel());
  return connection;
}

Status AmqpConnection::Connect() {
  amqp_connection_state_t state = client_->state;
  amqp_socket_t* const socket = state == nullptr   ? nullptr
                                : options_.url.tls ? amqp_ssl_socket_new(state)
                                                   : amqp_tcp_socket_new(state);
  if (socket == nullptr) {
    return Unavailable(server_ + ": no memory for a connection");
  }
  if (options_.url.tls) {
    auto* const context = static_cast<SSL_CTX*>(amqp_ssl_socket_get_context(socket));
    const int trusted =
        options_.url.ca_file.empty()
            ? SSL_CTX_set_default_verify_paths(context)
            : SSL_CTX_load_verify_locations(context, options_.url.ca_file.c_str(), nullptr);
    if (trusted != 1) {
      return FailedPrecondition(server_ + ": the certificates of ?cacertfile= cannot be read");
    }
  }
  const timeval connect = ToTimeval(options_.connect_budget);
  const timeval call = ToTimeval(options_.call_budget);
  amqp_set_handshake_timeout(state, &call);
  amqp_set_rpc_timeout(state, &call);
  const int status =
      amqp_socket_open_noblock(socket, options_.url.host.c_str(), options_.url.port, &connect);
  if (status != AMQP_STATUS_OK) {
    return LibraryError("cannot connect", status);
  }
  // The library has set TCP_NODELAY.
  guard_.Watch(amqp_get_sockfd(state));
  return {};
}

Status AmqpConnection::Login() {
  amqp_table_entry_t capabilities[3] = {};
  constexpr const char* kNames[] = {"connection.blocked", "consumer_cancel_notify",
                                    "authentication_failure_close"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    capabilities[i].key = amqp_cstring_bytes(kNames[i]);
    capabilities[i].value.kind = AMQP_FIELD_KIND_BOOLEAN;
    capabilities[i].value.value.boolean = 1;
  }
  amqp_table_entry_t properties[2] = {};
  properties[0].key = amqp_cstring_bytes("capabilities");
  properties[0].value.kind = AMQP_FIELD_KIND_TABLE;
  properties[0].value.value.table = {static_cast<int>(std::size(capabilities)), capabilities};
  properties[1].key = amqp_cstring_bytes("connection_name");
  properties[1].value.kind = AMQP_FIELD_KIND_UTF8;
  properties[1].value.value.bytes = Bytes(options_.name);
  const amqp_table_t table{static_cast<int>(std::size(properties)), properties};
  const amqp_rpc_reply_t reply = amqp_login_with_properties(
      client_->state, options_.url.vhost.c_str(), 0, kFrameBytesMax, options_.heartbeat_s, &table,
      AMQP_SASL_METHOD_PLAIN, options_.url.user.c_str(), options_.url.password.c_str());
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    return ClosedByServer("cannot log in", reply.reply.id, reply.reply.decoded);
  }
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
    return LibraryError("cannot log in", reply.library_error);
  }
  return {};
}

void AmqpConnection::Close(Millis budget) {
  const timeval timeout = ToTimeval(budget);
  amqp_set_rpc_timeout(client_->state, &timeout);
  guard_.Begin(budget * 2);
  amqp_connection_close(client_->state, AMQP_REPLY_SUCCESS);
  guard_.End();
}

Status AmqpConnection::ReplaceChannel() {
  if (channel_ >= kChannelMax) {
    return Unavailable(server_ + ": this connection has used up its channels");
  }
  ++channel_;
  amqp_channel_open(client_->state, channel_);
  return LastReply("cannot open a channel");
}

Status AmqpConnection::DeclareExchange(const std::string& name, bool passive) {
  amqp_exchange_declare(client_->state, channel_, Bytes(name), amqp_cstring_bytes("topic"),
                        passive ? 1 : 0, /*durable=*/1, /*auto_delete=*/0, /*internal=*/0,
                        amqp_empty_table);
  return LastReply("cannot declare exchange " + name);
}

Status AmqpConnection::DeclareQueue(const std::string& name, const AmqpHeaders& arguments,
                                    bool passive) {
  Table table(arguments);
  amqp_queue_declare(client_->state, channel_, Bytes(name), passive ? 1 : 0, /*durable=*/1,
                     /*exclusive=*/0, /*auto_delete=*/0, table.Get());
  return LastReply("cannot declare queue " + name);
}

Status AmqpConnection::BindQueue(const std::string& queue, const std::string& exchange,
                                 const std::string& key) {
  amqp_queue_bind(client_->state, channel_, Bytes(queue), Bytes(exchange), Bytes(key),
                  amqp_empty_table);
  return LastReply("cannot bind queue " + queue + " to exchange " + exchange);
}

Status AmqpConnection::DeleteQueue(const std::string& name) {
  amqp_queue_delete(client_->state, channel_, Bytes(name), /*if_unused=*/0, /*if_empty=*/0);
  return LastReply("cannot delete queue " + name);
}

Status AmqpConnection::DeleteExchange(const std::string& name) {
  amqp_exchange_delete(client_->state, channel_, Bytes(name), /*if_unused=*/0);
  return LastReply("cannot delete exchange " + name);
}

Status AmqpConnection::SelectConfirms() {
  amqp_confirm_select(client_->state, channel_);
  return LastReply("cannot ask for confirms");
}

Status AmqpConnection::Publish(const std::string& exchange, const std::string& key,
                               const AmqpMessage& message) {
  Table headers(message.headers);
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG |
                      AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_HEADERS_FLAG;
  properties.delivery_mode = kDurable;
  properties.priority = message.priority;
  properties.timestamp = static_cast<std::uint64_t>(ToUnixMillis(message.timestamp) / 1000);
  properties.headers = headers.Get();
  const auto set = [&](amqp_flags_t flag, amqp_bytes_t& property, std::string_view text) {
    if (!ShortString(text).empty()) {
      properties._flags |= flag;
      property = Bytes(text);
    }
  };
  set(AMQP_BASIC_TYPE_FLAG, properties.type, message.type);
  set(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, message.message_id);
  set(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, message.correlation_id);
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type, message.content_type);
  set(AMQP_BASIC_APP_ID_FLAG, properties.app_id, message.app_id);
  guard_.Begin(options_.call_budget);
  const int status =
      amqp_basic_publish(client_->state, channel_, Bytes(exchange), Bytes(key), /*mandatory=*/1,
                         /*immediate=*/0, &properties, Bytes(message.body));
  guard_.End();
  UMBRANET_CRASH_POINT_PASSED("publish.after_send");
  if (status != AMQP_STATUS_OK) {
    return LibraryError("cannot publish", status);
  }
  return {};
}

Status AmqpConnection::Consume(const std::string& queue, std::uint16_t prefetch) {
  amqp_basic_qos(client_->state, channel_, 0, prefetch, /*global=*/0);
  UMBRANET_RETURN_IF_ERROR(LastReply("cannot limit deliveries"));
  amqp_basic_consume(client_->state, channel_, Bytes(queue), amqp_empty_bytes, /*no_local=*/0,
                     /*no_ack=*/0, /*exclusive=*/0, amqp_empty_table);
  return LastReply("cannot consume from queue " + queue);
}

Status AmqpConnection::Ack(std::uint64_t delivery_tag) {
  guard_.Begin(options_.call_budget);
  const int status = amqp_basic_ack(client_->state, channel_, delivery_tag, /*multiple=*/0);
  guard_.End();
  return status == AMQP_STATUS_OK ? Status() : LibraryError("cannot acknowledge", status);
}

Status AmqpConnection::AckThrough(std::uint64_t delivery_tag) {
  guard_.Begin(options_.call_budget);
  const int status = amqp_basic_ack(client_->state, channel_, delivery_tag, /*multiple=*/1);
  guard_.End();
  return status == AMQP_STATUS_OK ? Status() : LibraryError("cannot acknowledge", status);
}

Status AmqpConnection::Reject(std::uint64_t delivery_tag) {
  guard_.Begin(options_.call_budget);
  const int status = amqp_basic_reject(client_->state, channel_, delivery_tag, /*requeue=*/0);
  guard_.End();
  return status == AMQP_STATUS_OK ? Status() : LibraryError("cannot reject", status);
}

Result<std::optional<AmqpMessage>> AmqpConnection::Get(const std::string& queue) {
  amqp_maybe_release_buffers(client_->state);
  const amqp_rpc_reply_t reply =
      amqp_basic_get(client_->state, channel_, Bytes(queue), /*no_ack=*/1);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    return ClosedByServer("cannot read queue " + queue, reply.reply.id, reply.reply.decoded);
  }
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
    return LibraryError("cannot read queue " + queue, reply.library_error);
  }
  if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) {
    return std::optional<AmqpMessage>();
  }
  UMBRANET_ASSIGN_OR_RETURN(AmqpMessage message, ReadMessage());
  return std::optional(std::move(message));
}

void AmqpConnection::GatherWrites(bool on) const noexcept {
  const int value = on ? 1 : 0;
  // Where it cannot be had, messages go out one by one.
  (void)::setsockopt(amqp_get_sockfd(client_->state), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

void AmqpConnection::Wait(int wake_fd, SteadyTime until) const {
  if (amqp_frames_enqueued(client_->state) != 0 || amqp_data_in_buffer(client_->state) != 0) {
    return;
  }
  const auto left = std::chrono::ceil<Millis>(until - SystemClock{}.SteadyNow());
  const Millis wait = std::clamp<Millis>(left, Millis{0}, kHeartbeatStep);
  pollfd waited[2] = {{amqp_get_sockfd(client_->state), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  ::poll(waited, 2, static_cast<int>(wait.count()));
}

Result<std::optional<AmqpEvent>> AmqpConnection::Next() {
  amqp_maybe_release_buffers(client_->state);
  while (true) {
    amqp_frame_t frame{};
    const timeval no_time{};
    const int status = amqp_simple_wait_frame_noblock(client_->state, &frame, &no_time);
    if (status == AMQP_STATUS_TIMEOUT) {
      return std::optional<AmqpEvent>();
    }
    if (status != AMQP_STATUS_OK) {
      return LibraryError("the connection is gone", status);
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) {
      continue;  // The rest of a message that was for a channel of before.
    }
    auto event = ReadEvent(frame.channel, frame.payload.method.id, frame.payload.method.decoded);
    if (!event.ok() || event->has_value()) {
      return event;
    }
  }
}

Result<std::optional<AmqpEvent>> AmqpConnection::ReadEvent(std::uint16_t channel,
                                                           std::uint32_t method, void* decoded) {
  if (method == AMQP_CONNECTION_CLOSE_METHOD) {
    return ClosedByServer("the connection was closed", method, decoded);
  }
  if (method == AMQP_CONNECTION_BLOCKED_METHOD) {
    const auto* const blocked = static_cast<amqp_connection_blocked_t*>(decoded);
    return std::optional<AmqpEvent>(AmqpBlocked{true, Words(blocked->reason)});
  }
  if (method == AMQP_CONNECTION_UNBLOCKED_METHOD) {
    return std::optional<AmqpEvent>(AmqpBlocked{false, {}});
  }
  if (channel != channel_) {
    return std::optional<AmqpEvent>();
  }
  switch (method) {
    case AMQP_CHANNEL_CLOSE_METHOD:
      return ClosedByServer("the channel was closed", method, decoded);
    case AMQP_BASIC_ACK_METHOD: {
      const auto* const ack = static_cast<amqp_basic_ack_t*>(decoded);
      return std::optional<AmqpEvent>(AmqpConfirm{ack->delivery_tag, ack->multiple != 0, true});
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto* const nack = static_cast<amqp_basic_nack_t*>(decoded);
      return std::optional<AmqpEvent>(AmqpConfirm{nack->delivery_tag, nack->multiple != 0, false});
    }
    case AMQP_BASIC_RETURN_METHOD: {
      AmqpReturn returned{Words(static_cast<amqp_basic_return_t*>(decoded)->reply_text), {}};
      UMBRANET_ASSIGN_OR_RETURN(AmqpMessage message, ReadMessage());
      returned.message_id = std::move(message.message_id);
      return std::optional<AmqpEvent>(std::move(returned));
    }
    case AMQP_BASIC_DELIVER_METHOD: {
      AmqpDelivery delivery;
      delivery.tag = static_cast<amqp_basic_deliver_t*>(decoded)->delivery_tag;
      UMBRANET_ASSIGN_OR_RETURN(delivery.message, ReadMessage());
      return std::optional<AmqpEvent>(std::move(delivery));
    }
    case AMQP_BASIC_CANCEL_METHOD:
      return std::optional<AmqpEvent>(AmqpConsumerCancelled{});
    default:
      return std::optional<AmqpEvent>();
  }
}

Result<AmqpMessage> AmqpConnection::ReadMessage() {
  amqp_message_t read{};
  guard_.Begin(options_.call_budget);
  const amqp_rpc_reply_t reply = amqp_read_message(client_->state, channel_, &read, 0);
  guard_.End();
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
    return LibraryError("a message was cut short", reply.library_error);
  }
  AmqpMessage message;
  message.body = Text(read.body);
  const amqp_basic_properties_t& properties = read.properties;
  const auto get = [&](amqp_flags_t flag, amqp_bytes_t property) {
    return (properties._flags & flag) != 0 ? Text(property) : std::string();
  };
  message.type = get(AMQP_BASIC_TYPE_FLAG, properties.type);
  message.message_id = get(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id);
  message.correlation_id = get(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id);
  message.content_type = get(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type);
  message.app_id = get(AMQP_BASIC_APP_ID_FLAG, properties.app_id);
  if ((properties._flags & AMQP_BASIC_PRIORITY_FLAG) != 0) {
    message.priority = properties.priority;
  }
  if ((properties._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0) {
    // A producer that counts milliseconds, as some do, must not overflow.
    constexpr std::uint64_t kSecondsMax = 253'402'300'799;  // The end of the year 9999.
    message.timestamp = FromUnixMillis(
        static_cast<std::int64_t>(std::min(properties.timestamp, kSecondsMax)) * 1000);
  }
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
    message.headers = ReadHeaders(properties.headers);
  }
  amqp_destroy_message(&read);
  return message;
}

Status AmqpConnection::LastReply(std::string_view what) {
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(client_->state);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
    return {};
  }
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    return ClosedByServer(what, reply.reply.id, reply.reply.decoded);
  }
  return LibraryError(what, reply.library_error);
}

Error AmqpConnection::ClosedByServer(std::string_view what, std::uint32_t method, void* decoded) {
  const std::string start = server_ + ": " + std::string(what) + ": ";
  if (method == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* const close = static_cast<amqp_channel_close_t*>(decoded);
    const std::string message = start + Words(close->reply_text);
    const int code = close->reply_code;
    amqp_channel_close_ok_t close_ok{};
    amqp_send_method(client_->state, channel_, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);
    switch (code) {
      case kAccessRefused:
        return {ErrorCode::kPermissionDenied, message + "; grant user '" + options_.url.user +
                                                  "' the right, or declare it beforehand"};
      case kNotFoundReply:
        return NotFound(message);
      case kPreconditionFailed:
        return FailedPrecondition(message);
      default:
        return Unavailable(message);
    }
  }
  if (method != AMQP_CONNECTION_CLOSE_METHOD) {
    return Unavailable(start + "it said something unexpected");
  }
  const auto* const close = static_cast<amqp_connection_close_t*>(decoded);
  const std::string message = start + Words(close->reply_text);
  if (close->reply_code == kAccessRefused) {
    return FailedPrecondition(message + "; correct the user '" + options_.url.user +
                              "' and the password in RABBITMQ_URL");
  }
  if (close->reply_code == kNotAllowed) {
    return FailedPrecondition(message + "; create the vhost and let user '" + options_.url.user +
                              "' into it, or correct RABBITMQ_URL");
  }
  return Unavailable(message);
}

Error AmqpConnection::LibraryError(std::string_view what, int status) const {
  std::string message =
      server_ + ": " + std::string(what) + ": " + std::string(amqp_error_string2(status));
  if (const std::string_view advice = Advice(status); !advice.empty()) {
    message += "; " + std::string(advice);
  }
  return NeedsOperator(status) ? FailedPrecondition(std::move(message))
                               : Unavailable(std::move(message));
}

}  // namespace umbranet
