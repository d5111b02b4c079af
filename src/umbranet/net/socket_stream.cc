#include "umbranet/net/socket_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace umbranet {
namespace {

Error SocketFailure(const char* what, int number) {
  return Unavailable(std::string("http: ") + what + ": " + std::generic_category().message(number));
}

// Rounded up, so that a wait does not end just before its deadline and spin.
int PollTimeoutMs(Deadline deadline) {
  if (deadline.IsNever()) {
    return -1;
  }
  const auto millis = std::chrono::ceil<Millis>(deadline.Remaining()).count();
  return static_cast<int>(std::min<std::int64_t>(millis, INT_MAX));
}

Status WaitUntilReady(int descriptor, short events, Deadline deadline) {
  for (;;) {
    pollfd entry{descriptor, events, 0};
    const int ready = ::poll(&entry, 1, PollTimeoutMs(deadline));
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return SocketFailure("poll", errno);
    }
    if (deadline.Expired()) {
      return DeadlineExceeded("http: out of time");
    }
  }
}

class PlainStream final : public SocketStream {
 public:
  explicit PlainStream(int descriptor) : descriptor_(descriptor) {}

  PlainStream(const PlainStream&) = delete;
  PlainStream& operator=(const PlainStream&) = delete;

  ~PlainStream() override { ::close(descriptor_); }

  Result<std::size_t> ReadSome(std::span<char> into, Deadline deadline) override {
    for (;;) {
      const ssize_t size = ::recv(descriptor_, into.data(), into.size(), 0);
      if (size >= 0) {
        return static_cast<std::size_t>(size);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        UMBRANET_RETURN_IF_ERROR(WaitUntilReady(descriptor_, POLLIN, deadline));
      } else if (errno != EINTR) {
        return SocketFailure("read", errno);
      }
    }
  }

  Status WriteAll(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const ssize_t size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        UMBRANET_RETURN_IF_ERROR(WaitUntilReady(descriptor_, POLLOUT, deadline));
      } else if (errno != EINTR) {
        return SocketFailure("write", errno);
      }
    }
    return {};
  }

  void Shutdown() const noexcept override { ::shutdown(descriptor_, SHUT_RDWR); }

 private:
  const int descriptor_;
};

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a peer that has left would then kill
// the process with SIGPIPE. This one differs in that alone.
int DescriptorOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int BioWrite(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t written =
      ::send(DescriptorOf(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(written);
}

int BioRead(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t read = ::recv(DescriptorOf(bio), bytes, static_cast<std::size_t>(size), 0);
  if (read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(read);
}

long BioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int BioCreate(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* SocketBio() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "umbranet socket");
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_ctrl(made, BioControl);
    BIO_meth_set_create(made, BioCreate);
    return made;
  }();
  return method;
}

std::string TakeOpenSslErrors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    text += text.empty() ? "" : "; ";
    text += line.data();
  }
  return text.empty() ? "the connection was closed" : text;
}

class OpenSslStream final : public TlsStream {
 public:
  OpenSslStream(int descriptor, SSL* ssl, std::string host)
      : descriptor_(descriptor), ssl_(ssl), host_(std::move(host)) {}

  OpenSslStream(const OpenSslStream&) = delete;
  OpenSslStream& operator=(const OpenSslStream&) = delete;

  ~OpenSslStream() override {
    if (usable_) {
      // One attempt to say goodbye; nobody waits for an answer.
      ERR_clear_error();
      SSL_shutdown(ssl_);
    }
    SSL_free(ssl_);
    ::close(descriptor_);
  }

  Status HandShake(Deadline deadline) override {
    Result<int> done = Repeat([this] { return SSL_do_handshake(ssl_); }, deadline);
    const long verdict = SSL_get_verify_result(ssl_);
    if (!done.ok() && verdict != X509_V_OK) {
      return FailedPrecondition("http: the certificate of " + host_ +
                                " is not trusted: " + X509_verify_cert_error_string(verdict));
    }
    if (!done.ok()) {
      return done.error();
    }
    return {};
  }

  Result<std::size_t> ReadSome(std::span<char> into, Deadline deadline) override {
    const int size_max = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
    UMBRANET_ASSIGN_OR_RETURN(
        const int size, Repeat([&] { return SSL_read(ssl_, into.data(), size_max); }, deadline));
    return static_cast<std::size_t>(size);
  }

  Status WriteAll(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const int size_max = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
      UMBRANET_ASSIGN_OR_RETURN(
          const int size,
          Repeat([&] { return SSL_write(ssl_, bytes.data(), size_max); }, deadline));
      if (size == 0) {
        return Unavailable("http: write: the connection was closed");
      }
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
  }

  void Shutdown() const noexcept override { ::shutdown(descriptor_, SHUT_RDWR); }

 private:
  // Calls an OpenSSL operation until it needs nothing more from the socket. 0: closed in good
  // order.
  template <typename Operation>
  Result<int> Repeat(Operation operation, Deadline deadline) {
    for (;;) {
      ERR_clear_error();
      const int outcome = operation();
      if (outcome > 0) {
        return outcome;
      }
      switch (SSL_get_error(ssl_, outcome)) {
        case SSL_ERROR_WANT_READ:
          UMBRANET_RETURN_IF_ERROR(WaitUntilReady(descriptor_, POLLIN, deadline));
          break;
        case SSL_ERROR_WANT_WRITE:
          UMBRANET_RETURN_IF_ERROR(WaitUntilReady(descriptor_, POLLOUT, deadline));
          break;
        case SSL_ERROR_ZERO_RETURN:
          return 0;
        default:
          // After a fatal error even the goodbye is not allowed.
          usable_ = false;
          return Unavailable("http: tls: " + TakeOpenSslErrors());
      }
    }
  }

  const int descriptor_;
  SSL* const ssl_;
  const std::string host_;
  bool usable_ = true;
};

bool IsAddressInDigits(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// Both the name to ask the server for and the name that its certificate must be made out to.
bool ExpectHost(SSL* ssl, const std::string& host) {
  if (IsAddressInDigits(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // What SSL_set_tlsext_host_name would do, but for its C cast.
  return SSL_set1_host(ssl, host.c_str()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::Open(const std::string& ca_file) {
  ERR_clear_error();
  SSL_CTX* made = SSL_CTX_new(TLS_client_method());
  if (made == nullptr) {
    return Internal("http: tls: " + TakeOpenSslErrors());
  }
  std::unique_ptr<TlsContext> context(new TlsContext(made));
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
  // Buffers are given back while a pooled connection idles; an answer may be written in parts.
  SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(made, kHttp11.data(), kHttp11.size());
  const int loaded = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(made)
                         : SSL_CTX_load_verify_locations(made, ca_file.c_str(), nullptr);
  if (loaded != 1) {
    return InvalidArgument("http: the file of certificate authorities cannot be read: " +
                           TakeOpenSslErrors());
  }
  return context;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

Result<UnconnectedSocket> UnconnectedSocket::Open(const SocketAddress& address) {
  const int descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return SocketFailure("socket", errno);
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return UnconnectedSocket(descriptor);
}

UnconnectedSocket::UnconnectedSocket(UnconnectedSocket&& other) noexcept
    : descriptor_(other.Release()) {}

UnconnectedSocket& UnconnectedSocket::operator=(UnconnectedSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

UnconnectedSocket::~UnconnectedSocket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void UnconnectedSocket::Shutdown() const noexcept {
  ::shutdown(descriptor_, SHUT_RDWR);
}

Status UnconnectedSocket::Connect(const SocketAddress& address,
                                  const std::function<bool()>& stopped, Deadline deadline) {
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(descriptor_, target, address.size) == 0) {
    return {};
  }
  if (errno != EINPROGRESS && errno != EINTR) {
    return SocketFailure("connect", errno);
  }
  if (stopped()) {
    return Error{ErrorCode::kCancelled, "http: stopped"};
  }
  if (Status ready = WaitUntilReady(descriptor_, POLLOUT, deadline); !ready.ok()) {
    return ready.error().code == ErrorCode::kDeadlineExceeded
               ? DeadlineExceeded("http: connect: no answer in time")
               : ready.error();
  }
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &number, &size) != 0) {
    number = errno;
  }
  if (number != 0) {
    return SocketFailure("connect", number);
  }
  return {};
}

int UnconnectedSocket::Release() noexcept {
  return std::exchange(descriptor_, -1);
}

std::unique_ptr<SocketStream> MakePlainStream(UnconnectedSocket connected) {
  return std::make_unique<PlainStream>(connected.Release());
}

Result<std::unique_ptr<TlsStream>> MakeTlsStream(UnconnectedSocket connected,
                                                 const TlsContext& context,
                                                 const std::string& host) {
  ERR_clear_error();
  SSL* ssl = SSL_new(static_cast<SSL_CTX*>(context.native()));
  BIO* bio = ssl == nullptr ? nullptr : BIO_new(SocketBio());
  if (bio == nullptr || !ExpectHost(ssl, host)) {
    BIO_free(bio);
    SSL_free(ssl);
    return Internal("http: tls: " + TakeOpenSslErrors());
  }
  const int descriptor = connected.Release();
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  SSL_set_bio(ssl, bio, bio);
  SSL_set_connect_state(ssl);
  return std::unique_ptr<TlsStream>(std::make_unique<OpenSslStream>(descriptor, ssl, host));
}

}  // namespace umbranet
