// An HTTP/1.1 server. One thread does all input and output; requests are handed to a bounded pool,
// where handlers may block, and their responses come back to that thread. Everything is bounded:
// connections, requests in flight, header, body, waiting time and what a slow reader may leave
// unread.
//
// Open, then Start; Stop from any thread but a handler's. Port and the counts may be asked from any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/http/router.h"

namespace umbranet {

// One answered request, for metrics. `route` is the pattern, "" when none matched.
struct RequestObservation {
  std::string_view route;
  std::string_view method;
  int status = 0;
  double seconds = 0;  // From the complete header to the last byte handed to the kernel.
};

class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // An address, or "localhost".
    std::uint16_t port = 0;          // 0: any free one; see Port.
    std::size_t connections_max = 4096;
    // Requests that handlers work on at a time; each has a thread of the pool.
    std::size_t in_flight_max = 1024;
    std::size_t header_bytes_max = std::size_t{32} << 10U;
    std::size_t unread_bytes_max = std::size_t{1} << 20U;  // Of a stream, for a slow reader.
    Millis header_timeout{10'000};  // From the first byte of a request to the end of its header.
    Millis body_timeout{30'000};    // For the whole body of a turn; a batch has as much again
                                    // for every further MiB.
    Millis idle_timeout{75'000};    // Between two requests.
    Millis write_timeout{30'000};   // Without any progress.
    Millis linger{2'000};           // For a client to take in a refusal while it is still sending.
    std::function<void(const RequestObservation&)> observe;  // May be empty. Called by any thread.
  };

  // Binds and listens, so that the port is known and taken; nothing is answered before Start.
  // kUnavailable: the address is in use or not ours, with a sentence that says so.
  static Result<std::unique_ptr<HttpServer>> Open(Options options, const Clock& clock,
                                                  Router router);
  virtual ~HttpServer() = default;

  [[nodiscard]] virtual std::uint16_t Port() const = 0;
  virtual void Start() = 0;

  // Stops accepting, closes idle connections, lets requests in flight finish until `deadline`, then
  // asks their handlers to give up, waits for them, and closes. Idempotent. False: handlers had to
  // be asked.
  virtual bool Stop(Deadline deadline) = 0;

  [[nodiscard]] virtual std::size_t Connections() const = 0;
  [[nodiscard]] virtual std::size_t InFlight() const = 0;
};

}  // namespace umbranet
