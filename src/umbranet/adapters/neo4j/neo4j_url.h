// NEO4J_URL, read. Pure functions, callable from any thread.
#pragma once

#include <string>
#include <string_view>

#include "umbranet/base/result.h"
#include "umbranet/net/url.h"

namespace umbranet {

struct Neo4jUrl {
  Url base;          // Without a path.
  std::string user;  // Empty: the server asks for no credentials.
  std::string password;
  std::string database = "neo4j";
};

// Reads "http://user:password@host:7474/database" or https; user, password and database may be left
// out, and are percent-decoded. kInvalidArgument says what to write instead and repeats nothing of
// the text, which may hold a password.
Result<Neo4jUrl> ParseNeo4jUrl(std::string_view text);

// "Neo4j at http://host:7474", for sentences: never the user or the password.
std::string NameOfServer(const Neo4jUrl& url);

// The value of an Authorization header; empty without a user.
std::string BasicAuthorization(const Neo4jUrl& url);

}  // namespace umbranet
