#include "umbranet/net/http_client.h"

#include <algorithm>
#include <array>
#include <functional>

namespace umbranet {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
// How long a caller without a deadline sleeps between looks at the pool.
constexpr std::chrono::seconds kLookAgain{60};

using StopCallback = std::stop_callback<std::function<void()>>;

Error Stopped() {
  return {ErrorCode::kCancelled, "http: stopped"};
}

bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
  });
}

// Closes what waits on `target` when the caller is stopped.
template <typename Target>
std::function<void()> Shutting(const Target& target) {
  return [&target] { target.Shutdown(); };
}

}  // namespace

struct HttpExchange::State {
  State(HttpClient& client_in, HttpClient::Connection connection_in, std::stop_token stop_in)
      : client(client_in),
        connection(std::move(connection_in)),
        reader(std::make_unique<HttpResponseReader>(client_in.options_.limits)),
        stop(std::move(stop_in)) {
    on_stop.emplace(stop, Shutting(*connection.stream));
  }

  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() {
    on_stop.reset();  // Before the stream that it shuts down goes elsewhere.
    if (failed || stop.stop_requested()) {
      connection.stream.reset();
    } else if (!reader->Done() && finishing) {
      connection.unfinished = std::move(reader);
    } else if (!reader->CanReuseConnection()) {
      connection.stream.reset();
    }
    client.Release(std::move(connection));
  }

  Status Write(std::string_view bytes, Deadline deadline);
  Status ReadHead(Deadline deadline);
  // Feeds the reader with what comes within `limit`. False: the server has closed.
  Result<bool> Receive(Millis limit, const char* too_late, Deadline deadline);

  // The error itself, or what a stop made of it.
  Error Fail(Error error) {
    failed = true;
    return stop.stop_requested() ? Stopped() : std::move(error);
  }

  HttpClient& client;
  HttpClient::Connection connection;
  std::unique_ptr<HttpResponseReader> reader;
  std::stop_token stop;
  bool finishing = false;
  bool handed_out = false;  // The reader's body is what the last Read returned.
  bool failed = false;
  std::optional<StopCallback> on_stop;
};

Result<bool> HttpExchange::State::Receive(Millis limit, const char* too_late, Deadline deadline) {
  std::array<char, kReadBytes> bytes;  // NOLINT: filled by the read, and zeroing it costs.
  Result<std::size_t> size =
      connection.stream->ReadSome(bytes, deadline.Within(client.clock_, limit));
  if (!size.ok()) {
    return Fail(size.error().code == ErrorCode::kDeadlineExceeded ? DeadlineExceeded(too_late)
                                                                  : size.error());
  }
  if (*size == 0) {
    if (Status end = reader->FeedEnd(); !end.ok()) {
      return Fail(end.error());
    }
    return false;
  }
  if (Status fed = reader->Feed({bytes.data(), *size}); !fed.ok()) {
    return Fail(fed.error());
  }
  return true;
}

Status HttpExchange::State::Write(std::string_view bytes, Deadline deadline) {
  Status written = connection.stream->WriteAll(
      bytes, deadline.Within(client.clock_, client.options_.write_timeout));
  if (written.ok()) {
    return {};
  }
  if (written.error().code != ErrorCode::kUnavailable || stop.stop_requested()) {
    return Fail(written.error().code == ErrorCode::kDeadlineExceeded
                    ? DeadlineExceeded("http: the server did not take the request in time")
                    : written.error());
  }
  // A server that refuses a request may answer and close before it has read all of it.
  if (ReadHead(Deadline::After(client.clock_, Millis{0})).ok()) {
    return {};
  }
  return Fail(written.error());
}

Status HttpExchange::State::ReadHead(Deadline deadline) {
  while (!reader->HeadDone()) {
    const HttpClient::Options& options = client.options_;
    const Millis limit = reader->Started() ? options.idle_timeout : options.first_byte_timeout;
    UMBRANET_ASSIGN_OR_RETURN(
        const bool open,
        Receive(limit, "http: the server did not begin to answer in time", deadline));
    if (!open && !reader->HeadDone()) {
      return Fail(Unavailable("http: the connection was closed without an answer"));
    }
  }
  return {};
}

HttpExchange::HttpExchange(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpExchange::HttpExchange(HttpExchange&&) noexcept = default;
HttpExchange::~HttpExchange() = default;

const HttpResponseHead& HttpExchange::head() const {
  return state_->reader->head();
}

Result<std::string_view> HttpExchange::Read(Deadline deadline) {
  State& state = *state_;
  if (state.handed_out) {
    state.reader->ClearBody();
    state.handed_out = false;
  }
  while (!state.finishing && !state.reader->Done() && state.reader->body().empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const bool open,
                              state.Receive(state.client.options_.idle_timeout,
                                            "http: the answer stopped half way", deadline));
    if (!open) {
      break;
    }
  }
  state.handed_out = true;
  return state.reader->body();
}

Result<std::string> HttpExchange::ReadAll(Deadline deadline) {
  std::string body;
  for (;;) {
    UMBRANET_ASSIGN_OR_RETURN(const std::string_view part, Read(deadline));
    if (part.empty()) {
      return body;
    }
    body += part;
  }
}

void HttpExchange::Finish() {
  state_->finishing = true;
}

Result<std::unique_ptr<HttpClient>> HttpClient::Open(Options options, const Clock& clock) {
  if (options.base.host.empty() || options.connections_max == 0) {
    return InvalidArgument("http: a client needs a host and at least one connection");
  }
  if (!IsHeaderText(options.user_agent)) {
    return InvalidArgument("http: the user agent holds a control character");
  }
  std::unique_ptr<TlsContext> tls;
  if (options.base.tls) {
    UMBRANET_ASSIGN_OR_RETURN(tls, TlsContext::Open(options.ca_file));
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(options), clock, std::move(tls)));
}

HttpClient::HttpClient(Options options, const Clock& clock, std::unique_ptr<TlsContext> tls)
    : options_(std::move(options)),
      clock_(clock),
      tls_(std::move(tls)),
      resolver_(clock, options_.base.host, options_.base.port, options_.keep_address_for) {}

HttpClient::~HttpClient() = default;

Result<std::string> HttpClient::Render(const ClientRequest& request) const {
  std::string text;
  text.reserve(request.body.size() + 1024);
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  if (request.target.find(' ') != std::string_view::npos || !IsHeaderText(request.target) ||
      !IsHeaderText(request.method)) {
    return InvalidArgument("http: the method or the target holds a space or a control character");
  }
  text.append(request.method).append(" ").append(options_.base.path).append(request.target);
  text.append(" HTTP/1.1\r\n");
  add("Host", HostHeader(options_.base));
  add("User-Agent", options_.user_agent);
  for (const auto& [name, value] : request.headers) {
    if (!IsHeaderText(name) || !IsHeaderText(value)) {
      return InvalidArgument("http: a header holds a control character: " + std::string(name));
    }
    add(name, value);
  }
  if (!request.body.empty() || request.method != "GET") {
    add("Content-Length", std::to_string(request.body.size()));
  }
  text.append("\r\n").append(request.body);
  return text;
}

Result<HttpExchange> HttpClient::Start(const ClientRequest& request, std::stop_token stop,
                                       Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::string bytes, Render(request));
  for (bool fresh = false;; fresh = true) {
    UMBRANET_ASSIGN_OR_RETURN(Connection connection, Acquire(fresh, stop, deadline));
    const bool kept = connection.reused;
    auto state = std::make_unique<HttpExchange::State>(*this, std::move(connection), stop);
    Status answered =
        stop.stop_requested() ? state->Fail(Stopped()) : state->Write(bytes, deadline);
    if (answered.ok()) {
      answered = state->ReadHead(deadline);
    }
    if (answered.ok()) {
      return HttpExchange(std::move(state));
    }
    if (!kept || fresh || answered.error().code != ErrorCode::kUnavailable ||
        state->reader->Started()) {
      return answered.error();
    }
  }
}

Result<ClientResponse> HttpClient::Send(const ClientRequest& request, std::stop_token stop,
                                        Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(HttpExchange exchange, Start(request, stop, deadline));
  ClientResponse response;
  UMBRANET_ASSIGN_OR_RETURN(response.body, exchange.ReadAll(deadline));
  response.head = exchange.head();
  return response;
}

std::size_t HttpClient::OpenConnections() const {
  MutexLock lock(mutex_);
  return open_;
}

Result<HttpClient::Connection> HttpClient::Acquire(bool fresh, std::stop_token stop,
                                                   Deadline deadline) {
  for (;;) {
    UMBRANET_ASSIGN_OR_RETURN(std::optional<Connection> kept, TakePlace(fresh, stop, deadline));
    if (!kept) {
      break;
    }
    if (IsAlive(*kept)) {
      kept->reused = true;
      return std::move(*kept);
    }
    kept->stream.reset();
    GiveUpPlace();
  }
  Result<Connection> connection = Connect(stop, deadline.Within(clock_, options_.connect_timeout));
  if (!connection.ok()) {
    GiveUpPlace();
  }
  return connection;
}

Result<std::optional<HttpClient::Connection>> HttpClient::TakePlace(bool fresh,
                                                                    std::stop_token stop,
                                                                    Deadline deadline) {
  std::vector<Connection> expired;  // Closed after the lock is released.
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  const auto young = std::find_if(idle_.begin(), idle_.end(), [&](const Connection& connection) {
    return now - connection.idle_since < options_.keep_idle_for;
  });
  expired.assign(std::make_move_iterator(idle_.begin()), std::make_move_iterator(young));
  idle_.erase(idle_.begin(), young);
  open_ -= expired.size();
  for (;;) {
    if (!idle_.empty() && !fresh) {
      std::optional<Connection> kept(std::move(idle_.back()));
      idle_.pop_back();
      return kept;
    }
    if (!idle_.empty() && open_ >= options_.connections_max) {
      expired.push_back(std::move(idle_.front()));
      idle_.erase(idle_.begin());
      --open_;
    }
    if (open_ < options_.connections_max) {
      ++open_;
      return std::optional<Connection>();
    }
    if (stop.stop_requested()) {
      return Stopped();
    }
    if (deadline.Expired()) {
      return Error{ErrorCode::kResourceExhausted, "http: every connection is in use"};
    }
    place_free_.WaitUntil(mutex_, stop, deadline.At().value_or(clock_.SteadyNow() + kLookAgain));
  }
}

Result<HttpClient::Connection> HttpClient::Connect(std::stop_token stop, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<SocketAddress> addresses,
                            resolver_.Resolve(stop, deadline));
  Error failure = DeadlineExceeded("http: connect: no answer in time");
  for (std::size_t i = 0; i < addresses.size() && !deadline.Expired(); ++i) {
    // An address that does not answer leaves time for those after it.
    const auto share = deadline.Remaining() / static_cast<std::int64_t>(addresses.size() - i);
    Result<Connection> connection = ConnectTo(addresses[i], stop, deadline.Within(clock_, share));
    if (connection.ok()) {
      return connection;
    }
    if (stop.stop_requested()) {
      return Stopped();
    }
    failure = connection.error();
  }
  return failure;
}

Result<HttpClient::Connection> HttpClient::ConnectTo(const SocketAddress& address,
                                                     std::stop_token stop, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(UnconnectedSocket socket, UnconnectedSocket::Open(address));
  {
    const StopCallback on_stop(stop, Shutting(socket));
    UMBRANET_RETURN_IF_ERROR(
        socket.Connect(address, [&stop] { return stop.stop_requested(); }, deadline));
  }
  Connection connection;
  if (!tls_) {
    connection.stream = MakePlainStream(std::move(socket));
    return connection;
  }
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<TlsStream> stream,
                            MakeTlsStream(std::move(socket), *tls_, options_.base.host));
  {
    const StopCallback on_stop(stop, Shutting(*stream));
    if (Status done = stream->HandShake(deadline); !done.ok()) {
      return done.error().code == ErrorCode::kDeadlineExceeded
                 ? DeadlineExceeded("http: the TLS handshake did not end in time")
                 : done.error();
    }
  }
  connection.stream = std::move(stream);
  return connection;
}

bool HttpClient::IsAlive(Connection& connection) const {
  std::array<char, kReadBytes> bytes;  // NOLINT: filled by the read.
  const Deadline at_once = Deadline::After(clock_, Millis{0});
  for (;;) {
    Result<std::size_t> size = connection.stream->ReadSome(bytes, at_once);
    if (!size.ok()) {
      return size.error().code == ErrorCode::kDeadlineExceeded && !connection.unfinished;
    }
    // Bytes that nobody asked for, or the end of the connection.
    if (*size == 0 || !connection.unfinished ||
        !connection.unfinished->Feed({bytes.data(), *size}).ok()) {
      return false;
    }
    connection.unfinished->ClearBody();
    if (connection.unfinished->CanReuseConnection()) {
      connection.unfinished.reset();
    } else if (connection.unfinished->Done()) {
      return false;
    }
  }
}

void HttpClient::Release(Connection connection) {
  if (!connection.stream) {
    GiveUpPlace();
    return;
  }
  connection.idle_since = clock_.SteadyNow();
  MutexLock lock(mutex_);
  idle_.push_back(std::move(connection));
  place_free_.NotifyOne();
}

void HttpClient::GiveUpPlace() {
  MutexLock lock(mutex_);
  --open_;
  place_free_.NotifyOne();
}

}  // namespace umbranet
