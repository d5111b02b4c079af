#include "umbranet/http/server.h"

#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <pthread.h>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/thread_urgency.h"
#include "umbranet/http/connection.h"

namespace umbranet {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

constexpr Millis kTickInterval{100};
constexpr Millis kAcceptPause{100};
// Beyond connections_max, so many are told so before they are closed; any more are closed unheard.
constexpr std::size_t kRefusalsMax = 64;
// Probes, metrics and operators get through while every other place is taken.
constexpr std::size_t kReservedForOperations = 8;
// A client counts itself as connected a moment before the kernel hands it over here, and longer
// where the machine is busy: with the door closed at once it would see a reset, and could not tell
// whether its request was worked on.
constexpr Millis kLettingIn{20};
// What is left of requests that were arriving when the server was asked to stop.
constexpr Millis kDrainReading{1'000};
// For the last responses to leave, once their handlers have given up.
constexpr Millis kLastWrites{1'000};

BoundedWorkerPool::Options PoolOptions(const HttpServer::Options& options) {
  BoundedWorkerPool::Options pool;
  pool.name = "http-worker";
  pool.threads_min = 1;
  pool.threads_max = options.in_flight_max + kReservedForOperations;
  pool.queue_max = options.in_flight_max + kReservedForOperations;
  pool.nice = kNiceOfAnswers;
  return pool;
}

class AsioHttpServer final : public HttpServer, private ConnectionHost {
 public:
  AsioHttpServer(Options options, const Clock& clock, Router router)
      : options_(std::move(options)),
        clock_(clock),
        router_(std::move(router)),
        acceptor_(io_),
        tick_(io_),
        accept_pause_(io_),
        letting_in_(io_),
        pool_(PoolOptions(options_)) {}

  ~AsioHttpServer() override { Stop(Deadline::After(clock_, Millis{0})); }

  AsioHttpServer(const AsioHttpServer&) = delete;
  AsioHttpServer& operator=(const AsioHttpServer&) = delete;

  Status Listen();

  [[nodiscard]] std::uint16_t Port() const override { return port_; }

  void Start() override;
  bool Stop(Deadline deadline) override;

  [[nodiscard]] std::size_t Connections() const override {
    return connection_count_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::size_t InFlight() const override {
    return in_flight_.load(std::memory_order_relaxed);
  }

 private:
  const Options& options() const override { return options_; }

  const Clock& clock() const override { return clock_; }

  const Router& router() const override { return router_; }

  asio::io_context& io() override { return io_; }

  bool Stopping() const override { return stopping_.load(std::memory_order_relaxed); }

  bool Dispatch(std::shared_ptr<Exchange> exchange) override;
  void Closed(Connection& connection) override;

  void Accept();
  void OnAccepted(const boost::system::error_code& error, Socket socket);
  void TakeIn(Socket socket);
  void ScheduleTick();
  void BeginDrain();
  // Waits until `done` or the deadline; false when it was the deadline.
  template <typename Condition>
  bool WaitFor(Deadline deadline, Condition done);
  void Progressed();

  const Options options_;
  const Clock& clock_;
  const Router router_;
  std::uint16_t port_ = 0;

  asio::io_context io_{1};
  Acceptor acceptor_;
  Timer tick_;
  Timer accept_pause_;
  Timer letting_in_;
  // Of the I/O thread alone.
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
  std::optional<SteadyTime> drain_until_;

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> closed_to_new_ = false;
  std::atomic<std::size_t> connection_count_ = 0;
  std::atomic<std::size_t> in_flight_ = 0;
  Mutex mutex_;
  ConditionVariable progress_;
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool drained_in_time_ GUARDED_BY(mutex_) = true;
  std::jthread io_thread_;
  // Last, so that it goes first: its tasks hold connections.
  BoundedWorkerPool pool_;
};

Status AsioHttpServer::Listen() {
  const std::string host = options_.host == "localhost" ? "127.0.0.1" : options_.host;
  const std::string where = options_.host + ":" + std::to_string(options_.port);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return InvalidArgument("http: '" + options_.host +
                           "' is not an address to listen on; write one such as 127.0.0.1 or ::1");
  }
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return Unavailable("http: cannot listen on " + where + ": " + error.message() +
                       "; stop what uses it or choose another address");
  }
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

void AsioHttpServer::Start() {
  MutexLock lock(mutex_);
  if (started_ || stopped_) {
    return;
  }
  started_ = true;
  Accept();
  ScheduleTick();
  io_thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), "http-io");
    WorkAhead(kNiceOfAnswers);
    const auto keep_running = asio::make_work_guard(io_);
    io_.run();
  });
}

void AsioHttpServer::Accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
    OnAccepted(error, std::move(socket));
  });
}

void AsioHttpServer::OnAccepted(const boost::system::error_code& error, Socket socket) {
  if (error == asio::error::operation_aborted || (error && drain_until_)) {
    return;
  }
  if (error) {
    // Most likely the process is out of file descriptors; some come back as clients leave.
    accept_pause_.expires_after(kAcceptPause);
    accept_pause_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        Accept();
      }
    });
    return;
  }
  TakeIn(std::move(socket));
  if (!drain_until_) {
    Accept();
  }
}

void AsioHttpServer::TakeIn(Socket socket) {
  const std::size_t count = connections_.size();
  ConnectionHost& host = *this;
  if (count < options_.connections_max + kRefusalsMax) {
    auto connection = std::make_shared<Connection>(host, std::move(socket));
    connections_.emplace(connection.get(), connection);
    connection_count_.store(count + 1, std::memory_order_relaxed);
    if (count < options_.connections_max) {
      connection->Start();
    } else {
      connection->Refuse();
    }
    if (drain_until_) {
      connection->Drain(*drain_until_);
    }
  }
}

void AsioHttpServer::ScheduleTick() {
  tick_.expires_after(kTickInterval);
  tick_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) {
      return;
    }
    const SteadyTime now = clock_.SteadyNow();
    // A connection that closes leaves the map, so step past it first.
    for (auto at = connections_.begin(); at != connections_.end();) {
      const std::shared_ptr<Connection> connection = (at++)->second;
      connection->Tick(now);
    }
    ScheduleTick();
  });
}

bool AsioHttpServer::Dispatch(std::shared_ptr<Exchange> exchange) {
  const bool operations = exchange->route().access != Access::kTenant;
  const std::size_t limit = options_.in_flight_max + (operations ? kReservedForOperations : 0);
  if (in_flight_.load(std::memory_order_relaxed) >= limit) {
    return false;
  }
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  const bool taken = pool_.TrySubmit([this, exchange = std::move(exchange)]() mutable {
    exchange->Run();
    exchange.reset();
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    if (Stopping()) {
      Progressed();
    }
  });
  if (!taken) {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  return taken;
}

void AsioHttpServer::Closed(Connection& connection) {
  connections_.erase(&connection);
  connection_count_.store(connections_.size(), std::memory_order_relaxed);
  if (Stopping()) {
    Progressed();
  }
}

void AsioHttpServer::Progressed() {
  MutexLock lock(mutex_);
  progress_.NotifyAll();
}

template <typename Condition>
bool AsioHttpServer::WaitFor(Deadline deadline, Condition done) {
  MutexLock lock(mutex_);
  while (!done()) {
    if (deadline.Expired()) {
      return false;
    }
    // The deadline may be of a clock that a test turns by hand, so look again now and then.
    progress_.WaitFor(mutex_, Millis{20});
  }
  return true;
}

void AsioHttpServer::BeginDrain() {
  const SteadyTime until = clock_.SteadyNow() + kDrainReading;
  drain_until_ = until;
  // Clients that the kernel has let in already would see a reset, and could not tell whether their
  // request was worked on; those that come later are refused and know to go elsewhere.
  boost::system::error_code error;
  acceptor_.non_blocking(true, error);
  for (std::size_t taken = 0; !error && taken < options_.connections_max; ++taken) {
    if (Socket socket = acceptor_.accept(error); !error) {
      TakeIn(std::move(socket));
    }
  }
  acceptor_.close(error);
  accept_pause_.cancel();
  for (auto at = connections_.begin(); at != connections_.end();) {
    const std::shared_ptr<Connection> connection = (at++)->second;
    connection->Drain(until);
  }
  // Behind the last connection that was accepted and is not yet counted.
  asio::post(io_, [this] {
    closed_to_new_ = true;
    Progressed();
  });
}

bool AsioHttpServer::Stop(Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (stopped_) {
      return drained_in_time_;
    }
    stopped_ = true;
    if (!started_) {
      return true;
    }
  }
  stopping_ = true;
  const Millis letting_in = deadline.Expired() ? Millis{0} : kLettingIn;
  asio::post(io_, [this, letting_in] {
    letting_in_.expires_after(letting_in);
    letting_in_.async_wait([this](const boost::system::error_code&) { BeginDrain(); });
  });
  const auto idle = [this] { return closed_to_new_ && in_flight_ == 0 && connection_count_ == 0; };
  const bool in_time = WaitFor(deadline, idle);
  if (!in_time) {
    asio::post(io_, [this] {
      for (const auto& [_, connection] : connections_) {
        connection->Abandon();
      }
    });
    WaitFor(Deadline::Never(), [this] { return in_flight_ == 0; });
    WaitFor(Deadline::After(clock_, kLastWrites), idle);
  }
  pool_.Stop();
  asio::post(io_, [this] {
    for (auto at = connections_.begin(); at != connections_.end();) {
      const std::shared_ptr<Connection> connection = (at++)->second;
      connection->Close();
    }
    tick_.cancel();
    io_.stop();
  });
  io_thread_.join();
  MutexLock lock(mutex_);
  drained_in_time_ = in_time;
  return in_time;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Open(Options options, const Clock& clock,
                                                     Router router) {
  auto server = std::make_unique<AsioHttpServer>(std::move(options), clock, std::move(router));
  UMBRANET_RETURN_IF_ERROR(server->Listen());
  return Result<std::unique_ptr<HttpServer>>(std::move(server));
}

}  // namespace umbranet
