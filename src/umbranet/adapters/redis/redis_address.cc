#include "umbranet/adapters/redis/redis_address.h"

#include <charconv>
#include <optional>

#include "umbranet/net/url.h"

namespace umbranet {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::string_view kForm =
    "redis: write REDIS_URL as redis://[user:password@]host[:port][/database]";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Undoes the %XX of a user name or password.
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

Status ParseUserInfo(std::string_view text, RedisAddress& address) {
  const std::size_t colon = text.find(':');
  const bool has_user = colon != std::string_view::npos;
  const std::optional<std::string> user =
      PercentDecoded(has_user ? text.substr(0, colon) : std::string_view());
  const std::optional<std::string> password =
      PercentDecoded(has_user ? text.substr(colon + 1) : text);
  if (!user || !password || password->empty()) {
    return InvalidArgument(std::string(kForm) +
                           ", with what is special in user and password as %XX");
  }
  address.user = *user;
  address.password = *password;
  return {};
}

}  // namespace

Result<RedisAddress> ParseRedisUrl(std::string_view text) {
  RedisAddress address;
  constexpr std::string_view kPlain = "redis://";
  constexpr std::string_view kSecure = "rediss://";
  address.tls = text.starts_with(kSecure);
  if (!address.tls && !text.starts_with(kPlain)) {
    return InvalidArgument(std::string(kForm));
  }
  std::string_view rest = text.substr(address.tls ? kSecure.size() : kPlain.size());
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view database = rest.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(database.data(), database.data() + database.size(), address.database);
    if (!database.empty() && (error != std::errc() || end != database.data() + database.size())) {
      return InvalidArgument("redis: the database in REDIS_URL must be a number");
    }
    rest = rest.substr(0, slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    UMBRANET_RETURN_IF_ERROR(ParseUserInfo(rest.substr(0, at), address));
    rest = rest.substr(at + 1);
  }
  // Host and port are written as in any other URL.
  const Result<Url> url = ParseUrl("http://" + std::string(rest));
  if (!url.ok() || !url->path.empty()) {
    return InvalidArgument(std::string(kForm));
  }
  address.host = url->host;
  const std::size_t bracket = rest.rfind(']');
  const bool has_port =
      rest.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
  address.port = has_port ? url->port : kRedisPort;
  return address;
}

std::string NameOfServer(const RedisAddress& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  return "Redis at " + (bracketed ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

}  // namespace umbranet
