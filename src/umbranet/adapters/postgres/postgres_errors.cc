#include "umbranet/adapters/postgres/postgres_errors.h"

#include <algorithm>
#include <utility>

namespace umbranet {

namespace {

constexpr std::chrono::milliseconds kSoon{1'000};

bool StartsWithAny(std::string_view sqlstate, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [sqlstate](std::string_view prefix) { return sqlstate.starts_with(prefix); });
}

// What an operator has to do, for the codes where waiting does not help.
std::string_view Remedy(std::string_view sqlstate) {
  if (sqlstate.starts_with("28")) {
    return "it refuses the credentials; check user and password in POSTGRES_URL";
  }
  if (sqlstate == "3D000") {
    return "it has no such database; create it, or name another in POSTGRES_URL";
  }
  if (StartsWithAny(sqlstate, {"3F000", "42P01", "42703", "42883"})) {
    return "its tables are not there or are older than this program; run umbranet migrate";
  }
  if (sqlstate == "42501") {
    return "the user in POSTGRES_URL lacks a right; grant it";
  }
  return "";
}

// The server's code in libpq's text about a failed connection: "FATAL:  28P01: ...".
std::string_view FindSqlState(std::string_view message) {
  constexpr std::size_t kSize = 5;
  for (std::size_t at = 0; (at = message.find(":  ", at)) != std::string_view::npos; at += 3) {
    const std::string_view code = message.substr(at + 3, kSize);
    const bool is_code = code.size() == kSize && std::all_of(code.begin(), code.end(), [](char c) {
                           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                         });
    const std::string_view rest = message.substr(at + 3 + code.size());
    if (is_code && (rest.empty() || rest[0] == ':' || rest[0] == '\n')) {
      return code;
    }
  }
  return "";
}

}  // namespace

Error ExplainSqlState(std::string_view sqlstate, std::string_view message,
                      const PostgresEndpoint& endpoint) {
  const std::string said =
      " (" + std::string(sqlstate) +
      (message.empty() ? ")" : ": " + WithoutPassword(message, endpoint) + ")");
  const auto make = [&](ErrorCode code, std::string_view what) {
    return Error{code, endpoint.name + ": " + std::string(what) + said};
  };
  if (const std::string_view remedy = Remedy(sqlstate); !remedy.empty()) {
    return make(ErrorCode::kFailedPrecondition, remedy);
  }
  if (sqlstate == "53100") {
    return make(ErrorCode::kStorageFull, "its disk is full; make room there");
  }
  if (StartsWithAny(sqlstate, {"57014", "55P03"})) {
    return make(ErrorCode::kDeadlineExceeded, "it was not done in time");
  }
  if (StartsWithAny(sqlstate, {"22021", "22P05"})) {
    return make(ErrorCode::kInvalidArgument, "a text is not valid UTF-8 or holds NUL");
  }
  if (sqlstate.starts_with("54")) {
    return make(ErrorCode::kInvalidArgument, "a value is too long");
  }
  if (sqlstate == "23505") {
    return make(ErrorCode::kAlreadyExists, "this key is taken");
  }
  Error error = make(ErrorCode::kUnavailable, "it cannot serve; try again");
  error.retry_after = kSoon;
  if (sqlstate == "53300") {
    error.message = endpoint.name +
                    ": it has no connection left; raise its max_connections or lower what its"
                    " clients take" +
                    said;
    return error;
  }
  if (sqlstate == "25006") {
    error.message = endpoint.name + ": it only reads (a standby?); name the primary" + said;
    return error;
  }
  if (StartsWithAny(sqlstate, {"08", "25P03", "53", "57P", "58", "40"})) {
    return error;
  }
  return make(ErrorCode::kInternal, "it refused a statement");
}

Error ExplainConnectFailure(std::string_view message, const PostgresEndpoint& endpoint) {
  const std::string_view sqlstate = FindSqlState(message);
  if (!sqlstate.empty()) {
    return ExplainSqlState(sqlstate, "", endpoint);
  }
  const auto says = [message](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  if (says("no password supplied")) {
    return FailedPrecondition(endpoint.name + ": it wants a password; write one into POSTGRES_URL");
  }
  if (says("SSL") || says("certificate")) {
    return FailedPrecondition(endpoint.name + ": no encrypted connection; check sslmode in" +
                              " POSTGRES_URL (" + WithoutPassword(message, endpoint) + ")");
  }
  Error error =
      Unavailable(endpoint.name + ": no connection; is it running, and is POSTGRES_URL right? (" +
                  WithoutPassword(message, endpoint) + ")");
  error.retry_after = kSoon;
  return error;
}

bool IsSerializationFailure(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01";
}

bool IsStalePlan(std::string_view sqlstate) {
  return sqlstate == "0A000" || sqlstate == "26000";
}

}  // namespace umbranet
