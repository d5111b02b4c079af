// A connected TCP socket, plain or under TLS, each of whose waits has a deadline.
//
// A stream belongs to one thread at a time; only Shutdown may be called from another while a call
// is waiting, and makes it return. Failures: kDeadlineExceeded is the deadline, kUnavailable the
// network or the peer, kFailedPrecondition a certificate that cannot be trusted.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/net/address_resolver.h"

namespace umbranet {

// Whom a client trusts: the system's certificate authorities, or those of one file. May be shared
// by threads.
class TlsContext {
 public:
  // `ca_file` in PEM; empty: the system's. kInvalidArgument: it cannot be read.
  static Result<std::unique_ptr<TlsContext>> Open(const std::string& ca_file);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  // SSL_CTX*; the type stays out of this header with OpenSSL.
  [[nodiscard]] void* native() const { return context_; }

 private:
  explicit TlsContext(void* context) : context_(context) {}

  void* context_;
};

class SocketStream {
 public:
  virtual ~SocketStream() = default;

  // At least one byte read, or 0: the peer has closed in good order.
  virtual Result<std::size_t> ReadSome(std::span<char> into, Deadline deadline) = 0;

  virtual Status WriteAll(std::string_view bytes, Deadline deadline) = 0;

  // Ends what waits on the stream in any thread, and everything after.
  virtual void Shutdown() const noexcept = 0;
};

// The socket alone, before anything is connected; exists so that a stop can reach a connect.
class UnconnectedSocket {
 public:
  // For `address`'s family. kUnavailable: no more file descriptors, say.
  static Result<UnconnectedSocket> Open(const SocketAddress& address);

  UnconnectedSocket(UnconnectedSocket&& other) noexcept;
  UnconnectedSocket& operator=(UnconnectedSocket&& other) noexcept;
  ~UnconnectedSocket();

  void Shutdown() const noexcept;

  // True from `stopped` after the attempt began ends it: Shutdown does not reach a socket that has
  // not yet begun to connect.
  Status Connect(const SocketAddress& address, const std::function<bool()>& stopped,
                 Deadline deadline);

  // Gives up the descriptor; the caller closes it.
  int Release() noexcept;

 private:
  explicit UnconnectedSocket(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

std::unique_ptr<SocketStream> MakePlainStream(UnconnectedSocket connected);

// A TLS stream that has not shaken hands yet: HandShake must succeed before anything else.
class TlsStream : public SocketStream {
 public:
  // Checks the peer's certificate against `context` and `host`.
  virtual Status HandShake(Deadline deadline) = 0;
};

Result<std::unique_ptr<TlsStream>> MakeTlsStream(UnconnectedSocket connected,
                                                 const TlsContext& context,
                                                 const std::string& host);

}  // namespace umbranet
