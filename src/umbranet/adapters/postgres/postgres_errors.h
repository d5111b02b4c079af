// What the server's refusals mean for the caller. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_endpoint.h"
#include "umbranet/base/result.h"

namespace umbranet {

// `sqlstate` is the five characters of the server's code; `message` its words, which may be empty.
//   kFailedPrecondition  the operator must act: credentials, database, schema, rights
//   kInvalidArgument     text that is no UTF-8 or holds NUL, or is too long for an index
//   kStorageFull         the server's disk is full
//   kDeadlineExceeded    the server gave up at the deadline it had been told
//   kAlreadyExists       a unique key is taken
//   kUnavailable         anything that may be over soon
Error ExplainSqlState(std::string_view sqlstate, std::string_view message,
                      const PostgresEndpoint& endpoint);

// `message` is libpq's about a connection that could not be made, with SQLSTATE in it where the
// server said one (PQERRORS_SQLSTATE or PQERRORS_VERBOSE).
Error ExplainConnectFailure(std::string_view message, const PostgresEndpoint& endpoint);

// A conflict that goes away when the transaction is run again.
bool IsSerializationFailure(std::string_view sqlstate);
// The statement has to be prepared anew, since the schema changed under it.
bool IsStalePlan(std::string_view sqlstate);

}  // namespace umbranet
