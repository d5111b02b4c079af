#include "tests/doubles/tcp_fault_proxy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace umbranet {
namespace {

constexpr std::size_t kHeldBytesMax = std::size_t{8} << 20;  // For each direction.

[[noreturn]] void Give(const char* what) {
  std::perror(what);
  std::abort();
}

sockaddr_in LoopbackAddress(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    Give("TcpFaultProxy: the host is no IPv4 address");
  }
  return address;
}

void DoNotWait(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// With `reset` the peer sees a crash and not an orderly end.
void Close(int& descriptor, bool reset) {
  if (descriptor < 0) {
    return;
  }
  if (reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(descriptor);
  descriptor = -1;
}

struct Chunk {
  std::string bytes;
  SteadyTime due;
};

// What goes one way.
struct Direction {
  int from = -1;
  int to = -1;
  std::deque<Chunk> held;
  std::size_t held_bytes = 0;
  bool ended = false;     // `from` sends no more.
  bool end_told = false;  // And `to` knows.

  [[nodiscard]] bool WantsToRead() const { return !ended && held_bytes < kHeldBytesMax; }

  [[nodiscard]] bool WantsToWrite(SteadyTime now) const {
    return !held.empty() && held.front().due <= now;
  }
};

}  // namespace

struct TcpFaultProxy::Link {
  int client = -1;
  int server = -1;
  Direction up;
  Direction down;
  bool connecting = true;
  bool broken = false;

  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  ~Link() {
    Close(client, broken);
    Close(server, broken);
  }

  // Looks whether the server has answered the connect.
  void FinishConnecting() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &size);
    sockaddr_in peer{};
    size = sizeof peer;
    broken = error != 0;
    connecting = ::getpeername(server, reinterpret_cast<sockaddr*>(&peer), &size) != 0;
  }

  // Returns how many bytes came.
  std::size_t Read(Direction& way, SteadyTime due) {
    if (!way.WantsToRead()) {
      return 0;
    }
    std::array<char, 65536> bytes{};
    const ssize_t size = ::recv(way.from, bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      way.ended = size == 0;
      broken = broken || (size < 0 && errno != EAGAIN && errno != EINTR);
      return 0;
    }
    way.held.push_back({std::string(bytes.data(), static_cast<std::size_t>(size)), due});
    way.held_bytes += static_cast<std::size_t>(size);
    return static_cast<std::size_t>(size);
  }

  void Write(Direction& way, SteadyTime now) {
    while (way.WantsToWrite(now)) {
      Chunk& chunk = way.held.front();
      const ssize_t size = ::send(way.to, chunk.bytes.data(), chunk.bytes.size(), MSG_NOSIGNAL);
      if (size < 0) {
        broken = broken || (errno != EAGAIN && errno != EINTR);
        return;
      }
      way.held_bytes -= static_cast<std::size_t>(size);
      chunk.bytes.erase(0, static_cast<std::size_t>(size));
      if (chunk.bytes.empty()) {
        way.held.pop_front();
      }
    }
    if (way.ended && way.held.empty() && !way.end_told) {
      way.end_told = true;
      ::shutdown(way.to, SHUT_WR);
    }
  }

  [[nodiscard]] short Events(int descriptor, bool stalled, SteadyTime now) const {
    if (stalled) {
      return 0;
    }
    if (connecting) {
      return descriptor == server ? POLLOUT : 0;
    }
    const Direction& reads = descriptor == client ? up : down;
    const Direction& writes = descriptor == client ? down : up;
    return static_cast<short>((reads.WantsToRead() ? POLLIN : 0) |
                              (writes.WantsToWrite(now) ? POLLOUT : 0));
  }
};

TcpFaultProxy::TcpFaultProxy(const std::string& host, std::uint16_t port)
    : host_(host), server_port_(port), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_ < 0) {
    Give("eventfd");
  }
  {
    const MutexLock lock(mutex_);
    Listen();
  }
  carrier_ = std::jthread([this] { Run(); });
}

TcpFaultProxy::~TcpFaultProxy() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  carrier_.join();
  const MutexLock lock(mutex_);
  links_.clear();
  Close(listener_, /*reset=*/false);
  ::close(wake_);
}

void TcpFaultProxy::Listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = LoopbackAddress("127.0.0.1", port_);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Give("TcpFaultProxy: listen");
  }
  port_ = ntohs(address.sin_port);
}

template <typename Change>
void TcpFaultProxy::Order(Change change) {
  MutexLock lock(mutex_);
  change(orders_);
  const std::uint64_t number = ++ordered_;
  Wake();
  while (carried_out_ < number) {
    changed_.Wait(mutex_);
  }
}

void TcpFaultProxy::CarryOut() {
  if (orders_.cut) {
    for (const std::unique_ptr<Link>& link : links_) {
      link->broken = true;
    }
    links_.clear();
    orders_.cut = false;
  }
  if (!orders_.listen) {
    Close(listener_, /*reset=*/false);
  } else if (listener_ < 0) {
    Listen();
  }
  carried_out_ = ordered_;
  changed_.NotifyAll();
}

void TcpFaultProxy::Wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

void TcpFaultProxy::Delay(Millis each_way) {
  const MutexLock lock(mutex_);
  delay_ = each_way;
}

void TcpFaultProxy::Stall() {
  const MutexLock lock(mutex_);
  stalled_ = true;
  Wake();
}

void TcpFaultProxy::Resume() {
  const MutexLock lock(mutex_);
  stalled_ = false;
  Wake();
}

void TcpFaultProxy::Cut() {
  Order([](Orders& orders) { orders.cut = true; });
}

void TcpFaultProxy::Refuse() {
  Order([](Orders& orders) { orders = {.cut = true, .listen = false}; });
}

void TcpFaultProxy::Restore() {
  Order([](Orders& orders) { orders.listen = true; });
}

void TcpFaultProxy::LoseNextAnswer() {
  const MutexLock lock(mutex_);
  lose_next_answer_ = true;
}

std::size_t TcpFaultProxy::ConnectionsAccepted() const {
  const MutexLock lock(mutex_);
  return accepted_;
}

bool TcpFaultProxy::AwaitConnections(std::size_t count) const {
  const SteadyTime until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  MutexLock lock(mutex_);
  while (accepted_ < count && std::chrono::steady_clock::now() < until) {
    changed_.WaitUntil(mutex_, until);
  }
  return accepted_ >= count;
}

std::uint64_t TcpFaultProxy::BytesFromClients() const {
  const MutexLock lock(mutex_);
  return bytes_from_clients_;
}

void TcpFaultProxy::AcceptAll() {
  for (;;) {
    auto link = std::make_unique<Link>();
    link->client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (link->client < 0) {
      return;
    }
    ++accepted_;
    changed_.NotifyAll();
    link->server = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const sockaddr_in address = LoopbackAddress(host_, server_port_);
    const int connected =
        ::connect(link->server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (connected != 0 && errno != EINPROGRESS) {
      link->broken = true;
      continue;
    }
    DoNotWait(link->client);
    DoNotWait(link->server);
    link->up.from = link->down.to = link->client;
    link->down.from = link->up.to = link->server;
    links_.push_back(std::move(link));
  }
}

int TcpFaultProxy::WaitLimit(SteadyTime now) const {
  std::optional<SteadyTime> next;
  for (const std::unique_ptr<Link>& link : links_) {
    for (const Direction* way : {&link->up, &link->down}) {
      if (!stalled_ && !way->held.empty() && way->held.front().due > now) {
        next = std::min(next.value_or(way->held.front().due), way->held.front().due);
      }
    }
  }
  if (!next) {
    return -1;
  }
  return static_cast<int>(std::chrono::ceil<Millis>(*next - now).count());
}

void TcpFaultProxy::Carry(SteadyTime now) {
  for (const std::unique_ptr<Link>& link : links_) {
    if (link->connecting) {
      link->FinishConnecting();
    }
    if (link->connecting || link->broken) {
      continue;
    }
    bytes_from_clients_ += link->Read(link->up, now + delay_);
    if (link->Read(link->down, now + delay_) > 0 && lose_next_answer_) {
      lose_next_answer_ = false;
      link->broken = true;
      continue;
    }
    link->Write(link->up, now);
    link->Write(link->down, now);
  }
  std::erase_if(links_, [](const std::unique_ptr<Link>& link) {
    return link->broken || (link->up.end_told && link->down.end_told);
  });
}

void TcpFaultProxy::Run() {
  for (;;) {
    std::vector<pollfd> polled{{.fd = wake_, .events = POLLIN, .revents = 0}};
    int limit = -1;
    {
      const MutexLock lock(mutex_);
      if (stopping_) {
        return;
      }
      CarryOut();
      const SteadyTime now = std::chrono::steady_clock::now();
      polled.push_back({.fd = listener_, .events = POLLIN, .revents = 0});
      for (const std::unique_ptr<Link>& link : links_) {
        for (const int descriptor : {link->client, link->server}) {
          // Where nothing is awaited poll would still tell of a reset, over and over.
          const short events = link->Events(descriptor, stalled_, now);
          polled.push_back({.fd = events != 0 ? descriptor : -1, .events = events, .revents = 0});
        }
      }
      limit = WaitLimit(now);
    }
    ::poll(polled.data(), polled.size(), limit);

    const MutexLock lock(mutex_);
    std::uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t size = ::read(wake_, &wakes, sizeof wakes);
    if (!stalled_) {
      Carry(std::chrono::steady_clock::now());
    }
    if (listener_ >= 0) {
      AcceptAll();
    }
  }
}

}  // namespace umbranet
