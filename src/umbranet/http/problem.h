// Errors as RFC 9457 problem documents: {type, title, status, detail, code}. The code is stable and
// made for programs, the detail is a sentence that says what to do. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/http/message.h"

namespace umbranet {

struct Problem {
  int status = 500;
  std::string code;    // snake case, stable: "unknown_field", "overloaded".
  std::string detail;  // What is wrong and what to do.
  std::optional<Millis> retry_after = std::nullopt;
};

// The standard reason phrase: "Not Found". "Unknown" for a status that has none here.
std::string_view ReasonPhrase(int status);

// The JSON text of the document.
std::string RenderProblem(const Problem& problem);

// The document as a response, with Retry-After where it makes sense. `close` ends the connection.
HttpResponse ProblemResponse(const Problem& problem, bool close = false);

// The problem an error stands for. Errors that are our own (kInternal, kDataLoss) keep their
// message to themselves: the log has it.
Problem ProblemFromError(const Error& error);

}  // namespace umbranet
