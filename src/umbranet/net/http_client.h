// An HTTP/1.1 client of one server: blocking calls, each of whose waits is bounded, over a pool of
// connections that are kept alive.
//
// Resolving, connecting, shaking hands, writing, the wait for the first byte and the pauses between
// bytes each have a limit of their own, and none outlives the caller's deadline. A stop closes the
// connection at once, in whichever step it is. No proxies, no redirects, no content codings.
//
// HttpClient may be used from any thread, as many at once as it has connections; an HttpExchange
// belongs to one thread and must not outlive its client. Failures:
//   kInvalidArgument     the request cannot be written (a line break in a header)
//   kCancelled           `stop`
//   kDeadlineExceeded    the caller's deadline, or the step's own limit
//   kUnavailable         no address, no connection, or the server went away
//   kFailedPrecondition  the server's certificate cannot be trusted
//   kBadGateway          what came is not HTTP, or over a limit
//   kResourceExhausted   every connection was in use until the deadline
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/net/address_resolver.h"
#include "umbranet/net/http_response_reader.h"
#include "umbranet/net/socket_stream.h"
#include "umbranet/net/url.h"

namespace umbranet {

// Named apart from what the server side reads and writes.
struct ClientRequest {
  std::string_view method = "GET";
  std::string_view target = "/";  // Put after the path of the client's base URL.
  std::vector<std::pair<std::string_view, std::string_view>> headers =
      {};  // Host and length are added.
  std::string_view body = {};
};

struct ClientResponse {
  HttpResponseHead head;
  std::string body;
};

class HttpExchange;

class HttpClient {
 public:
  struct Options {
    Url base;
    Millis connect_timeout{5'000};      // Resolving, connecting and shaking hands together.
    Millis write_timeout{10'000};       // The whole request.
    Millis first_byte_timeout{60'000};  // From the end of the request.
    Millis idle_timeout{30'000};        // Between bytes.
    Millis keep_idle_for{30'000};       // An idle connection is closed after this.
    Millis keep_address_for{30'000};
    std::size_t connections_max = 600;
    HttpResponseReader::Limits limits;
    std::string ca_file;  // PEM; empty: the system's certificate authorities.
    std::string user_agent = "umbranet";
  };

  static Result<std::unique_ptr<HttpClient>> Open(Options options, const Clock& clock);

  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // Sends the request and waits for the head of the response. A kept connection that turns out to
  // have been closed by the server before it answered is replaced by a new one, once.
  Result<HttpExchange> Start(const ClientRequest& request, std::stop_token stop, Deadline deadline);

  // The whole response.
  Result<ClientResponse> Send(const ClientRequest& request, std::stop_token stop,
                              Deadline deadline);

  // Connections that are open, in use or idle.
  [[nodiscard]] std::size_t OpenConnections() const;

 private:
  friend class HttpExchange;

  // A connection and, while the last bytes of a response are still under way, its reader.
  struct Connection {
    std::unique_ptr<SocketStream> stream;
    std::unique_ptr<HttpResponseReader> unfinished;
    SteadyTime idle_since{};
    bool reused = false;
  };

  HttpClient(Options options, const Clock& clock, std::unique_ptr<TlsContext> tls);

  Result<std::string> Render(const ClientRequest& request) const;
  // A kept connection, or a new one when `fresh` is asked for or none is kept.
  Result<Connection> Acquire(bool fresh, std::stop_token stop, Deadline deadline);
  // Waits until a connection may be opened, or hands out a kept one.
  Result<std::optional<Connection>> TakePlace(bool fresh, std::stop_token stop, Deadline deadline);
  Result<Connection> Connect(std::stop_token stop, Deadline deadline);
  Result<Connection> ConnectTo(const SocketAddress& address, std::stop_token stop,
                               Deadline deadline);
  bool IsAlive(Connection& connection) const;
  void Release(Connection connection);
  void GiveUpPlace();

  const Options options_;
  const Clock& clock_;
  const std::unique_ptr<TlsContext> tls_;  // Null for http.
  AddressResolver resolver_;
  mutable Mutex mutex_;
  ConditionVariable place_free_;
  std::vector<Connection> idle_ GUARDED_BY(mutex_);  // Most recently used last.
  std::size_t open_ GUARDED_BY(mutex_) = 0;
};

// One request whose response is being read. Going out of scope before the response's end closes the
// connection; after it, the connection goes back to the pool.
class HttpExchange {
 public:
  HttpExchange(HttpExchange&&) noexcept;
  HttpExchange& operator=(HttpExchange&&) = delete;
  ~HttpExchange();

  [[nodiscard]] const HttpResponseHead& head() const;

  // The next bytes of the body, valid until the next call; empty at its end.
  Result<std::string_view> Read(Deadline deadline);

  // What is left of the body.
  Result<std::string> ReadAll(Deadline deadline);

  // Nothing more of the response is of interest, and its end is expected at any moment: the
  // connection is kept if that has come by the time it is needed again.
  void Finish();

 private:
  friend class HttpClient;
  struct State;

  explicit HttpExchange(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace umbranet
