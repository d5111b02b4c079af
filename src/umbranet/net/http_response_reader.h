// An HTTP/1.1 response, read from bytes that are cut anywhere: no sockets here. The parser is
// Beast's, used as a codec. Not to be used by two threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/result.h"

namespace umbranet {

struct HttpResponseHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case, in their order.

  // The first header of that name (lower case); empty when there is none.
  [[nodiscard]] std::string_view Header(std::string_view name) const;
};

class HttpResponseReader {
 public:
  struct Limits {
    std::size_t header_bytes_max = std::size_t{64} << 10U;
    std::size_t body_bytes_max = std::size_t{16} << 20U;  // Of the whole body.
  };

  explicit HttpResponseReader(Limits limits);
  ~HttpResponseReader();
  HttpResponseReader(HttpResponseReader&&) noexcept;
  HttpResponseReader& operator=(HttpResponseReader&&) noexcept;

  // Takes the next bytes. kBadGateway: they are not HTTP, or over a limit; nothing more can be read
  // then. Interim responses (1xx) are passed over.
  Status Feed(std::string_view bytes);

  // The server closed the connection: the end of a body that has no length, and otherwise
  // kUnavailable, since the response was cut short.
  Status FeedEnd();

  [[nodiscard]] bool HeadDone() const;
  // Meaningful once HeadDone.
  [[nodiscard]] const HttpResponseHead& head() const;
  // The whole response has been fed.
  [[nodiscard]] bool Done() const;
  // Some byte of the response was fed.
  [[nodiscard]] bool Started() const;
  // Done, and the connection can carry another request.
  [[nodiscard]] bool CanReuseConnection() const;

  // The body bytes decoded since ClearBody, without transfer coding.
  [[nodiscard]] std::string_view body() const;
  void ClearBody();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umbranet
