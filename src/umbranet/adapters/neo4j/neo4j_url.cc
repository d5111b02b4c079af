#include "umbranet/adapters/neo4j/neo4j_url.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace umbranet {
namespace {

constexpr std::uint16_t kHttpPort = 7474;
constexpr std::uint16_t kHttpsPort = 7473;
constexpr std::string_view kShape = "write NEO4J_URL as http://user:password@host:7474/neo4j";

Error Unusable(std::string_view why) {
  return InvalidArgument("neo4j: " + std::string(why) + "; " + std::string(kShape));
}

int HexDigit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t at = kDigits.find(lower);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> PercentDecode(std::string_view text) {
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

// What Neo4j takes for the name of a database; nothing of it needs encoding in a path.
bool IsDatabaseName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8U | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    const std::array<bool, 4> there = {true, true, i + 1 < bytes.size(), i + 2 < bytes.size()};
    for (std::size_t j = 0; j < 4; ++j) {
      text += there[j] ? kAlphabet[group >> (18U - 6U * j) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace

Result<Neo4jUrl> ParseNeo4jUrl(std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (scheme != "http" && scheme != "https") {
    const bool bolt = scheme.starts_with("bolt") || scheme.starts_with("neo4j");
    return Unusable(bolt ? "the server is spoken to over HTTP, not over Bolt"
                         : "the address does not begin with http:// or https://");
  }
  std::string_view rest = text.substr(colon + 3);
  std::string_view path = rest.substr(std::min(rest.find('/'), rest.size()));
  std::string_view authority = rest.substr(0, rest.size() - path.size());
  Neo4jUrl url;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t split = std::min(credentials.find(':'), credentials.size());
    std::optional<std::string> user = PercentDecode(credentials.substr(0, split));
    std::optional<std::string> password =
        PercentDecode(credentials.substr(std::min(split + 1, credentials.size())));
    if (!user || !password || user->empty() || user->find(':') != std::string::npos) {
      return Unusable("the user name or password cannot be read (write %XX for other characters)");
    }
    url.user = std::move(*user);
    url.password = std::move(*password);
  }
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  if (!path.empty()) {
    path.remove_prefix(1);
    if (!IsDatabaseName(path)) {
      return Unusable("what follows the host must be the name of a database");
    }
    url.database = path;
  }
  std::string server(scheme);
  server += "://";
  server += authority;
  Result<Url> base = ParseUrl(server);
  if (!base.ok()) {
    return Unusable(base.error().message);
  }
  url.base = std::move(base).value();
  const std::string_view host_end =
      authority.substr(std::min(authority.rfind(']'), authority.size()));
  if ((authority.starts_with('[') ? host_end : authority).find(':') == std::string_view::npos) {
    url.base.port = url.base.tls ? kHttpsPort : kHttpPort;
  }
  return url;
}

std::string NameOfServer(const Neo4jUrl& url) {
  return "Neo4j at " + FormatUrl(url.base);
}

std::string BasicAuthorization(const Neo4jUrl& url) {
  return url.user.empty() ? "" : "Basic " + Base64(url.user + ":" + url.password);
}

}  // namespace umbranet
