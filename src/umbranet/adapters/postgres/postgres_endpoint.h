// Where the server is and who we are there, read from a URL. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/result.h"

namespace umbranet {

struct PostgresEndpoint {
  // libpq's own keywords and values, among them the password: never printed.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string host;  // A name or an address; empty for a socket in the file system, and for lists.
  std::string port;
  std::string user;
  std::string password;
  // "PostgreSQL at 127.0.0.1:5432": how every message begins.
  std::string name;
};

// postgres://user:password@host:port/database?setting=value, as libpq reads it. What is wrong with
// a URL is said without repeating it.
Result<PostgresEndpoint> ParsePostgresUrl(std::string_view url);

// `text` with the password blacked out, should a server have repeated it, and on one line.
std::string WithoutPassword(std::string_view text, const PostgresEndpoint& endpoint);

}  // namespace umbranet
