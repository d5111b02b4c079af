#include "umbranet/net/http_response_reader.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

namespace umbranet {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

// A server that keeps saying "processing" is not waited for without end.
constexpr int kInterimResponsesMax = 8;
constexpr int kSwitchingProtocols = 101;
constexpr std::string_view kStart = "HTTP/";

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

Error NotHttp(const boost::system::error_code& error) {
  if (error == http::error::header_limit) {
    return {ErrorCode::kBadGateway, "http: the response's header is longer than allowed"};
  }
  if (error == http::error::body_limit) {
    return {ErrorCode::kBadGateway, "http: the response's body is longer than allowed"};
  }
  return {ErrorCode::kBadGateway, "http: the answer is not HTTP: " + error.message()};
}

}  // namespace

std::string_view HttpResponseHead::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct HttpResponseReader::State {
  explicit State(Limits limits_in) : limits(limits_in) { Restart(); }

  void Restart() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser->body_limit(limits.body_bytes_max);
    head_taken = false;
  }

  [[nodiscard]] bool IsInterim() const {
    const int status = static_cast<int>(parser->get().result_int());
    return status >= 100 && status < 200 && status != kSwitchingProtocols;
  }

  void TakeHead() {
    head.status = static_cast<int>(parser->get().result_int());
    head.headers.clear();
    for (const auto& field : parser->get()) {
      head.headers.emplace_back(LowerCase({field.name_string().data(), field.name_string().size()}),
                                std::string(field.value().data(), field.value().size()));
    }
    head_taken = true;
  }

  // Parses as much of `bytes` as it can; the rest stays for the next call.
  Result<std::size_t> Parse(std::string_view bytes);

  Limits limits;
  std::optional<Parser> parser;
  std::string unparsed;  // The start of something that is not whole yet.
  HttpResponseHead head;
  bool head_taken = false;
  bool started = false;
  bool surplus = false;  // Bytes came after the response's end.
  int interim_responses = 0;
  std::optional<Error> failed;
};

Result<std::size_t> HttpResponseReader::State::Parse(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    if (parser->is_done()) {
      surplus = true;
      return bytes.size();
    }
    boost::system::error_code error;
    const std::size_t size =
        parser->put(boost::asio::buffer(bytes.data() + taken, bytes.size() - taken), error);
    taken += size;
    if (error && error != http::error::need_more) {
      return NotHttp(error);
    }
    if (parser->is_header_done() && !head_taken && !IsInterim()) {
      TakeHead();
    }
    if (parser->is_done() && IsInterim()) {
      if (++interim_responses > kInterimResponsesMax) {
        return Error{ErrorCode::kBadGateway, "http: too many interim responses"};
      }
      Restart();
    } else if (error == http::error::need_more || size == 0) {
      break;
    }
  }
  return taken;
}

HttpResponseReader::HttpResponseReader(Limits limits) : state_(std::make_unique<State>(limits)) {}

HttpResponseReader::~HttpResponseReader() = default;
HttpResponseReader::HttpResponseReader(HttpResponseReader&&) noexcept = default;
HttpResponseReader& HttpResponseReader::operator=(HttpResponseReader&&) noexcept = default;

Status HttpResponseReader::Feed(std::string_view bytes) {
  State& state = *state_;
  if (state.failed) {
    return *state.failed;
  }
  if (bytes.empty()) {
    return {};
  }
  state.started = true;
  // Most reads end where the parser can take all of them, so bytes are kept only when they must.
  std::string joined;
  if (!state.unparsed.empty()) {
    joined = std::move(state.unparsed);
    joined += bytes;
    bytes = joined;
  }
  // Beast waits for a whole line before it judges; another protocol may never send one.
  const std::size_t known = std::min(bytes.size(), kStart.size());
  if (!state.parser->got_some() && bytes.substr(0, known) != kStart.substr(0, known)) {
    state.failed = Error{ErrorCode::kBadGateway, "http: the answer is not HTTP"};
    return *state.failed;
  }
  Result<std::size_t> taken = state.Parse(bytes);
  if (!taken.ok()) {
    state.failed = taken.error();
    return *state.failed;
  }
  state.unparsed = bytes.substr(*taken);
  // Beast bounds the header and the body, but not the line before a chunk.
  if (state.unparsed.size() > state.limits.header_bytes_max) {
    state.failed = Error{ErrorCode::kBadGateway, "http: a line of the response is too long"};
    return *state.failed;
  }
  return {};
}

Status HttpResponseReader::FeedEnd() {
  State& state = *state_;
  if (state.failed) {
    return *state.failed;
  }
  if (state.parser->is_done()) {
    return {};
  }
  if (state.parser->is_header_done() && state.parser->need_eof()) {
    boost::system::error_code error;
    state.parser->put_eof(error);
    if (!error) {
      return {};
    }
  }
  state.failed = Unavailable("http: the connection was closed before the response was whole");
  return *state.failed;
}

bool HttpResponseReader::HeadDone() const {
  return state_->head_taken;
}

const HttpResponseHead& HttpResponseReader::head() const {
  return state_->head;
}

bool HttpResponseReader::Done() const {
  return state_->head_taken && state_->parser->is_done();
}

bool HttpResponseReader::Started() const {
  return state_->started;
}

bool HttpResponseReader::CanReuseConnection() const {
  return Done() && !state_->failed && !state_->surplus && state_->unparsed.empty() &&
         state_->head.status != kSwitchingProtocols && state_->parser->keep_alive();
}

std::string_view HttpResponseReader::body() const {
  return state_->parser->get().body();
}

void HttpResponseReader::ClearBody() {
  state_->parser->get().body().clear();
}

}  // namespace umbranet
