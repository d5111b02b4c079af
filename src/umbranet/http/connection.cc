#include "umbranet/http/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "umbranet/http/problem.h"

namespace umbranet {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
constexpr std::size_t kBodyReadBytes = std::size_t{64} << 10U;
// What a client may send ahead while its first request is worked on.
constexpr std::size_t kPipelinedBytesMax = std::size_t{64} << 10U;
// A chunk's own header, with its extensions, or the trailer after the last one.
constexpr std::size_t kChunkHeaderBytesMax = std::size_t{16} << 10U;
constexpr Millis kLingerMax{30'000};

struct ParseFailure {
  int status = 400;
  std::string_view code = "bad_request";
};

ParseFailure FailureOf(const boost::system::error_code& error) {
  if (error == http::error::header_limit) {
    return {431, "header_too_large"};
  }
  if (error == http::error::body_limit) {
    return {413, "body_too_large"};
  }
  if (error == http::error::bad_version) {
    return {505, "bad_http_version"};
  }
  return {};
}

std::string BodyTooLarge(std::size_t limit) {
  return "the body is larger than the " + std::to_string(limit >> 20U) +
         " MiB allowed here; send less at a time";
}

// Splits "http://host/path?query", "/path?query" or "*" into the request's path and query.
void SetTarget(std::string_view target, HttpRequest& request) {
  const std::size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos &&
      (EqualsIgnoringCase(target.substr(0, scheme), "http") ||
       EqualsIgnoringCase(target.substr(0, scheme), "https"))) {
    target.remove_prefix(scheme + 3);
    const std::size_t path = target.find_first_of("/?");
    target.remove_prefix(std::min(path, target.size()));
    if (!target.starts_with('/')) {
      request.path = "/";
      request.query = target.empty() ? "" : target.substr(1);
      return;
    }
  }
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  request.query = question == std::string_view::npos ? "" : target.substr(question + 1);
}

bool IsLoopback(const Socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) {
    return false;
  }
  const auto address = peer.address();
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback()
             : address.is_loopback();
}

}  // namespace

struct Connection::Parser {
  Parser() {
    parser.eager(false);  // Stop after the header, where the body's limit is decided.
    parser.body_limit(boost::none);
  }

  http::request_parser<http::string_body> parser;
};

// ---------------------------------------------------------------------------------------------
// Exchange

Exchange::Exchange(std::shared_ptr<Connection> connection, ConnectionHost& host,
                   HttpRequest request, const Route& route, bool keep_alive)
    : connection_(std::move(connection)),
      host_(host),
      request_(std::move(request)),
      route_(route),
      keep_alive_(keep_alive),
      head_only_(request_.method == "HEAD") {}

Exchange::~Exchange() = default;

void Exchange::Run() {
  try {
    route_.handler(request_, *this);
  } catch (const std::exception&) {
    // Handlers report their own failures; what still arrives here must only not end the process.
    if (streaming_ && !ended_) {
      Finish(true);
    }
  }
  if (!started_) {
    Send(ProblemResponse(ProblemFromError(Internal("http: the handler gave no answer"))));
  } else if (streaming_ && !ended_) {
    Finish(true);
  }
}

void Exchange::Send(HttpResponse response) {
  if (started_) {
    return;
  }
  started_ = true;
  const bool keep_alive = keep_alive_ && !response.close && !host_.Stopping();
  std::string head = RenderHead(response, BodyFraming::kSized, keep_alive, host_.clock().Now());
  if (head_only_) {
    response.body.clear();
  }
  asio::post(host_.io(),
             [connection = connection_, head = std::move(head), body = std::move(response.body),
              status = response.status, keep_alive]() mutable {
               connection->OnResponse(std::move(head), std::move(body), status, keep_alive);
             });
}

void Exchange::BeginStream(HttpResponse response) {
  if (started_) {
    return;
  }
  started_ = true;
  streaming_ = true;
  framing_ = request_.http_1_1 ? BodyFraming::kChunked : BodyFraming::kUntilClose;
  const bool keep_alive = keep_alive_ && !response.close && request_.http_1_1;
  std::string head = RenderHead(response, framing_, keep_alive, host_.clock().Now());
  if (!response.body.empty() && !head_only_) {
    if (framing_ == BodyFraming::kChunked) {
      AppendChunk(head, response.body);
    } else {
      head += response.body;
    }
  }
  asio::post(host_.io(), [connection = connection_, head = std::move(head),
                          status = response.status, keep_alive]() mutable {
    connection->OnStreamBegun(std::move(head), status, keep_alive);
  });
}

void Exchange::PostFlush() {
  if (!flush_posted_) {
    flush_posted_ = true;
    asio::post(host_.io(), [connection = connection_] { connection->OnFlush(); });
  }
}

bool Exchange::Write(std::string_view piece) {
  if (!streaming_ || ended_) {
    return false;
  }
  MutexLock lock(mutex_);
  while (!lost_ && unsent_ >= host_.options().unread_bytes_max) {
    room_.Wait(mutex_);
  }
  if (lost_) {
    return false;
  }
  if (head_only_ || piece.empty()) {
    return true;
  }
  const std::size_t before = pending_.size();
  if (framing_ == BodyFraming::kChunked) {
    AppendChunk(pending_, piece);
  } else {
    pending_ += piece;
  }
  unsent_ += pending_.size() - before;
  PostFlush();
  return true;
}

void Exchange::End() {
  if (streaming_ && !ended_) {
    Finish(false);
  }
}

void Exchange::Finish(bool cut) {
  ended_ = true;
  MutexLock lock(mutex_);
  if (!cut && framing_ == BodyFraming::kChunked && !head_only_) {
    pending_ += kLastChunk;
    unsent_ += kLastChunk.size();
  }
  finished_ = true;
  cut_ = cut;
  PostFlush();
}

void Exchange::ClientLeft() {
  gone_source_.request_stop();
}

void Exchange::ConnectionLost() {
  {
    MutexLock lock(mutex_);
    lost_ = true;
    room_.NotifyAll();
  }
  gone_source_.request_stop();
}

void Exchange::Abandon() {
  abandoned_source_.request_stop();
  gone_source_.request_stop();
}

Exchange::Pending Exchange::Take() {
  MutexLock lock(mutex_);
  flush_posted_ = false;
  Pending pending{std::move(pending_), finished_, cut_};
  pending_.clear();
  return pending;
}

void Exchange::Sent(std::size_t bytes) {
  MutexLock lock(mutex_);
  unsent_ -= std::min(bytes, unsent_);
  room_.NotifyAll();
}

// ---------------------------------------------------------------------------------------------
// Connection

Connection::Connection(ConnectionHost& host, Socket socket)
    : host_(host),
      socket_(std::move(socket)),
      peer_is_loopback_(IsLoopback(socket_)),
      buffer_(host.options().header_bytes_max + kPipelinedBytesMax + kBodyReadBytes) {}

Connection::~Connection() = default;

void Connection::Start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  deadline_ = host_.clock().SteadyNow() + host_.options().idle_timeout;
  StartRead();
}

void Connection::Refuse() {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  RefuseRequest(ProblemResponse(
      {503, "overloaded", "too many connections; try again in a second", Millis{1000}}, true));
}

void Connection::Tick(SteadyTime now) {
  if (write_deadline_ && now >= *write_deadline_) {
    Close();
    return;
  }
  if (!deadline_ || now < *deadline_) {
    return;
  }
  if (state_ == State::kHeader || state_ == State::kBody) {
    RefuseRequest(ProblemResponse(
        {408, "request_timeout", "the request did not arrive in time; send it again at once"},
        true));
  } else if (state_ == State::kIdle || state_ == State::kLingering) {
    Close();
  }
}

void Connection::Drain(SteadyTime reading_until) {
  drain_ = true;
  if (state_ == State::kIdle || state_ == State::kLingering) {
    Close();
  } else if (state_ == State::kHeader || state_ == State::kBody) {
    deadline_ = deadline_ ? std::min(*deadline_, reading_until) : reading_until;
  }
}

void Connection::Abandon() {
  if (exchange_) {
    exchange_->Abandon();
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) {
    return;
  }
  if (state_ == State::kHandling || state_ == State::kStreaming) {
    status_ = 499;
    Observe();
  }
  state_ = State::kClosed;
  deadline_.reset();
  write_deadline_.reset();
  if (exchange_) {
    exchange_->ConnectionLost();
    exchange_.reset();
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
  host_.Closed(*this);
}

void Connection::ProcessInput() {
  while (state_ == State::kIdle || state_ == State::kHeader || state_ == State::kBody) {
    if (state_ == State::kIdle) {
      // An empty line before a request is left over from a careless client (RFC 9112 2.2).
      while (buffer_.size() >= 2 &&
             std::string_view(static_cast<const char*>(buffer_.data().data()), 2) == "\r\n") {
        buffer_.consume(2);
      }
      if (buffer_.size() == 0) {
        break;
      }
      parser_ = std::make_unique<Parser>();
      parser_->parser.header_limit(static_cast<std::uint32_t>(host_.options().header_bytes_max));
      request_ = HttpRequest{};
      route_ = nullptr;
      state_ = State::kHeader;
      deadline_ = host_.clock().SteadyNow() + host_.options().header_timeout;
    }
    if (buffer_.size() == 0) {
      break;
    }
    auto& parser = parser_->parser;
    boost::system::error_code error;
    const std::size_t used = parser.put(buffer_.data(), error);
    buffer_.consume(used);
    if (error && error != http::error::need_more) {
      const ParseFailure failure = FailureOf(error);
      OnParseError(failure.status == 413 && route_ != nullptr
                       ? BodyTooLarge(route_->body_bytes_max)
                       : "the request cannot be read: " + error.message(),
                   failure.status, failure.code);
      return;
    }
    if (state_ == State::kHeader && parser.is_header_done() && !OnHeader()) {
      return;
    }
    if (state_ == State::kBody && parser.is_done()) {
      OnRequest();
      return;
    }
    if (used == 0) {
      const std::size_t limit =
          state_ == State::kBody ? kChunkHeaderBytesMax : host_.options().header_bytes_max;
      if (buffer_.size() > limit) {
        OnParseError("a chunk header is too long", 400, "bad_request");
        return;
      }
      break;
    }
  }
  if (peer_closed_ &&
      (state_ == State::kIdle || state_ == State::kHeader || state_ == State::kBody)) {
    Close();
    return;
  }
  StartRead();
}

bool Connection::OnHeader() {
  auto& parser = parser_->parser;
  const auto& message = parser.get();
  const auto method = message.method_string();
  request_.method.assign(method.data(), method.size());
  const auto target = message.target();
  SetTarget(std::string_view(target.data(), target.size()), request_);
  request_.headers.reserve(8);
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    request_.headers.push_back(
        {std::string(name.data(), name.size()), std::string(value.data(), value.size())});
  }
  request_.http_1_1 = message.version() >= 11;
  request_.peer_is_loopback = peer_is_loopback_;
  request_.received_at = host_.clock().SteadyNow();
  // A client of HTTP/1.0 that could keep the connection would want to be told so in its own way.
  keep_alive_ = parser.keep_alive() && request_.http_1_1 && !peer_closed_;
  if (!CheckHeader()) {
    return false;
  }
  RouteMatch match = host_.router().Match(request_);
  route_ = match.route;
  if (match.refusal) {
    // With no body on the way the connection is in order for the next request.
    if (!parser.is_done()) {
      match.refusal->close = true;
    }
    RefuseRequest(*match.refusal);
    return false;
  }
  request_.parameters = std::move(match.parameters);
  return AdmitBody();
}

// What RFC 9112 demands and the parser does not check. Requests whose length two readers could
// understand in two ways are refused, since a proxy in front may be the other reader.
bool Connection::CheckHeader() {
  if (request_.http_1_1 && request_.CountHeader("Host") != 1) {
    OnParseError("an HTTP/1.1 request needs exactly one Host field", 400, "bad_request");
    return false;
  }
  const std::size_t codings = request_.CountHeader("Transfer-Encoding");
  if (codings != 0) {
    if (!request_.http_1_1 || request_.CountHeader("Content-Length") != 0) {
      OnParseError("Transfer-Encoding may not go with HTTP/1.0 or with Content-Length", 400,
                   "bad_request");
      return false;
    }
    if (codings != 1 || !EqualsIgnoringCase(request_.Header("Transfer-Encoding"), "chunked")) {
      OnParseError("the only transfer coding understood here is chunked", 501,
                   "bad_transfer_coding");
      return false;
    }
  }
  if (request_.CountHeader("Content-Length") > 1 ||
      request_.Header("Content-Length").find_first_not_of("0123456789") != std::string_view::npos) {
    OnParseError("Content-Length must be one number, given once", 400, "bad_request");
    return false;
  }
  const std::string_view expect = request_.Header("Expect");
  if (!expect.empty() && !EqualsIgnoringCase(expect, "100-continue")) {
    OnParseError("the only expectation understood here is 100-continue", 417, "bad_expectation");
    return false;
  }
  return true;
}

bool Connection::AdmitBody() {
  auto& parser = parser_->parser;
  state_ = State::kBody;
  const std::size_t limit = route_->body_bytes_max;
  const auto length = parser.content_length();
  if (length && *length > limit) {
    OnParseError(BodyTooLarge(limit), 413, "body_too_large");
    return false;
  }
  const auto more = static_cast<Millis::rep>(limit >> 20U);
  deadline_ =
      host_.clock().SteadyNow() + host_.options().body_timeout * std::max<Millis::rep>(1, more);
  if (parser.is_done()) {
    return true;
  }
  parser.body_limit(limit);
  parser.eager(true);
  if (request_.http_1_1 && buffer_.size() == 0 && !request_.Header("Expect").empty()) {
    // Nothing else is being written now, and these bytes always fit; a client that misses them
    // sends its body anyway after a moment.
    boost::system::error_code ignored;
    socket_.write_some(asio::buffer(kContinue.data(), kContinue.size()), ignored);
  }
  return true;
}

void Connection::OnRequest() {
  request_.body = std::move(parser_->parser.get().body());
  parser_.reset();
  state_ = State::kHandling;
  deadline_.reset();
  exchange_ = std::make_shared<Exchange>(shared_from_this(), host_, std::move(request_), *route_,
                                         keep_alive_);
  if (route_->runs_on == RunsOn::kIoThread) {
    const std::shared_ptr<Exchange> exchange = exchange_;
    exchange->Run();
  } else if (!host_.Dispatch(exchange_)) {
    exchange_->Send(ProblemResponse({503, "overloaded",
                                     "too many requests are being worked on; try again in a second",
                                     Millis{1000}}));
  }
  // Goes on reading, so that a client that hangs up is noticed.
  StartRead();
}

void Connection::OnParseError(const std::string& what, int status, std::string_view code) {
  RefuseRequest(ProblemResponse({status, std::string(code), what}, true));
}

void Connection::RefuseRequest(const HttpResponse& response) {
  const bool keep_alive = keep_alive_ && !response.close && !drain_;
  parser_.reset();
  deadline_.reset();
  state_ = State::kHandling;
  if (request_.received_at == SteadyTime{}) {
    request_.received_at = host_.clock().SteadyNow();
  }
  std::string head = RenderHead(response, BodyFraming::kSized, keep_alive, host_.clock().Now());
  OnResponse(std::move(head), request_.method == "HEAD" ? std::string() : response.body,
             response.status, keep_alive);
}

// Waits for bytes rather than for a full buffer: an idle connection holds no memory to read into,
// and nothing points into buffer_ while requests are taken out of it.
void Connection::StartRead() {
  if (reading_ || peer_closed_ || state_ == State::kClosed) {
    return;
  }
  const bool answering = state_ == State::kHandling || state_ == State::kStreaming;
  if (answering && buffer_.size() >= kPipelinedBytesMax) {
    return;
  }
  reading_ = true;
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->OnReadable(static_cast<bool>(error));
                     });
}

void Connection::OnReadable(bool failed) {
  reading_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (state_ == State::kLingering) {
    buffer_.consume(buffer_.size());
  }
  boost::system::error_code error;
  std::size_t bytes = 0;
  if (!failed) {
    const std::size_t size = state_ == State::kBody ? kBodyReadBytes : kReadBytes;
    bytes = socket_.read_some(buffer_.prepare(size), error);
  }
  if (error == asio::error::would_block || error == asio::error::try_again) {
    StartRead();
    return;
  }
  if (failed || error) {
    OnPeerClosed();
    return;
  }
  buffer_.commit(bytes);
  if (state_ == State::kLingering) {
    deadline_ = std::min(linger_until_, host_.clock().SteadyNow() + host_.options().linger);
    StartRead();
  } else {
    ProcessInput();
  }
}

// Whether the client has only finished sending or has gone altogether shows when it is written to.
void Connection::OnPeerClosed() {
  peer_closed_ = true;
  if (state_ != State::kHandling && state_ != State::kStreaming) {
    Close();
  } else if (exchange_) {
    exchange_->ClientLeft();
  }
}

void Connection::OnResponse(std::string head, std::string body, int status, bool keep_alive) {
  if (state_ != State::kHandling) {
    return;
  }
  status_ = status;
  keep_alive_ = keep_alive;
  StartWrite(std::move(head), std::move(body));
}

void Connection::OnStreamBegun(std::string head, int status, bool keep_alive) {
  if (state_ != State::kHandling) {
    return;
  }
  state_ = State::kStreaming;
  status_ = status;
  keep_alive_ = keep_alive;
  stream_ended_ = false;
  stream_cut_ = false;
  StartWrite(std::move(head), {});
}

void Connection::OnFlush() {
  if (state_ != State::kStreaming || writing_) {
    return;
  }
  Exchange::Pending pending = exchange_->Take();
  stream_ended_ = pending.ended;
  stream_cut_ = pending.cut;
  if (!pending.bytes.empty()) {
    StartWrite({}, std::move(pending.bytes));
  } else if (stream_ended_) {
    OnResponseSent();
  }
}

void Connection::StartWrite(std::string head, std::string body) {
  out_[0] = std::move(head);
  out_[1] = std::move(body);
  out_sent_ = 0;
  writing_ = true;
  ContinueWrite();
}

void Connection::ContinueWrite() {
  write_deadline_ = host_.clock().SteadyNow() + host_.options().write_timeout;
  const std::size_t head_sent = std::min(out_sent_, out_[0].size());
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(out_[0]) + head_sent, asio::buffer(out_[1]) + (out_sent_ - head_sent)};
  socket_.async_write_some(buffers, [self = shared_from_this()](
                                        const boost::system::error_code& error, std::size_t bytes) {
    self->OnWritten(static_cast<bool>(error), bytes);
  });
}

void Connection::OnWritten(bool failed, std::size_t bytes) {
  if (state_ == State::kClosed) {
    return;
  }
  if (failed) {
    Close();
    return;
  }
  out_sent_ += bytes;
  if (state_ == State::kStreaming && out_[0].empty()) {
    exchange_->Sent(bytes);
  }
  if (out_sent_ < out_[0].size() + out_[1].size()) {
    ContinueWrite();
    return;
  }
  writing_ = false;
  write_deadline_.reset();
  out_[0].clear();
  out_[1].clear();
  if (state_ != State::kStreaming || stream_ended_) {
    OnResponseSent();
  } else {
    OnFlush();
  }
}

void Connection::OnResponseSent() {
  Observe();
  const bool cut = state_ == State::kStreaming && stream_cut_;
  exchange_.reset();
  route_ = nullptr;
  if (cut) {
    Close();
    return;
  }
  if (!keep_alive_ || drain_) {
    Linger();
    return;
  }
  state_ = State::kIdle;
  deadline_ = host_.clock().SteadyNow() + host_.options().idle_timeout;
  if (buffer_.size() == 0 && !reading_ && buffer_.capacity() > kReadBytes * 2) {
    buffer_.shrink_to_fit();
  }
  ProcessInput();
}

void Connection::Observe() {
  if (!host_.options().observe) {
    return;
  }
  RequestObservation observation;
  const HttpRequest& request = exchange_ ? exchange_->request() : request_;
  observation.route = route_ == nullptr ? std::string_view{} : std::string_view(route_->pattern);
  observation.method = request.method;
  observation.status = status_;
  observation.seconds =
      std::chrono::duration<double>(host_.clock().SteadyNow() - request.received_at).count();
  host_.options().observe(observation);
}

// Ends the sending side and waits a moment for the client to do the same. Closing at once, with
// bytes of the client unread, would reset the connection and could take the response with it.
void Connection::Linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (peer_closed_ || (drain_ && buffer_.size() == 0)) {
    Close();
    return;
  }
  state_ = State::kLingering;
  const SteadyTime now = host_.clock().SteadyNow();
  linger_until_ = now + kLingerMax;
  deadline_ = now + host_.options().linger;
  StartRead();
}

}  // namespace umbranet
