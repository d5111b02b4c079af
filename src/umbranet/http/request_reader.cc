#include "umbranet/http/request_reader.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace umbranet {
namespace {

namespace http = boost::beast::http;

// A chunk's own header with its extensions, or the trailer after the last chunk.
constexpr std::size_t kChunkHeaderBytesMax = std::size_t{16} << 10U;

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

}  // namespace

struct RequestReader::Parser {
  http::request_parser<http::string_body> parser;
};

RequestReader::RequestReader(std::size_t header_bytes_max)
    : header_bytes_max_(header_bytes_max), parser_(std::make_unique<Parser>()) {
  auto& parser = parser_->parser;
  parser.header_limit(static_cast<std::uint32_t>(header_bytes_max));
  // Stops after the header, where the body's limit is decided.
  parser.eager(false);
  parser.body_limit(boost::none);
}

RequestReader::~RequestReader() = default;

RequestReader::Step RequestReader::Read(std::string_view bytes, std::size_t& used) {
  used = 0;
  auto& parser = parser_->parser;
  if (!header_read_ || !parser.is_done()) {
    boost::system::error_code error;
    used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == http::error::header_limit) {
      return Refuse(431, "header_too_large",
                    "the header is larger than " + std::to_string(header_bytes_max_) + " bytes");
    }
    if (error == http::error::body_limit) {
      return Refuse(413, "body_too_large", BodyTooLarge(body_bytes_max_));
    }
    if (error && error != http::error::need_more) {
      return Refuse(error == http::error::bad_version ? 505 : 400, "bad_request",
                    "the request cannot be read: " + error.message());
    }
    if (!header_read_ && parser.is_header_done()) {
      header_read_ = true;
      TakeHeader();
      return CheckHeader() ? Step::kHeader : Step::kRefused;
    }
  }
  if (parser.is_done()) {
    request_.body = std::move(parser.get().body());
    return Step::kWhole;
  }
  const std::size_t pending_max = header_read_ ? kChunkHeaderBytesMax : header_bytes_max_;
  if (used == 0 && bytes.size() > pending_max) {
    return Refuse(400, "bad_request", "a chunk header is too long");
  }
  return Step::kMore;
}

void RequestReader::TakeHeader() {
  const auto& message = parser_->parser.get();
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
}

// What RFC 9112 demands and the parser does not check. Requests whose length two readers could
// understand in two ways are refused, since a proxy in front may be the other reader.
bool RequestReader::CheckHeader() {
  if (request_.http_1_1 && request_.CountHeader("Host") != 1) {
    Refuse(400, "bad_request", "an HTTP/1.1 request needs exactly one Host field");
    return false;
  }
  const std::size_t codings = request_.CountHeader("Transfer-Encoding");
  const std::size_t lengths = request_.CountHeader("Content-Length");
  if (codings != 0 && (!request_.http_1_1 || lengths != 0)) {
    Refuse(400, "bad_request", "Transfer-Encoding may not go with HTTP/1.0 or with Content-Length");
    return false;
  }
  if (codings > 1 ||
      (codings == 1 && !EqualsIgnoringCase(request_.Header("Transfer-Encoding"), "chunked"))) {
    Refuse(501, "bad_transfer_coding", "the only transfer coding understood here is chunked");
    return false;
  }
  if (lengths > 1 ||
      request_.Header("Content-Length").find_first_not_of("0123456789") != std::string_view::npos) {
    Refuse(400, "bad_request", "Content-Length must be one number, given once");
    return false;
  }
  const std::string_view expect = request_.Header("Expect");
  if (!expect.empty() && !EqualsIgnoringCase(expect, "100-continue")) {
    Refuse(417, "bad_expectation", "the only expectation understood here is 100-continue");
    return false;
  }
  return true;
}

bool RequestReader::AllowBody(std::size_t bytes_max) {
  auto& parser = parser_->parser;
  body_bytes_max_ = bytes_max;
  const auto length = parser.content_length();
  if (length && *length > bytes_max) {
    Refuse(413, "body_too_large", BodyTooLarge(bytes_max));
    return false;
  }
  parser.body_limit(bytes_max);
  parser.eager(true);
  return true;
}

bool RequestReader::IsWhole() const {
  return parser_->parser.is_done();
}

bool RequestReader::ExpectsContinue() const {
  return request_.http_1_1 && !IsWhole() && !request_.Header("Expect").empty();
}

// A client of HTTP/1.0 that could keep the connection would want to be told so in its own way.
bool RequestReader::KeepsConnection() const {
  return request_.http_1_1 && parser_->parser.keep_alive();
}

RequestReader::Step RequestReader::Refuse(int status, std::string_view code, std::string detail) {
  problem_ = {status, std::string(code), std::move(detail)};
  return Step::kRefused;
}

}  // namespace umbranet
