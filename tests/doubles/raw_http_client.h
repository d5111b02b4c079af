// A client that sends whatever bytes a test wants and reads responses off a loopback connection.
// For one thread. A read that waits longer than twenty seconds fails the test with an exception.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace umbranet {

struct RawResponse {
  int status = 0;                              // 0: the connection ended before a response began.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;                            // Chunks put together.
  bool whole = false;                          // False: the connection ended before the body did.
};

class RawHttpClient {
 public:
  explicit RawHttpClient(std::uint16_t port);
  ~RawHttpClient();
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  // False: the peer has closed.
  bool Send(std::string_view bytes);
  // The next response; `to_head` says that it answers HEAD and has no body.
  RawResponse Read(bool to_head = false);
  // Send, then Read.
  RawResponse Ask(std::string_view bytes);
  // Reads until `text` has come, and returns everything up to its end; "" when the connection ended
  // before.
  std::string ReadUntil(std::string_view text);
  // True when the peer closes without another byte.
  bool AtEnd();

  void FinishSending();
  void Close();
  // A small receive buffer, so that the peer soon meets a reader who does not read.
  void ReadSlowly();

 private:
  bool Fill();

  int socket_ = -1;
  std::string buffer_;
};

// "POST path" with Host, Content-Length and `more` header lines (each ending in CRLF).
std::string HttpPost(std::string_view path, std::string_view body, std::string_view more = {});
std::string HttpGet(std::string_view path, std::string_view more = {});

}  // namespace umbranet
