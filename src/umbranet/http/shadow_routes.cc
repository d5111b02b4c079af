// /v1/admin/shadow: what came of trying another path on turns, and whether to go over to it.
#include <algorithm>
#include <string>
#include <utility>

#include "umbranet/http/api_context.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"

namespace umbranet {
namespace {

constexpr std::string_view kCandidates[] = {"inline", "rules"};

// The path that is asked about: that of ?candidate=, else the one that is being tried.
std::variant<std::string, Problem> CandidateOf(const ApiContext& api, const HttpRequest& request) {
  constexpr std::string_view kKnown[] = {"candidate"};
  const auto parameters = ParseQuery(request.query, kKnown);
  if (!parameters.ok()) {
    return Problem{400, "bad_query", parameters.error().message};
  }
  const std::string& tried = api.dependencies.shadow_candidate;
  std::string candidate = tried.empty() ? std::string(kCandidates[0]) : tried;
  for (const auto& [name, value] : *parameters) {
    candidate = value;
  }
  if (std::find(std::begin(kCandidates), std::end(kCandidates), candidate) ==
      std::end(kCandidates)) {
    return Problem{400, "bad_query", "'candidate' is inline or rules"};
  }
  return candidate;
}

void WriteGate(JsonWriter& out, const ShadowSummary& summary) {
  const std::vector<ShadowGateCheck> checks = CheckShadowGate(summary);
  out.Key("gate").BeginObject().Field(
      "met", std::all_of(checks.begin(), checks.end(),
                         [](const ShadowGateCheck& check) { return check.met; }));
  out.Key("checks").BeginArray();
  for (const ShadowGateCheck& check : checks) {
    out.BeginObject()
        .Field("name", check.name)
        .Field("wanted", check.wanted)
        .Field("found", check.found)
        .Field("met", check.met)
        .EndObject();
  }
  out.EndArray().EndObject();
}

std::string RenderReport(const std::string& tried, const std::string& candidate,
                         const ShadowSummary& summary) {
  std::string body;
  JsonWriter out(body);
  out.BeginObject()
      .Field("mode", tried.empty() ? std::string_view("off") : std::string_view(tried))
      .Field("candidate", candidate)
      .Field("runs", summary.runs)
      .Key("compared")
      .BeginObject();
  for (const auto& [difference, count] : summary.compared) {
    out.Field(PlanDifferenceName(difference), count);
  }
  out.EndObject()
      .Field("failed", summary.failed)
      .Field("unanswered", summary.unanswered)
      .Key("p95_ms")
      .BeginObject()
      .Field("control", std::uint64_t{summary.control_p95_ms})
      .Field("candidate", std::uint64_t{summary.candidate_p95_ms})
      .Field("end_to_end", std::uint64_t{summary.end_to_end_p95_ms})
      .EndObject();
  if (summary.first_at) {
    out.Field("first_at", *summary.first_at);
  }
  if (summary.last_at) {
    out.Field("last_at", *summary.last_at);
  }
  WriteGate(out, summary);
  out.Key("examples").BeginArray();
  for (const std::string& job_id : summary.examples) {
    out.String(job_id);
  }
  out.EndArray().EndObject();
  return body;
}

// False, and an answer: there are none here.
bool HasRecords(const ApiContext& api, ResponseWriter& writer) {
  if (api.dependencies.shadow == nullptr) {
    SendProblem(writer, {404, "not_found", "this server tries no other path"});
  }
  return api.dependencies.shadow != nullptr;
}

void HandleReport(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto candidate = CandidateOf(api, request);
  if (const auto* problem = std::get_if<Problem>(&candidate)) {
    SendProblem(writer, *problem);
    return;
  }
  if (!HasRecords(api, writer)) {
    return;
  }
  const auto& name = std::get<std::string>(candidate);
  const auto summary = api.dependencies.shadow->Summarize(name, api.RequestDeadline());
  if (!summary.ok()) {
    api.SendError(writer, "shadow", summary.error());
    return;
  }
  SendJson(writer, 200, RenderReport(api.dependencies.shadow_candidate, name, *summary));
}

void HandleClear(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  if (!HasRecords(api, writer)) {
    return;
  }
  const auto cleared = api.dependencies.shadow->Clear(api.RequestDeadline());
  if (!cleared.ok()) {
    api.SendError(writer, "shadow", cleared.error());
    return;
  }
  std::string body;
  JsonWriter(body).BeginObject().Field("cleared", *cleared).EndObject();
  SendJson(writer, 200, std::move(body));
}

}  // namespace

void AddShadowRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/shadow", HandleReport);
  AddRoute(router, api, "DELETE", "/v1/admin/shadow", HandleClear);
}

}  // namespace umbranet
