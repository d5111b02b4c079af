// Result<T>: a value, or an Error that tells the caller what to do next.
//
// No exception crosses a port. An adapter translates the failures of the library it wraps at the
// call, and everything above it reads codes. Messages are lower case and begin with the subsystem:
// "sqlite: disk is full".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace umbranet {

// What the caller may do about it, not where it came from.
enum class ErrorCode {
  kInvalidArgument,     // The request is wrong; repeating it unchanged is useless. 400
  kUnauthenticated,     // No or unknown credentials. 401
  kPermissionDenied,    // Known, but not allowed. 403
  kNotFound,            // 404
  kAlreadyExists,       // Something else holds this name or id. 409
  kFailedPrecondition,  // The system is not in the state the call needs; an operator must act. 409
  kResourceExhausted,   // A quota or bound is reached; try later (retry_after). 429
  kCancelled,           // The caller or a stop asked for it. 499
  kInternal,            // A bug of ours. 500
  kDataLoss,            // Stored bytes are unreadable. 500
  kUnavailable,         // A dependency is away; try again (retry_after). 503
  kStorageFull,         // Nothing durable can be written. 503
  kDeadlineExceeded,    // Out of time; the effect is unknown unless the port says otherwise. 504
  kBadGateway,          // A dependency answered, but with nonsense or a refusal. 502
  kAborted,             // Lost a race (a lease, a fence); drop what you hold and start over. 409
};

std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  // When trying again makes sense, as far as anyone said so (Retry-After).
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }

  explicit operator bool() const noexcept { return ok(); }

  // Misuse (value() of an error) throws std::bad_variant_access, which only a bug can cause.
  [[nodiscard]] T& value() & { return std::get<0>(state_); }

  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }

  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }

  T& operator*() & { return value(); }

  const T& operator*() const& { return value(); }

  T&& operator*() && { return std::move(*this).value(); }

  T* operator->() { return &value(); }

  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }

  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

  [[nodiscard]] T value_or(T fallback) && {
    return ok() ? std::move(*this).value() : std::move(fallback);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;

  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }

  explicit operator bool() const noexcept { return ok(); }

  [[nodiscard]] const Error& error() const& { return error_.value(); }

  [[nodiscard]] Error&& error() && { return std::move(error_).value(); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline Error InvalidArgument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

inline Error NotFound(std::string message) {
  return {ErrorCode::kNotFound, std::move(message)};
}

inline Error Unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}

inline Error DeadlineExceeded(std::string message) {
  return {ErrorCode::kDeadlineExceeded, std::move(message)};
}

inline Error Internal(std::string message) {
  return {ErrorCode::kInternal, std::move(message)};
}

inline Error Aborted(std::string message) {
  return {ErrorCode::kAborted, std::move(message)};
}

inline Error FailedPrecondition(std::string message) {
  return {ErrorCode::kFailedPrecondition, std::move(message)};
}

}  // namespace umbranet

// Unwraps a Result or hands its error to the caller.
#define UMBRANET_CONCAT_INNER(a, b) a##b
#define UMBRANET_CONCAT(a, b) UMBRANET_CONCAT_INNER(a, b)
#define UMBRANET_RETURN_IF_ERROR(expression)                          \
  do {                                                                \
    if (auto umbranet_status = (expression); !umbranet_status.ok()) { \
      return std::move(umbranet_status).error();                      \
    }                                                                 \
  } while (false)
#define UMBRANET_ASSIGN_OR_RETURN(declaration, expression)                                  \
  UMBRANET_ASSIGN_OR_RETURN_INNER(UMBRANET_CONCAT(umbranet_result_, __LINE__), declaration, \
                                  expression)
#define UMBRANET_ASSIGN_OR_RETURN_INNER(name, declaration, expression) \
  auto name = (expression);                                            \
  if (!name.ok()) {                                                    \
    return std::move(name).error();                                    \
  }                                                                    \
  declaration = std::move(name).value()
