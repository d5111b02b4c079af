#include "umbranet/adapters/redis/redis_connection.h"

#include <array>
#include <utility>
#include <vector>

#include "umbranet/adapters/redis/redis_errors.h"

namespace umbranet {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;

void AppendCommand(std::string& wire, std::span<const std::string_view> command) {
  wire += "*" + std::to_string(command.size()) + "\r\n";
  for (const std::string_view part : command) {
    wire += "$" + std::to_string(part.size()) + "\r\n";
    wire += part;
    wire += "\r\n";
  }
}

Result<std::unique_ptr<SocketStream>> ConnectTo(const RedisAddress& address,
                                                const SocketAddress& where, const TlsContext* tls,
                                                Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(UnconnectedSocket socket, UnconnectedSocket::Open(where));
  UMBRANET_RETURN_IF_ERROR(socket.Connect(where, [] { return false; }, deadline));
  if (tls == nullptr) {
    return MakePlainStream(std::move(socket));
  }
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<TlsStream> stream,
                            MakeTlsStream(std::move(socket), *tls, address.host));
  UMBRANET_RETURN_IF_ERROR(stream->HandShake(deadline));
  return std::unique_ptr<SocketStream>(std::move(stream));
}

Result<std::unique_ptr<SocketStream>> Connect(const Clock& clock, const RedisAddress& address,
                                              AddressResolver& resolver, const TlsContext* tls,
                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<SocketAddress> found, resolver.Resolve({}, deadline));
  Error failure = DeadlineExceeded("connect: no answer in time");
  for (std::size_t i = 0; i < found.size() && !deadline.Expired(); ++i) {
    // An address that does not answer leaves time for those after it.
    const auto share = deadline.Remaining() / static_cast<std::int64_t>(found.size() - i);
    Result<std::unique_ptr<SocketStream>> stream =
        ConnectTo(address, found[i], tls, deadline.Within(clock, share));
    if (stream.ok()) {
      return stream;
    }
    failure = stream.error();
  }
  return failure;
}

}  // namespace

std::string_view RedisReply::TextOf(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      return {reply.str, static_cast<std::size_t>(reply.len)};
    default:
      return {};
  }
}

std::int64_t RedisReply::NumberOf(const redisReply& reply) {
  return reply.type == REDIS_REPLY_INTEGER ? reply.integer : 0;
}

std::span<redisReply* const> RedisReply::ElementsOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) {
    return {};
  }
  return {reply.element, static_cast<std::size_t>(reply.elements)};
}

RedisConnection::RedisConnection(const RedisAddress& address, std::unique_ptr<SocketStream> stream)
    : address_(address), stream_(std::move(stream)), reader_(redisReaderCreate()) {}

Result<std::unique_ptr<RedisConnection>> RedisConnection::Open(const Clock& clock,
                                                               const RedisAddress& address,
                                                               AddressResolver& resolver,
                                                               const TlsContext* tls,
                                                               Deadline deadline) {
  Result<std::unique_ptr<SocketStream>> stream = Connect(clock, address, resolver, tls, deadline);
  if (!stream.ok()) {
    return ErrorOfConnection(address, stream.error());
  }
  std::unique_ptr<RedisConnection> connection(
      new RedisConnection(address, std::move(stream).value()));
  UMBRANET_RETURN_IF_ERROR(connection->LogIn(deadline));
  return connection;
}

Status RedisConnection::LogIn(Deadline deadline) {
  std::string wire;
  std::size_t commands = 0;
  const std::string database = std::to_string(address_.database);
  if (!address_.password.empty()) {
    if (address_.user.empty()) {
      AppendCommand(wire, std::array<std::string_view, 2>{"AUTH", address_.password});
    } else {
      AppendCommand(wire,
                    std::array<std::string_view, 3>{"AUTH", address_.user, address_.password});
    }
    ++commands;
  }
  if (address_.database != 0) {
    AppendCommand(wire, std::array<std::string_view, 2>{"SELECT", database});
    ++commands;
  }
  if (Status written = stream_->WriteAll(wire, deadline); !written.ok()) {
    return ErrorOfConnection(address_, written.error());
  }
  for (std::size_t i = 0; i < commands; ++i) {
    UMBRANET_ASSIGN_OR_RETURN(const RedisReply reply, ReadReply(deadline));
    if (reply.IsError()) {
      return ErrorOfReply(address_, reply.Text());
    }
  }
  return {};
}

Result<RedisReply> RedisConnection::Call(std::span<const std::string_view> command,
                                         Deadline deadline) {
  std::string wire;
  AppendCommand(wire, command);
  if (Status written = stream_->WriteAll(wire, deadline); !written.ok()) {
    return ErrorOfConnection(address_, written.error());
  }
  return ReadReply(deadline);
}

Result<RedisReply> RedisConnection::ReadReply(Deadline deadline) {
  std::array<char, kReadBytes> bytes;  // NOLINT: filled by the read, and zeroing it costs.
  for (;;) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
      return Error{ErrorCode::kBadGateway, "redis: " + NameOfServer(address_) +
                                               ": it does not speak the protocol of Redis"};
    }
    if (reply != nullptr) {
      return RedisReply(static_cast<redisReply*>(reply));
    }
    const Result<std::size_t> size = stream_->ReadSome(bytes, deadline);
    if (!size.ok()) {
      return ErrorOfConnection(address_, size.error());
    }
    if (*size == 0) {
      return ErrorOfConnection(address_, Unavailable("it closed the connection"));
    }
    redisReaderFeed(reader_.get(), bytes.data(), *size);
  }
}

bool RedisConnection::IsQuiet(const Clock& clock) {
  std::array<char, 1> byte{};
  const Result<std::size_t> size =
      stream_->ReadSome(byte, Deadline::After(clock, std::chrono::nanoseconds(0)));
  return !size.ok() && size.error().code == ErrorCode::kDeadlineExceeded;
}

}  // namespace umbranet
