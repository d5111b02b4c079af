#include "umbranet/adapters/rabbitmq/amqp_url.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::uint16_t kPort = 5672;
constexpr std::uint16_t kTlsPort = 5671;
constexpr std::size_t kUrlBytesMax = 4096;
constexpr std::size_t kShortStringMax = 255;  // Of AMQP: what a vhost fits into.
constexpr std::string_view kCaFile = "cacertfile=";

Error Wrong(std::string_view what) {
  return InvalidArgument("rabbitmq: " + std::string(what));
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  const char lower = Lower(c);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<unsigned>(lower - 'a' + 10);
  }
  return std::nullopt;
}

// Nothing when an escape is cut short, or hides a control character, which no name may contain.
std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? HexDigit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return std::nullopt;
    }
    plain += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  if (!IsValidUtf8(plain) || HasControlCharacters(plain)) {
    return std::nullopt;
  }
  return plain;
}

bool IsHost(std::string_view host, bool bracketed) {
  return !host.empty() && host.size() <= 253 &&
         std::all_of(host.begin(), host.end(), [bracketed](char c) {
           const bool digit = c >= '0' && c <= '9';
           if (bracketed) {
             return digit || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
           }
           return digit || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
         });
}

Status ReadUser(std::string_view text, AmqpUrl& url) {
  const std::size_t colon = text.find(':');
  const auto user = Unescape(text.substr(0, colon));
  const auto password =
      colon == std::string_view::npos ? std::string() : Unescape(text.substr(colon + 1));
  if (!user || !password) {
    return Wrong("write special characters in user and password as %XX");
  }
  if (user->empty()) {
    return Wrong("the user name before the '@' is empty");
  }
  url.user = *user;
  url.password = *password;
  return {};
}

Status ReadHost(std::string_view text, AmqpUrl& url) {
  std::string_view host = text;
  std::string_view port;
  const bool bracketed = !text.empty() && text.front() == '[';
  if (bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return Wrong("the IPv6 address lacks its closing bracket");
    }
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  std::transform(host.begin(), host.end(), std::back_inserter(url.host), Lower);
  if (!IsHost(url.host, bracketed)) {
    return Wrong("the host must be a name or an address, such as amqp://127.0.0.1:5672");
  }
  if (port.empty()) {
    return {};
  }
  const std::string_view digits = port.substr(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
  if (port.front() != ':' || error != std::errc() || end != digits.data() + digits.size() ||
      url.port == 0) {
    return Wrong("the port must be a number from 1 to 65535");
  }
  return {};
}

Status ReadVhost(std::string_view path, AmqpUrl& url) {
  if (path.size() <= 1) {
    return {};
  }
  const auto vhost = Unescape(path.substr(1));
  if (!vhost || path.find('/', 1) != std::string_view::npos || vhost->size() > kShortStringMax) {
    return Wrong("write one vhost after the host, with a '/' in its name as %2F");
  }
  url.vhost = *vhost;
  return {};
}

Status ReadQuery(std::string_view query, AmqpUrl& url) {
  const auto file = query.starts_with(kCaFile) && query.find('&') == std::string_view::npos
                        ? Unescape(query.substr(kCaFile.size()))
                        : std::nullopt;
  if (!url.tls || !file || file->empty()) {
    return Wrong("the only query known is '?cacertfile=/path/to/ca.pem' of amqps");
  }
  url.ca_file = *file;
  return {};
}

}  // namespace

Result<AmqpUrl> ParseAmqpUrl(std::string_view text) {
  if (text.size() > kUrlBytesMax) {
    return Wrong("the URL is longer than 4096 bytes");
  }
  const std::size_t colon = text.find("://");
  std::string scheme(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), Lower);
  if (scheme != "amqp" && scheme != "amqps") {
    return Wrong("write amqp:// or amqps:// before the host");
  }
  AmqpUrl url;
  url.tls = scheme == "amqps";
  url.port = url.tls ? kTlsPort : kPort;
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) {
    return Wrong("write '#' in user and password as %23");
  }
  if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
    UMBRANET_RETURN_IF_ERROR(ReadQuery(rest.substr(question + 1), url));
    rest = rest.substr(0, question);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  UMBRANET_RETURN_IF_ERROR(ReadVhost(rest.substr(slash), url));
  std::string_view authority = rest.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    UMBRANET_RETURN_IF_ERROR(ReadUser(authority.substr(0, at), url));
    authority = authority.substr(at + 1);
  }
  UMBRANET_RETURN_IF_ERROR(ReadHost(authority, url));
  return url;
}

std::string ServerName(const AmqpUrl& url) {
  const bool brackets = url.host.find(':') != std::string::npos;
  return "RabbitMQ at " + (brackets ? "[" + url.host + "]" : url.host) + ":" +
         std::to_string(url.port);
}

std::string MaskedUrl(const AmqpUrl& url) {
  const std::string server = ServerName(url).substr(std::string_view("RabbitMQ at ").size());
  return (url.tls ? "amqps://" : "amqp://") + url.user + ":***@" + server +
         (url.vhost == "/" ? "/" : "/" + url.vhost);
}

}  // namespace umbranet
