// Reads one HTTP/1.1 request from bytes as they come, without any network: strict where two readers
// of the same bytes could disagree about where a request ends (RFC 9112), and within limits. Not
// for use by several threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "umbranet/http/message.h"
#include "umbranet/http/problem.h"

namespace umbranet {

class RequestReader {
 public:
  enum class Step {
    kMore,     // Call again with what was not used and more behind it.
    kHeader,   // request() has all but its body. AllowBody decides about that; then go on.
    kWhole,    // request() is complete; what was not used belongs to the next one.
    kRefused,  // problem() says why. Nothing further can be read from this connection.
  };

  explicit RequestReader(std::size_t header_bytes_max);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // `used`: how many bytes of the front of `bytes` were taken.
  Step Read(std::string_view bytes, std::size_t& used);

  // Once after kHeader. False: the header announces more than `bytes_max`.
  [[nodiscard]] bool AllowBody(std::size_t bytes_max);

  // After kHeader: no body follows.
  [[nodiscard]] bool IsWhole() const;
  // After kHeader: the client waits to be told that it may send the body.
  [[nodiscard]] bool ExpectsContinue() const;
  // What the client says of the connection after this request.
  [[nodiscard]] bool KeepsConnection() const;

  [[nodiscard]] HttpRequest& request() { return request_; }

  [[nodiscard]] const Problem& problem() const { return problem_; }

 private:
  struct Parser;  // Keeps the parser's headers out of this one.

  void TakeHeader();
  bool CheckHeader();
  Step Refuse(int status, std::string_view code, std::string detail);

  const std::size_t header_bytes_max_;
  const std::unique_ptr<Parser> parser_;
  bool header_read_ = false;
  std::size_t body_bytes_max_ = 0;
  HttpRequest request_;
  Problem problem_;
};

}  // namespace umbranet
