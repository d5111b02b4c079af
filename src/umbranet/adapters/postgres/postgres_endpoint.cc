#include "umbranet/adapters/postgres/postgres_endpoint.h"

#include <algorithm>
#include <memory>

#include <libpq-fe.h>

#include "umbranet/base/utf8.h"

namespace umbranet {

namespace {

constexpr std::size_t kServerWordsMax = 300;

bool HasScheme(std::string_view url) {
  return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

std::string NameOf(const std::string& host, const std::string& address, const std::string& port) {
  std::string where = host.empty() ? address : host;
  if (where.empty()) {
    where = "the local socket";
  } else if (where.find(':') != std::string::npos && where.find(',') == std::string::npos) {
    where = "[" + where + "]";
  }
  return "PostgreSQL at " + where + (port.empty() ? "" : ":" + port);
}

}  // namespace

Result<PostgresEndpoint> ParsePostgresUrl(std::string_view url) {
  const auto bad = [] {
    return InvalidArgument(
        "postgres: the URL is none; write postgres://user:password@host:5432/database, with"
        " percent signs for special characters in the password");
  };
  if (!HasScheme(url) || url.find('\0') != std::string_view::npos) {
    return bad();
  }
  // libpq's message repeats parts of the URL, which may be of the password.
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(std::string(url).c_str(), nullptr), PQconninfoFree);
  if (!parsed) {
    return bad();
  }
  PostgresEndpoint endpoint;
  std::string address;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) {
      continue;
    }
    const std::string_view keyword = option->keyword;
    endpoint.settings.emplace_back(keyword, option->val);
    if (keyword == "host") {
      endpoint.host = option->val;
    } else if (keyword == "hostaddr") {
      address = option->val;
    } else if (keyword == "port") {
      endpoint.port = option->val;
    } else if (keyword == "user") {
      endpoint.user = option->val;
    } else if (keyword == "password") {
      endpoint.password = option->val;
    }
  }
  endpoint.name = NameOf(endpoint.host, address, endpoint.port.empty() ? "5432" : endpoint.port);
  // Nothing to look up: an address is given, the host is a folder, or libpq has to choose.
  if (!address.empty() || endpoint.host.starts_with("/") || endpoint.host.starts_with("@") ||
      endpoint.host.find(',') != std::string::npos) {
    endpoint.host.clear();
  }
  return endpoint;
}

std::string WithoutPassword(std::string_view text, const PostgresEndpoint& endpoint) {
  std::string words(text);
  const std::string& secret = endpoint.password;
  for (std::size_t at = 0; !secret.empty() && (at = words.find(secret, at)) != std::string::npos;) {
    words.replace(at, secret.size(), "***");
    at += 3;
  }
  words = TruncateUtf8(words, kServerWordsMax);
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) {
    words.pop_back();
  }
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return words;
}

}  // namespace umbranet
