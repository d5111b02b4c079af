#include "umbranet/http/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "umbranet/http/problem.h"

namespace umbranet {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
constexpr std::size_t kBodyReadBytes = std::size_t{64} << 10U;
// What a client may send ahead while its first request is worked on.
constexpr std::size_t kPipelinedBytesMax = std::size_t{64} << 10U;
constexpr Millis kLingerMax{30'000};

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
  drain_until_ = reading_until;
  boost::system::error_code ignored;
  // A request may be on its way: the first one, for which it was opened, or one that has arrived.
  const bool is_done = state_ == State::kLingering ||
                       (state_ == State::kIdle && has_asked_ && socket_.available(ignored) == 0);
  if (is_done) {
    Close();
  } else if (state_ == State::kIdle || state_ == State::kHeader || state_ == State::kBody) {
    SetReadDeadline(deadline_.value_or(reading_until));
  }
}

void Connection::SetReadDeadline(SteadyTime deadline) {
  deadline_ = drain_until_ ? std::min(deadline, *drain_until_) : deadline;
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

std::string_view Connection::Buffered() const {
  return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

// Begins a new request when there are bytes of one.
bool Connection::BeginRequest() {
  // An empty line before a request is left over from a careless client (RFC 9112 2.2).
  while (Buffered().starts_with("\r\n")) {
    buffer_.consume(2);
  }
  if (buffer_.size() == 0) {
    return false;
  }
  reader_ = std::make_unique<RequestReader>(host_.options().header_bytes_max);
  request_ = HttpRequest{};
  route_ = nullptr;
  state_ = State::kHeader;
  has_asked_ = true;
  SetReadDeadline(host_.clock().SteadyNow() + host_.options().header_timeout);
  return true;
}

void Connection::ProcessInput() {
  while (state_ != State::kIdle || BeginRequest()) {
    if (state_ != State::kHeader && state_ != State::kBody) {
      break;
    }
    std::size_t used = 0;
    const RequestReader::Step step = reader_->Read(Buffered(), used);
    buffer_.consume(used);
    if (step == RequestReader::Step::kRefused) {
      request_ = std::move(reader_->request());
      RefuseRequest(ProblemResponse(reader_->problem(), true));
      break;
    }
    if (step == RequestReader::Step::kWhole) {
      OnRequest();
      break;
    }
    if (step == RequestReader::Step::kHeader && !OnHeader()) {
      break;
    }
    if (step == RequestReader::Step::kMore && (used == 0 || buffer_.size() == 0)) {
      break;
    }
  }
  const bool reading = state_ == State::kIdle || state_ == State::kHeader || state_ == State::kBody;
  if (peer_closed_ && reading) {
    Close();
    return;
  }
  // Goes on reading while a request is answered, so that a client that hangs up is noticed.
  StartRead();
}

bool Connection::OnHeader() {
  HttpRequest& request = reader_->request();
  request.peer_is_loopback = peer_is_loopback_;
  request.received_at = host_.clock().SteadyNow();
  keep_alive_ = reader_->KeepsConnection() && !peer_closed_;
  RouteMatch match = host_.router().Match(request);
  route_ = match.route;
  if (match.refusal) {
    // With no body on the way the connection is in order for the next request.
    match.refusal->close = match.refusal->close || !reader_->IsWhole();
    request_ = std::move(request);
    RefuseRequest(*match.refusal);
    return false;
  }
  request.parameters = std::move(match.parameters);
  if (!reader_->AllowBody(route_->body_bytes_max)) {
    request_ = std::move(request);
    RefuseRequest(ProblemResponse(reader_->problem(), true));
    return false;
  }
  state_ = State::kBody;
  const auto mebibytes = static_cast<Millis::rep>(route_->body_bytes_max >> 20U);
  SetReadDeadline(host_.clock().SteadyNow() +
                  host_.options().body_timeout * std::max<Millis::rep>(1, mebibytes));
  if (buffer_.size() == 0 && reader_->ExpectsContinue()) {
    // Nothing else is being written now, and these bytes always fit; a client that misses them
    // sends its body anyway after a moment.
    boost::system::error_code ignored;
    socket_.write_some(asio::buffer(kContinue.data(), kContinue.size()), ignored);
  }
  return true;
}

void Connection::OnRequest() {
  const std::unique_ptr<RequestReader> reader = std::move(reader_);
  state_ = State::kHandling;
  deadline_.reset();
  exchange_ = std::make_shared<Exchange>(shared_from_this(), host_, std::move(reader->request()),
                                         *route_, keep_alive_);
  if (route_->runs_on == RunsOn::kIoThread) {
    const std::shared_ptr<Exchange> exchange = exchange_;
    exchange->Run();
  } else if (!host_.Dispatch(exchange_)) {
    exchange_->Send(ProblemResponse({503, "overloaded",
                                     "too many requests are being worked on; try again in a second",
                                     Millis{1000}}));
  }
}

void Connection::RefuseRequest(const HttpResponse& response) {
  const bool keep_alive = keep_alive_ && !response.close && !drain_until_;
  reader_.reset();
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
  if (!keep_alive_ || drain_until_) {
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
  if (peer_closed_ || (drain_until_ && buffer_.size() == 0)) {
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
