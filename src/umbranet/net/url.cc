#include "umbranet/net/url.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace umbranet {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kUrlBytesMax = 2048;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// RFC 3986 names and IPv4 addresses, in lower case. Underscores are common in container networks.
bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_';
  });
}

// Only the alphabet is checked: the resolver refuses what is no address.
bool IsIpv6Alphabet(std::string_view host) {
  return host.find(':') != std::string_view::npos && host.size() <= 64 &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
         });
}

bool IsPath(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' &&
           c != '`' && c != '{' && c != '|' && c != '}';
  });
}

Result<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return InvalidArgument("url: the port must be a number from 1 to 65535");
  }
  return port;
}

// "host", "host:port", "[address]" and "[address]:port".
Status ParseAuthority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return InvalidArgument("url: leave out the user name and password before the host");
  }
  std::string_view host = authority;
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return InvalidArgument("url: the IPv6 address lacks its closing bracket");
    }
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return InvalidArgument("url: write a colon and a port after the IPv6 address, or nothing");
    }
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  std::transform(host.begin(), host.end(), std::back_inserter(url.host), Lower);
  const bool bracketed = !authority.empty() && authority.front() == '[';
  if (bracketed ? !IsIpv6Alphabet(url.host) : !IsHostName(url.host)) {
    return InvalidArgument("url: the host must be a name or an address");
  }
  if (!port.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(url.port, ParsePort(port.substr(1)));
  }
  return {};
}

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  if (text.size() > kUrlBytesMax) {
    return InvalidArgument("url: longer than 2048 bytes");
  }
  const std::size_t colon = text.find("://");
  std::string scheme(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), Lower);
  if (scheme != "http" && scheme != "https") {
    return InvalidArgument("url: write http:// or https:// before the host");
  }
  Url url;
  url.tls = scheme == "https";
  url.port = url.tls ? kHttpsPort : kHttpPort;
  std::string_view rest = text.substr(colon + 3);
  const std::size_t path_at = std::min(rest.find_first_of("/?#"), rest.size());
  UMBRANET_RETURN_IF_ERROR(ParseAuthority(rest.substr(0, path_at), url));
  std::string_view path = rest.substr(path_at);
  if (path.find_first_of("?#") != std::string_view::npos) {
    return InvalidArgument("url: leave out the query (?...) and the fragment (#...)");
  }
  if (!IsPath(path)) {
    return InvalidArgument("url: percent-encode spaces and special characters in the path");
  }
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  url.path = path;
  return url;
}

std::string HostHeader(const Url& url) {
  std::string header = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != (url.tls ? kHttpsPort : kHttpPort)) {
    header += ':';
    header += std::to_string(url.port);
  }
  return header;
}

std::string FormatUrl(const Url& url) {
  return (url.tls ? "https://" : "http://") + HostHeader(url) + url.path;
}

}  // namespace umbranet
