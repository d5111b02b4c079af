// One client's connection, and the exchange of one request for one response on it.
//
// A connection lives on the I/O thread: every method of it is called there. An exchange is used by
// the thread that runs the handler, and hands its bytes to the I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/http/message.h"
#include "umbranet/http/request_reader.h"
#include "umbranet/http/response_text.h"
#include "umbranet/http/router.h"
#include "umbranet/http/server.h"

namespace umbranet {

class Connection;
class Exchange;

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// What a connection asks of the server it belongs to.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  [[nodiscard]] virtual const HttpServer::Options& options() const = 0;
  [[nodiscard]] virtual const Clock& clock() const = 0;
  [[nodiscard]] virtual const Router& router() const = 0;
  virtual boost::asio::io_context& io() = 0;
  // The server is on its way out: answer what was asked, then close.
  [[nodiscard]] virtual bool Stopping() const = 0;
  // Runs the exchange on the pool. False: too many are running.
  [[nodiscard]] virtual bool Dispatch(std::shared_ptr<Exchange> exchange) = 0;
  virtual void Closed(Connection& connection) = 0;
};

class Exchange final : public ResponseWriter, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Connection> connection, ConnectionHost& host, HttpRequest request,
           const Route& route, bool keep_alive);
  ~Exchange() override;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Runs the handler and makes sure of an answer.
  void Run();

  void Send(HttpResponse response) override;
  void BeginStream(HttpResponse response) override;
  [[nodiscard]] bool Write(std::string_view piece) override;
  void End() override;

  [[nodiscard]] bool Started() const override { return started_; }

  [[nodiscard]] std::stop_token ClientGone() const override { return gone_source_.get_token(); }

  [[nodiscard]] std::stop_token Abandoned() const override { return abandoned_source_.get_token(); }

  // The rest is for the I/O thread.

  [[nodiscard]] const Route& route() const { return route_; }

  [[nodiscard]] const HttpRequest& request() const { return request_; }

  // The client has hung up, although a half-closed one may still read.
  void ClientLeft();
  // Nothing reaches the client any more.
  void ConnectionLost();
  void Abandon();

  struct Pending {
    std::string bytes;
    bool ended = false;
    bool cut = false;
  };

  // What the handler wrote since the last call.
  Pending Take();
  // `bytes` of what was taken have been sent.
  void Sent(std::size_t bytes);

 private:
  void PostFlush() REQUIRES(mutex_);
  void Finish(bool cut);

  const std::shared_ptr<Connection> connection_;
  ConnectionHost& host_;
  HttpRequest request_;
  const Route& route_;
  const bool keep_alive_;
  const bool head_only_;
  // Of the handler's thread alone.
  bool started_ = false;
  bool streaming_ = false;
  bool ended_ = false;
  BodyFraming framing_ = BodyFraming::kSized;

  Mutex mutex_;
  ConditionVariable room_;
  std::string pending_ GUARDED_BY(mutex_);
  std::size_t unsent_ GUARDED_BY(mutex_) = 0;
  bool flush_posted_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  bool cut_ GUARDED_BY(mutex_) = false;
  bool lost_ GUARDED_BY(mutex_) = false;
  std::stop_source gone_source_;
  std::stop_source abandoned_source_;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionHost& host, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start();
  // Says that there are too many connections, and closes.
  void Refuse();
  // Closes when a deadline has passed.
  void Tick(SteadyTime now);
  // The server is stopping: closes unless a request is being answered.
  void Drain(SteadyTime reading_until);
  void Abandon();
  void Close();

  // The handler's answer, whole.
  void OnResponse(std::string head, std::string body, int status, bool keep_alive);
  // The handler has begun a stream, or written to it.
  void OnStreamBegun(std::string head, int status, bool keep_alive);
  void OnFlush();

 private:
  enum class State { kIdle, kHeader, kBody, kHandling, kStreaming, kLingering, kClosed };
  void ProcessInput();
  bool BeginRequest();
  [[nodiscard]] std::string_view Buffered() const;
  // False: the request was refused.
  bool OnHeader();
  void OnRequest();
  void RefuseRequest(const HttpResponse& response);
  void SetReadDeadline(SteadyTime deadline);
  void StartRead();
  void OnReadable(bool failed);
  void OnPeerClosed();
  void StartWrite(std::string head, std::string body);
  void ContinueWrite();
  void OnWritten(bool failed, std::size_t bytes);
  void OnResponseSent();
  void Observe();
  void Linger();

  ConnectionHost& host_;
  Socket socket_;
  const bool peer_is_loopback_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<RequestReader> reader_;
  State state_ = State::kIdle;
  bool reading_ = false;
  bool writing_ = false;
  bool peer_closed_ = false;
  bool has_asked_ = false;                    // A request has begun at some time.
  std::optional<SteadyTime> drain_until_;     // Set: the server stops, and reads until then.
  std::optional<SteadyTime> deadline_;        // Of the state.
  std::optional<SteadyTime> write_deadline_;  // Of the write.
  SteadyTime linger_until_{};

  HttpRequest request_;  // Refused, for the report.
  const Route* route_ = nullptr;
  bool keep_alive_ = true;
  int status_ = 0;
  std::shared_ptr<Exchange> exchange_;  // Being answered.

  std::array<std::string, 2> out_;
  std::size_t out_sent_ = 0;
  bool stream_ended_ = false;
  bool stream_cut_ = false;
};

}  // namespace umbranet
