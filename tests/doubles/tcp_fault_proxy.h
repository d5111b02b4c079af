// A TCP proxy on loopback between a client under test and a real server, whose traffic a test
// delays, stalls, cuts or refuses.
//
// All methods may be called from any thread and take effect before they return. One thread of its
// own carries all the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class TcpFaultProxy {
 public:
  // Listens on a free port of 127.0.0.1 and connects each client to `host` (a numeric IPv4 address)
  // and `port`. A server that does not listen closes the client's connection at once.
  TcpFaultProxy(const std::string& host, std::uint16_t port);
  ~TcpFaultProxy();
  TcpFaultProxy(const TcpFaultProxy&) = delete;
  TcpFaultProxy& operator=(const TcpFaultProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Whatever arrives from now on, in either direction, goes on so much later.
  void Delay(Millis each_way);

  // A server that is frozen: connections are still accepted and nothing moves until Resume, when
  // everything that was held goes on.
  void Stall();
  void Resume();

  // Resets every connection; new ones are served.
  void Cut();

  // A server that is away: resets every connection and refuses new ones until Restore, on the same
  // port.
  void Refuse();
  void Restore();

  // The next bytes that the server sends are swallowed and that connection is reset: the server has
  // done what it was asked, and the client cannot know.
  void LoseNextAnswer();

  // Connections accepted so far.
  [[nodiscard]] std::size_t ConnectionsAccepted() const;
  // Returns once `count` connections have been accepted; false when that took over 20 s.
  [[nodiscard]] bool AwaitConnections(std::size_t count) const;

  // Bytes that clients have sent so far, held ones included: whether anybody asked the server.
  [[nodiscard]] std::uint64_t BytesFromClients() const;

 private:
  struct Link;

  // What the carrier, which alone touches the sockets, is to do next.
  struct Orders {
    bool cut = false;
    bool listen = true;
  };

  // Returns once the carrier has done what `change` ordered.
  template <typename Change>
  void Order(Change change) EXCLUDES(mutex_);
  void CarryOut() REQUIRES(mutex_);
  void Listen() REQUIRES(mutex_);
  void Wake() const;
  void Run();
  void Carry(SteadyTime now) REQUIRES(mutex_);
  void AcceptAll() REQUIRES(mutex_);
  // How long poll may wait, milliseconds; -1: until something happens.
  [[nodiscard]] int WaitLimit(SteadyTime now) const REQUIRES(mutex_);

  const std::string host_;
  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int wake_ = -1;
  mutable Mutex mutex_;
  mutable ConditionVariable changed_;
  int listener_ GUARDED_BY(mutex_) = -1;
  std::vector<std::unique_ptr<Link>> links_ GUARDED_BY(mutex_);
  Orders orders_ GUARDED_BY(mutex_);
  std::uint64_t ordered_ GUARDED_BY(mutex_) = 0;
  std::uint64_t carried_out_ GUARDED_BY(mutex_) = 0;
  Millis delay_ GUARDED_BY(mutex_){0};
  bool stalled_ GUARDED_BY(mutex_) = false;
  bool lose_next_answer_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::size_t accepted_ GUARDED_BY(mutex_) = 0;
  std::uint64_t bytes_from_clients_ GUARDED_BY(mutex_) = 0;
  std::jthread carrier_;
};

}  // namespace umbranet
