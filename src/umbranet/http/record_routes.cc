// /v1/admin/acts and /v1/admin/audit: what operators did, and whether anything was lost.
#include <utility>

#include "umbranet/http/api_context.h"
#include "umbranet/http/json_writer.h"

namespace umbranet {
namespace {

Problem NoRecords() {
  return {404, "not_found", "this server keeps no records"};
}

void HandleActs(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto query = ReadPageQuery(request);
  if (const auto* problem = std::get_if<Problem>(&query)) {
    SendProblem(writer, *problem);
    return;
  }
  if (api.dependencies.records == nullptr) {
    SendProblem(writer, NoRecords());
    return;
  }
  const auto& page_query = std::get<PageQuery>(query);
  const auto page = api.dependencies.records->ListActs(request.caller.tenant, page_query.cursor,
                                                       page_query.limit, api.RequestDeadline());
  if (!page.ok()) {
    api.SendError(writer, "acts", page.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject().Key("items").BeginArray();
  for (const OperatorAct& act : page->acts) {
    out.BeginObject()
        .Field("at", act.at)
        .Field("actor", act.actor)
        .Field("action", act.action)
        .Field("job_id", act.job_id)
        .Field("user_id", act.user_id)
        .Field("reason", act.reason)
        .EndObject();
  }
  out.EndArray();
  if (!page->next_cursor.empty()) {
    out.Field("next_cursor", page->next_cursor);
  }
  out.EndObject();
  SendJson(writer, 200, std::move(body));
}

void HandleAudit(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  if (api.dependencies.audit == nullptr) {
    SendProblem(writer, NoRecords());
    return;
  }
  const auto comparison = api.dependencies.audit->Look(api.LongDeadline());
  if (!comparison.ok()) {
    api.SendError(writer, "audit", comparison.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject()
      .Field("turns", comparison->turns)
      .Field("missing", comparison->Missing())
      .Field("without_job", comparison->without_job)
      .Field("without_marker", comparison->without_marker)
      .Field("unfinished", comparison->unfinished)
      .Key("examples")
      .BeginArray();
  for (const std::string& id : comparison->examples) {
    out.String(id);
  }
  out.EndArray().EndObject();
  SendJson(writer, 200, std::move(body));
}

}  // namespace

void AddRecordRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/acts", HandleActs);
  AddRoute(router, api, "GET", "/v1/admin/audit", HandleAudit);
}

}  // namespace umbranet
