// A request as handlers see it, and the writer with which they answer. Free of the network: what
// parses and sends is connection.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"

namespace umbranet {

// Who asks, as the credentials say; never what the request itself claims.
struct Caller {
  std::string tenant;
  bool admin = false;
};

struct HeaderField {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;  // Upper case.
  std::string path;    // As sent, still percent-encoded, without the query. Begins with "/".
  std::string query;   // As sent, without the "?".
  std::vector<HeaderField> headers;  // In the order sent.
  std::string body;
  bool http_1_1 = true;
  bool peer_is_loopback = false;
  SteadyTime received_at{};  // When its header was complete.
  // Filled in by the router before the handler runs.
  std::vector<std::string> parameters;  // Decoded, in the order of the pattern.
  Caller caller;

  // The first field of this name, compared without regard to case; empty when there is none.
  [[nodiscard]] std::string_view Header(std::string_view name) const;
  [[nodiscard]] std::size_t CountHeader(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";  // Empty with an empty body: no such field.
  std::string body;
  std::vector<HeaderField> headers;  // Beside Content-Type, Content-Length, Date and Connection.
  bool close = false;                // Ends the connection after it.
};

// What a handler answers with: once Send, or once BeginStream, Write as often as it likes and End.
// A handler that returns without an answer gives the client a 500; one that returns without End
// cuts the stream off, so that the client sees it is not whole.
//
// Called by the one thread that runs the handler. Write blocks while the client reads slowly.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;

  virtual void Send(HttpResponse response) = 0;

  // `response.body` is the first piece, and may be empty.
  virtual void BeginStream(HttpResponse response) = 0;
  // False: the client has gone, or reads too slowly to wait for; nothing further reaches it.
  [[nodiscard]] virtual bool Write(std::string_view piece) = 0;
  virtual void End() = 0;

  // True once Send or BeginStream was called.
  [[nodiscard]] virtual bool Started() const = 0;

  // Requested when the client hangs up, and when the server gives up waiting for the handler.
  [[nodiscard]] virtual std::stop_token ClientGone() const = 0;
  // Requested only when the server gives up waiting for the handler (Stop's deadline).
  [[nodiscard]] virtual std::stop_token Abandoned() const = 0;
};

// Equal without regard to the case of ASCII letters.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace umbranet
