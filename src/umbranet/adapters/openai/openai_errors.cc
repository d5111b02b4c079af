#include "umbranet/adapters/openai/openai_errors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "umbranet/base/utf8.h"
#include "umbranet/net/retry_after.h"

namespace umbranet {
namespace {

constexpr std::size_t kServerWordsMax = 300;

// The server's words on one line, short, and without the key should it have repeated that.
std::string ServerWords(std::string_view text, std::string_view secret) {
  std::string words(TruncateUtf8(text, kServerWordsMax));
  for (std::size_t at = 0; !secret.empty() && (at = words.find(secret, at)) != std::string::npos;) {
    words.replace(at, secret.size(), "***");
  }
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return words;
}

// ": <code>: <message>", as far as there is any; the codes are names and hold no text of a user.
std::string Said(const std::optional<ServerError>& error, const ModelAddress& address) {
  if (!error) {
    return "";
  }
  std::string said;
  for (const std::string* part : {&error->code, &error->message}) {
    if (!part->empty()) {
      said += ": " + ServerWords(*part, address.secret);
    }
  }
  return said;
}

std::optional<Millis> RetryAfter(const HttpResponseHead& head, Timestamp now) {
  // Finer than seconds; sent by OpenAI and Azure.
  const std::string_view millis = head.Header("retry-after-ms");
  double number = 0;
  const auto [end, error] = std::from_chars(millis.data(), millis.data() + millis.size(), number);
  if (!millis.empty() && error == std::errc() && end == millis.data() + millis.size() &&
      number >= 0 && number <= 86'400'000) {
    return Millis{std::llround(number)};
  }
  return ParseRetryAfter(head.Header("retry-after"), now);
}

bool IsQuotaUsedUp(const std::optional<ServerError>& error) {
  return error && (error->code == "insufficient_quota" || error->type == "insufficient_quota" ||
                   error->code == "billing_hard_limit_reached");
}

std::string SettingOf(const ModelAddress& address, std::string_view name) {
  return std::string(address.settings) + std::string(name);
}

std::string StatusText(int status) {
  return "openai: the server answered " + std::to_string(status);
}

CompletionFailure QuotaUsedUp(const ModelAddress& address) {
  return {
      {ErrorCode::kResourceExhausted, "openai: the account that " + SettingOf(address, "_API_KEY") +
                                          " belongs to has no quota left"},
      false};
}

CompletionFailure KeyRefused(int status, const ModelAddress& address) {
  return {{ErrorCode::kBadGateway, StatusText(status) + ": it does not accept the key; set " +
                                       SettingOf(address, "_API_KEY") +
                                       " to one that may use this model"},
          false};
}

CompletionFailure ModelUnknown(const std::optional<ServerError>& error,
                               const ModelAddress& address) {
  return {{ErrorCode::kBadGateway, "openai: " + std::string(address.base_url) +
                                       " does not know the model " + std::string(address.model) +
                                       "; check " + SettingOf(address, "_MODEL") + " and " +
                                       SettingOf(address, "_BASE_URL") + Said(error, address)},
          false};
}

}  // namespace

CompletionFailure ExplainStatus(const HttpResponseHead& head, std::string_view body,
                                const ModelAddress& address, Timestamp now) {
  const int status = head.status;
  const std::optional<ServerError> said = ReadServerError(body);
  if (status == 401 || status == 403) {
    return KeyRefused(status, address);
  }
  if (status == 404) {
    return ModelUnknown(said, address);
  }
  if (status == 429 && IsQuotaUsedUp(said)) {
    return QuotaUsedUp(address);
  }
  Error error{ErrorCode::kBadGateway, StatusText(status) + Said(said, address)};
  if (status >= 300 && status < 400) {
    error.message += ": a redirect; set " + SettingOf(address, "_BASE_URL") + " to where it leads";
    return {std::move(error), false};
  }
  error.retry_after = RetryAfter(head, now);
  if (status == 429) {
    error.code = ErrorCode::kResourceExhausted;
    return {std::move(error), true};
  }
  if (status == 408 || status == 409 || status == 425 || status >= 500) {
    error.code = ErrorCode::kUnavailable;
    return {std::move(error), status != 501 && status != 505};
  }
  error.retry_after.reset();
  return {std::move(error), false};
}

CompletionFailure ExplainServerError(const ServerError& error, const ModelAddress& address) {
  const std::optional<ServerError> said(error);
  if (IsQuotaUsedUp(said)) {
    return QuotaUsedUp(address);
  }
  if (error.code == "invalid_api_key" || error.type == "authentication_error" ||
      error.code == "401" || error.code == "403") {
    return KeyRefused(401, address);
  }
  if (error.code == "model_not_found" || error.code == "404") {
    return ModelUnknown(said, address);
  }
  const std::string message = "openai: the answer is an error" + Said(said, address);
  if (error.code == "rate_limit_exceeded" || error.type == "rate_limit_error" ||
      error.code == "429") {
    return {{ErrorCode::kResourceExhausted, message}, true};
  }
  const bool server_failed = error.type == "server_error" || error.type == "overloaded_error" ||
                             error.code == "server_error" || error.type == "api_error" ||
                             (error.code.size() == 3 && error.code.front() == '5');
  return {{server_failed ? ErrorCode::kUnavailable : ErrorCode::kBadGateway, message},
          server_failed};
}

CompletionFailure ExplainTransport(Error error, bool answer_began) {
  // Stops, bad requests, bad certificates and bytes that are not HTTP stay what they are.
  const bool retryable = !answer_began && (error.code == ErrorCode::kUnavailable ||
                                           error.code == ErrorCode::kDeadlineExceeded);
  if (error.code == ErrorCode::kFailedPrecondition) {
    error.code = ErrorCode::kBadGateway;
  }
  error.message.insert(0, "openai: ");
  return {std::move(error), retryable};
}

std::optional<CompletionDialect> AdaptDialect(int status, std::string_view body,
                                              const CompletionDialect& dialect, bool form_asked) {
  const auto names = [body](std::string_view parameter) {
    return body.find(parameter) != std::string_view::npos;
  };
  // Servers that make a grammar of the schema answer 500 where they cannot.
  const bool form_refused = form_asked && dialect.answer_form != AnswerForm::kAny &&
                            (names("response_format") || names("json_schema") ||
                             names("json_object") || names("grammar"));
  if (status != 400 && status != 422 && !(status == 500 && form_refused)) {
    return std::nullopt;
  }
  CompletionDialect adapted = dialect;
  if (form_refused) {
    adapted.answer_form =
        dialect.answer_form == AnswerForm::kSchema ? AnswerForm::kObject : AnswerForm::kAny;
    return adapted;
  }
  if (dialect.stream_usage && (names("stream_options") || names("include_usage"))) {
    adapted.stream_usage = false;
  } else if (!dialect.max_completion_tokens && names("max_completion_tokens")) {
    adapted.max_completion_tokens = true;
  } else if (dialect.temperature && names("temperature")) {
    adapted.temperature = false;
  } else {
    return std::nullopt;
  }
  return adapted;
}

}  // namespace umbranet
