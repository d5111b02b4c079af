#include "umbranet/adapters/neo4j/neo4j_errors.h"

#include <algorithm>
#include <array>
#include <utility>

namespace umbranet {
namespace {

Error Say(ErrorCode code, const Neo4jServer& server, std::string_view what) {
  return {code, "neo4j: " + server.name + ": " + std::string(what)};
}

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsOutOfSpace(std::string_view code, std::string_view message) {
  constexpr std::array<std::string_view, 4> kSigns = {"No space left", "no space left", "disk full",
                                                      "enough space"};
  return Holds(code, "OutOfDiskSpace") ||
         std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return Holds(message, sign); });
}

Error CredentialsRefused(const Neo4jServer& server) {
  return Say(ErrorCode::kFailedPrecondition, server,
             "the user name or password is refused; correct them in NEO4J_URL");
}

Error ReadOnly(const Neo4jServer& server) {
  return Say(ErrorCode::kFailedPrecondition, server,
             "database " + server.database +
                 " takes no writes; make it writable, or name another one in NEO4J_URL");
}

}  // namespace

Neo4jFailure ExplainNeo4jError(std::string_view code, std::string_view message,
                               const Neo4jServer& server) {
  if (Holds(code, "ConstraintValidationFailed")) {
    return {Say(ErrorCode::kAlreadyExists, server, "a key is there already"),
            Neo4jRefusal::kConstraint};
  }
  if (Holds(code, "ArithmeticError")) {
    return {Say(ErrorCode::kAborted, server, "the graph is another than it was"),
            Neo4jRefusal::kArithmetic};
  }
  if (IsOutOfSpace(code, message)) {
    return {Say(ErrorCode::kStorageFull, server, "its disk is full; make room for its data")};
  }
  if (Holds(code, "TransactionStartFailed") || Holds(code, "TransactionLogError") ||
      Holds(code, "TransactionCommitFailed")) {
    // After one write that its disk did not take, the database takes none until it is started anew,
    // and says no more than this.
    return {Say(ErrorCode::kUnavailable, server,
                "database " + server.database + " takes no transactions (" +
                    std::string(code.substr(0, 120)) +
                    "): its disk is full or has failed, most likely; see its log, make room, and"
                    " start it again")};
  }
  if (Holds(code, "TransactionTimedOut") || Holds(code, "LockAcquisitionTimeout")) {
    return {DeadlineExceeded("neo4j: " + server.name + ": the transaction took too long")};
  }
  if (Holds(code, "ClientError.Security.AuthenticationRateLimit")) {
    return {Say(ErrorCode::kUnavailable, server,
                "it takes no more logins for a while, after wrong passwords; correct NEO4J_URL")};
  }
  if (Holds(code, "Security.CredentialsExpired")) {
    return {Say(ErrorCode::kFailedPrecondition, server,
                "the password has expired; set a new one there and in NEO4J_URL")};
  }
  if (Holds(code, "Security.Unauthorized") || Holds(code, "Security.AuthProviderFailed")) {
    return {CredentialsRefused(server)};
  }
  if (Holds(code, "ReadOnly") || Holds(code, "WriteOnRead")) {
    return {ReadOnly(server)};
  }
  if (Holds(code, "Security.")) {
    return {Say(ErrorCode::kFailedPrecondition, server,
                "the user of NEO4J_URL may not do this; let it read, write and change the schema")};
  }
  if (Holds(code, "DatabaseNotFound")) {
    return {Say(ErrorCode::kFailedPrecondition, server,
                "there is no database " + server.database + "; create it, or correct NEO4J_URL")};
  }
  if (Holds(code, "DatabaseUnavailable") || Holds(code, "NotALeader") || Holds(code, "Cluster")) {
    return {Say(ErrorCode::kUnavailable, server,
                "database " + server.database + " is not available at the moment")};
  }
  if (Holds(code, "OutOfMemory") || Holds(code, "MaximumTransactionLimitReached")) {
    return {Say(ErrorCode::kResourceExhausted, server, "it is out of memory for transactions")};
  }
  if (Holds(code, "TransientError") || Holds(code, "EquivalentSchemaRuleAlreadyExists")) {
    // The latter means that another process made the same constraint at the same moment, which
    // IF NOT EXISTS does not see.
    return {Say(ErrorCode::kUnavailable, server, "busy (" + std::string(code) + ")"),
            Neo4jRefusal::kAgain};
  }
  const bool ours = Holds(code, "ClientError");
  return {Say(ours ? ErrorCode::kInternal : ErrorCode::kBadGateway, server,
              "refused a statement: " + std::string(code.substr(0, 120)))};
}

Neo4jFailure ExplainNeo4jStatus(int status, const Neo4jServer& server) {
  if (status == 401 || status == 403) {
    return {CredentialsRefused(server)};
  }
  const std::string number = std::to_string(status);
  if (status == 404 || status == 405 || (status >= 300 && status < 400)) {
    return {Say(
        ErrorCode::kFailedPrecondition, server,
        "answers, but not as Neo4j's HTTP server does (status " + number + "); correct NEO4J_URL")};
  }
  if (status == 429 || status >= 500) {
    return {
        Say(ErrorCode::kUnavailable, server, "does not answer for now (status " + number + ")")};
  }
  return {Say(ErrorCode::kBadGateway, server, "answered with status " + number)};
}

Neo4jFailure ExplainNeo4jTransport(Error error, const Neo4jServer& server) {
  const bool lost = error.code == ErrorCode::kUnavailable;
  error.message = "neo4j: " + server.name + ": " + error.message;
  if (lost) {
    error.message += "; see that it runs and that NEO4J_URL names it";
  }
  return {std::move(error), lost ? Neo4jRefusal::kLost : Neo4jRefusal::kNone};
}

}  // namespace umbranet
