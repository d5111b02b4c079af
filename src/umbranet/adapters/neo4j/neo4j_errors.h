// What a refusal of Neo4j means for the caller. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

// What to do about a statement that was not carried out.
enum class Neo4jRefusal : std::uint8_t {
  kNone,        // Nothing but telling the caller.
  kAgain,       // A deadlock or its like: the same statement may well succeed now.
  kConstraint,  // A key is there already.
  kArithmetic,  // What a statement counted on is not so.
  kLost,        // The connection broke: whether the statement was carried out is unknown.
};

struct Neo4jFailure {
  Error error;
  Neo4jRefusal refusal = Neo4jRefusal::kNone;
};

// Whom was asked, for the sentences.
struct Neo4jServer {
  std::string name;  // "Neo4j at http://127.0.0.1:7474"
  std::string database;
};

// An error of the server by its code ("Neo.ClientError...."). Its message is read for signs of a
// full disk, but never repeated: it may hold what was said.
//   refused or expired credentials, not allowed   kFailedPrecondition
//   no such database, read only                   kFailedPrecondition
//   starting, stopping, not leader                kUnavailable
//   too many or too large at once                 kResourceExhausted
//   full disk                                     kStorageFull
//   the transaction took too long                 kDeadlineExceeded
//   anything else                                 kInternal, or kBadGateway for a server's own
//   fault
Neo4jFailure ExplainNeo4jError(std::string_view code, std::string_view message,
                               const Neo4jServer& server);

// A response that says nothing but its status.
Neo4jFailure ExplainNeo4jStatus(int status, const Neo4jServer& server);

// A failure of the connection itself.
Neo4jFailure ExplainNeo4jTransport(Error error, const Neo4jServer& server);

}  // namespace umbranet
