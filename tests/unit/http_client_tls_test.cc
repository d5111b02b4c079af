// Goal: over TLS the client speaks to nobody whose certificate it cannot trust for the name that it
// asked for, and to everybody else as over plain sockets.
// Method: certificates made for the test, and a server on loopback that shows one of them.
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "umbranet/base/unique_id.h"
#include "umbranet/net/http_client.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

// A certificate that vouches for itself, for `subject` ("DNS:localhost" or "IP:127.0.0.1").
CertificatePtr MakeCertificate(EVP_PKEY* key, const char* subject, long valid_from_s) {
  CertificatePtr certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_from_s + 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const std::array<unsigned char, 4> text = {'t', 'e', 's', 't'};
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text.data(), text.size(), -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject);
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

// Answers every connection's requests with "secret" until the connection ends; a number of
// connections, then no more.
class TlsServer {
 public:
  TlsServer(const char* subject, long valid_from_s) : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free) {
    const CertificatePtr certificate = MakeCertificate(key_.get(), subject, valid_from_s);
    authority_ = std::filesystem::temp_directory_path() / ("umbranet-" + RandomHex(8) + ".pem");
    std::FILE* file = std::fopen(authority_.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate.get());
    SSL_CTX_use_PrivateKey(context_, key_.get());
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }

  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
    std::filesystem::remove(authority_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // The file to trust the server by.
  [[nodiscard]] std::string authority() const { return authority_.string(); }

  [[nodiscard]] int Connections() const { return connections_; }

 private:
  void Serve() {
    // OpenSSL writes to connections that the client has left; only this thread forgives that.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    for (int descriptor = 0; (descriptor = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      ++connections_;
      SSL* ssl = SSL_new(context_);
      SSL_set_fd(ssl, descriptor);
      std::array<char, 4096> request{};
      if (SSL_accept(ssl) == 1) {
        while (SSL_read(ssl, request.data(), static_cast<int>(request.size())) > 0) {
          const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
          SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        }
        SSL_shutdown(ssl);
      }
      SSL_free(ssl);
      ::close(descriptor);
    }
  }

  KeyPtr key_;
  std::filesystem::path authority_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

class HttpClientTlsTest : public ::testing::Test {
 protected:
  Result<ClientResponse> Get(const TlsServer& server, const std::string& host, bool trusting) {
    HttpClient::Options options;
    options.base = {true, host, server.port(), ""};
    options.ca_file = trusting ? server.authority() : "";
    client_ = HttpClient::Open(options, clock_).value();
    return Again();
  }

  Result<ClientResponse> Again() {
    return client_->Send({}, {}, Deadline::After(clock_, Millis{20'000}));
  }

  SystemClock clock_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTlsTest, SpeaksToAServerThatItTrusts) {
  const TlsServer by_name("DNS:localhost", -60);
  EXPECT_EQ(Get(by_name, "localhost", true)->body, "secret");
  client_.reset();
  const TlsServer by_address("IP:127.0.0.1", -60);
  const auto response = Get(by_address, "127.0.0.1", true);
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->body, "secret");
  client_.reset();
}

TEST_F(HttpClientTlsTest, KeepsTheConnectionForTheNextRequest) {
  const TlsServer server("DNS:localhost", -60);
  ASSERT_TRUE(Get(server, "localhost", true).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Again()->body, "secret");
  }
  EXPECT_EQ(server.Connections(), 1);
  client_.reset();
}

TEST_F(HttpClientTlsTest, RefusesACertificateThatNobodyVouchesFor) {
  const TlsServer server("DNS:localhost", -60);
  const auto response = Get(server, "localhost", false);
  EXPECT_EQ(response.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(response.error().message, HasSubstr("self-signed"));
}

TEST_F(HttpClientTlsTest, RefusesACertificateForAnotherName) {
  const TlsServer server("DNS:elsewhere.example", -60);
  const auto response = Get(server, "localhost", true);
  EXPECT_EQ(response.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(response.error().message, HasSubstr("ostname mismatch"));
}

TEST_F(HttpClientTlsTest, RefusesACertificateForAnotherAddress) {
  const TlsServer server("IP:127.0.0.2", -60);
  EXPECT_EQ(Get(server, "127.0.0.1", true).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(HttpClientTlsTest, RefusesACertificateThatHasExpired) {
  const TlsServer server("DNS:localhost", -7200);
  const auto response = Get(server, "localhost", true);
  EXPECT_EQ(response.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(response.error().message, HasSubstr("expired"));
}

}  // namespace
}  // namespace umbranet
