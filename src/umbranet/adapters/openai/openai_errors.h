// What a refusal of the API means for the caller. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "umbranet/adapters/openai/chat_completion_codec.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/net/http_response_reader.h"

namespace umbranet {

// An attempt that brought no answer.
struct CompletionFailure {
  Error error;
  // Nothing of an answer was received, and the next attempt may well bring one.
  bool retryable = false;
};

// Whom was asked, for the sentences. `secret` is taken out of whatever the server said.
struct ModelAddress {
  std::string_view model;
  std::string_view base_url;
  std::string_view secret;
  // Of the settings that the sentences name: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL.
  std::string_view settings = "OPENAI";
};

// A response whose status is not 200:
//   401, 403             kBadGateway: the key is wrong. Names the setting, never its value.
//   404                  kBadGateway: model or address unknown
//   408, 409, 425        kUnavailable, retryable
//   429                  kResourceExhausted with retry_after; retryable unless the quota is used up
//   5xx                  kUnavailable with retry_after, retryable; 501 and 505 are not
//   3xx and other 4xx    kBadGateway
CompletionFailure ExplainStatus(const HttpResponseHead& head, std::string_view body,
                                const ModelAddress& address, Timestamp now);

// An error that came in the place of an answer under status 200.
CompletionFailure ExplainServerError(const ServerError& error, const ModelAddress& address);

// A failure of the connection itself. `answer_began`: some of the response's body had been read.
CompletionFailure ExplainTransport(Error error, bool answer_began);

// The dialect without what the server has just refused; nothing when it refused something else.
// `form_asked`: the request asked for a form, so a complaint about one may be about that.
std::optional<CompletionDialect> AdaptDialect(int status, std::string_view body,
                                              const CompletionDialect& dialect, bool form_asked);

}  // namespace umbranet
