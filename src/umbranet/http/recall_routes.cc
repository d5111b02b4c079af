// POST /v1/recall.
#include <utility>

#include <boost/json/array.hpp>

#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/request_tables.h"

namespace umbranet {
namespace {

namespace json = boost::json;

RecallRequest ReadRecall(const json::object& body, const std::string& tenant) {
  RecallRequest recall;
  recall.user = {tenant, std::string(*TextField(body, "user_id"))};
  recall.query = *TextField(body, "query");
  recall.limit = static_cast<std::size_t>(IntegerField(body, "limit", kRecallLimitDefault));
  recall.token_budget =
      static_cast<std::size_t>(IntegerField(body, "token_budget", kTokenBudgetDefault));
  recall.as_of = TimestampField(body, "as_of");
  recall.explain = BooleanField(body, "explain", false);
  if (const auto session = TextField(body, "session_id")) {
    recall.session_id = std::string(*session);
  }
  if (const json::value* tiers = FindField(body, "tiers")) {
    recall.tiers.clear();
    for (const json::value& name : tiers->get_array()) {
      if (const auto tier = ParseTier(std::string_view(name.get_string()))) {
        recall.tiers.push_back(*tier);
      }
    }
  }
  return recall;
}

void HandleRecall(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto read = ReadBody(request, kRecallTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  const RecallRequest recall = ReadRecall(body, request.caller.tenant);
  const auto recalled = api.dependencies.memory.Recall(recall, api.RequestDeadline());
  if (!recalled.ok()) {
    api.SendError(writer, "recall", recalled.error());
    return;
  }
  SendJson(writer, 200, RenderRecall(*recalled));
}

}  // namespace

void AddRecallRoutes(Router& router, const SharedApi& api) {
  router.Add({"POST", "/v1/recall", [api](const HttpRequest& request, ResponseWriter& writer) {
                HandleRecall(*api, request, writer);
              }});
}

}  // namespace umbranet
