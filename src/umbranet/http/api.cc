#include "umbranet/http/api.h"

#include <utility>

#include "umbranet/base/utf8.h"
#include "umbranet/http/api_context.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/request_tables.h"
#include "umbranet/telemetry/trace_span.h"

namespace umbranet {
namespace {

std::optional<HttpResponse> Admit(const Authenticator& authenticator, const Route& route,
                                  HttpRequest& request) {
  if (route.access == Access::kPublic) {
    return std::nullopt;
  }
  Result<Caller> caller = authenticator.Authenticate(request);
  if (!caller.ok()) {
    return ProblemResponse(ProblemFromError(caller.error()));
  }
  if (route.access == Access::kAdmin && !caller->admin) {
    return ProblemResponse(
        {403, "permission_denied", "this needs an admin key; this key is not one"});
  }
  request.caller = std::move(caller).value();
  return std::nullopt;
}

void SetGate(Router& router, const SharedApi& api) {
  router.SetGate([api](const Route& route, HttpRequest& request) {
    return Admit(api->dependencies.authenticator, route, request);
  });
}

Problem BadQuery(std::string detail) {
  return {400, "bad_query", std::move(detail)};
}

}  // namespace

std::optional<Problem> ApiContext::RefuseBacklog(const std::map<UserKey, std::uint64_t>& turns) {
  if (dependencies.waiting_cap == nullptr) {
    return std::nullopt;
  }
  for (const auto& [user, count] : turns) {
    const Status admitted = dependencies.waiting_cap->Admit(user, count, RequestDeadline());
    if (!admitted.ok()) {
      dependencies.metrics.reflection_rejected_total.At("user_backlog_full")
          .Increment(static_cast<double>(count));
      Problem problem = ProblemFromError(admitted.error());
      problem.code = "user_backlog_full";
      return problem;
    }
  }
  return std::nullopt;
}

Problem ApiContext::Report(std::string_view operation, const Error& error) const {
  Problem problem = ProblemFromError(error);
  if (problem.status == 500) {
    dependencies.log.Error(
        "request_failed",
        {{"operation", operation}, {"code", ErrorCodeName(error.code)}, {"error", error.message}});
  } else if (problem.status > 500) {
    dependencies.log.Warning(
        "request_refused",
        {{"operation", operation}, {"code", ErrorCodeName(error.code)}, {"error", error.message}});
  }
  return problem;
}

void ApiContext::SendError(ResponseWriter& writer, std::string_view operation,
                           const Error& error) const {
  SendProblem(writer, Report(operation, error));
}

void SendJson(ResponseWriter& writer, int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  writer.Send(std::move(response));
}

void AddRoute(Router& router, const SharedApi& api, std::string method, std::string pattern,
              ApiHandler handler, Access access) {
  router.Add({std::move(method), std::move(pattern),
              [api, handler](const HttpRequest& request, ResponseWriter& writer) {
                handler(*api, request, writer);
              },
              access});
}

void SendProblem(ResponseWriter& writer, const Problem& problem) {
  writer.Send(ProblemResponse(problem));
}

std::variant<boost::json::value, Problem> ReadBody(const HttpRequest& request,
                                                   const ObjectTable& table) {
  if (request.body.empty()) {
    return Problem{400, "empty_body", "the body is empty; send a JSON object"};
  }
  auto parsed = ParseJson(request.body);
  if (const auto* value = std::get_if<boost::json::value>(&parsed)) {
    if (auto problem = CheckObject(*value, table)) {
      return *std::move(problem);
    }
  }
  return parsed;
}

UserKey UserInPath(const HttpRequest& request, std::size_t index) {
  return {request.caller.tenant, request.parameters.at(index)};
}

std::variant<std::size_t, Problem> ReadLimit(std::string_view value) {
  const auto limit = ParseBoundedInteger(value, 1, kPageLimitMax);
  if (!limit) {
    return Problem{400, "out_of_range",
                   "'limit' must be from 1 to " + std::to_string(kPageLimitMax)};
  }
  return static_cast<std::size_t>(*limit);
}

std::variant<PageQuery, Problem> ReadPageQuery(const HttpRequest& request, std::string_view extra) {
  constexpr std::size_t kCursorBytesMax = 1024;
  const std::string_view known[] = {"limit", "cursor", extra};
  auto parameters =
      ParseQuery(request.query, std::span(known, extra.empty() ? std::size_t{2} : std::size_t{3}));
  if (!parameters.ok()) {
    return BadQuery(parameters.error().message);
  }
  PageQuery page;
  page.limit = static_cast<std::size_t>(kPageLimitDefault);
  for (auto& [name, value] : *parameters) {
    if (name == "limit") {
      auto limit = ReadLimit(value);
      if (auto* problem = std::get_if<Problem>(&limit)) {
        return std::move(*problem);
      }
      page.limit = std::get<std::size_t>(limit);
    } else if (value.size() > kCursorBytesMax || HasControlCharacters(value)) {
      return BadQuery("'" + name + "' is not one that the server gave");
    } else if (name == "cursor") {
      page.cursor = std::move(value);
    } else {
      page.extra = std::move(value);
    }
  }
  return page;
}

std::optional<Problem> RefuseQuery(const HttpRequest& request) {
  if (const auto parameters = ParseQuery(request.query, {}); !parameters.ok()) {
    return BadQuery(parameters.error().message);
  }
  return std::nullopt;
}

std::string TraceparentOf(const HttpRequest& request) {
  return FormatTraceparent(ContinueTrace(request.Header("traceparent")));
}

std::function<void(const RequestObservation&)> ObserveInto(Metrics& metrics) {
  return [&metrics](const RequestObservation& seen) {
    // A method is the client's word; those that no route has share one series.
    const bool known = !seen.route.empty();
    metrics.HttpRequests(known ? seen.route : "none", known ? seen.method : "other", seen.status)
        .Increment();
    metrics.HttpSeconds(known ? seen.route : "none").Observe(seen.seconds);
  };
}

Router BuildApi(ApiDependencies dependencies) {
  const auto api = std::make_shared<ApiContext>(std::move(dependencies));
  Router router;
  AddChatRoutes(router, api);
  AddInteractionRoutes(router, api);
  AddRecallRoutes(router, api);
  AddMemoryRoutes(router, api);
  AddAdminRoutes(router, api);
  AddRebuildRoutes(router, api);
  AddConsolidationRoutes(router, api);
  AddModeRoutes(router, api);
  AddShadowRoutes(router, api);
  AddRecordRoutes(router, api);
  AddOperationsRoutes(router, api);
  SetGate(router, api);
  return router;
}

Router BuildProbes(ApiDependencies dependencies) {
  const auto api = std::make_shared<ApiContext>(std::move(dependencies));
  Router router;
  AddProbeRoutes(router, api);
  SetGate(router, api);
  return router;
}

}  // namespace umbranet
