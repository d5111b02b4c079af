#include "umbranet/http/problem.h"

#include <algorithm>
#include <utility>

#include "umbranet/http/json_writer.h"

namespace umbranet {
namespace {

// A full disk is emptied by people.
constexpr std::chrono::seconds kFullDiskRetryAfter{30};

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kAborted:
      return 409;
    case ErrorCode::kResourceExhausted:
      return 429;
    case ErrorCode::kCancelled:
      return 499;
    case ErrorCode::kInternal:
    case ErrorCode::kDataLoss:
      return 500;
    case ErrorCode::kBadGateway:
      return 502;
    case ErrorCode::kUnavailable:
    case ErrorCode::kStorageFull:
      return 503;
    case ErrorCode::kDeadlineExceeded:
      return 504;
  }
  return 500;
}

std::string_view AdviceFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kResourceExhausted:
      return "; try again later";
    case ErrorCode::kDeadlineExceeded:
      return "; it took too long, try again with the same Idempotency-Key";
    case ErrorCode::kStorageFull:
      return "; nothing was stored, free some disk space on the server";
    default:
      return "";
  }
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {200, "OK"},
      {202, "Accepted"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  const auto* found = std::find_if(std::begin(kPhrases), std::end(kPhrases),
                                   [status](const auto& entry) { return entry.first == status; });
  return found == std::end(kPhrases) ? "Unknown" : found->second;
}

std::string RenderProblem(const Problem& problem) {
  std::string text;
  text.reserve(160 + problem.detail.size());
  JsonWriter json(text);
  json.BeginObject()
      .Field("type", "about:blank")
      .Field("title", ReasonPhrase(problem.status))
      .Field("status", static_cast<unsigned>(problem.status))
      .Field("detail", problem.detail)
      .Field("code", problem.code)
      .EndObject();
  return text;
}

HttpResponse ProblemResponse(const Problem& problem, bool close) {
  HttpResponse response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = RenderProblem(problem);
  response.close = close;
  if (problem.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*problem.retry_after).count();
    response.headers.push_back(
        {"Retry-After", std::to_string(std::max<std::chrono::seconds::rep>(1, seconds))});
  }
  if (problem.status == 401) {
    response.headers.push_back({"WWW-Authenticate", "Bearer"});
  }
  return response;
}

Problem ProblemFromError(const Error& error) {
  Problem problem;
  problem.status = StatusOf(error.code);
  problem.code = std::string(ErrorCodeName(error.code));
  problem.retry_after = error.retry_after;
  if (error.code == ErrorCode::kStorageFull) {
    problem.code = "memory_not_recorded";
    problem.retry_after = error.retry_after.value_or(kFullDiskRetryAfter);
  }
  if (problem.status == 500) {
    problem.code = "internal";
    problem.detail = "something went wrong inside the server; its log says what";
  } else {
    problem.detail = error.message + std::string(AdviceFor(error.code));
  }
  return problem;
}

}  // namespace umbranet
