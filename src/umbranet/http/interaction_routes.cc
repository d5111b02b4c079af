// POST /v1/interactions, one turn or many, and GET /v1/users/{user_id}/interactions: the journal.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"
#include "umbranet/memory/reflection_priority.h"

namespace umbranet {
namespace {

namespace json = boost::json;

Interaction ReadTurn(const json::object& fields, const std::string& tenant) {
  Interaction turn;
  turn.user = {tenant, std::string(*TextField(fields, "user_id"))};
  turn.user_message = *TextField(fields, "user_message");
  turn.assistant_response = TextField(fields, "assistant_response").value_or("");
  turn.session_id = TextField(fields, "session_id").value_or(kDefaultSession);
  turn.speaker = TextField(fields, "speaker").value_or(kDefaultSpeaker);
  turn.interaction_id = TextField(fields, "interaction_id").value_or("");
  turn.occurred_at = TimestampField(fields, "timestamp").value_or(Timestamp{});
  const auto priority = TextField(fields, "priority");
  if (!priority || !ParsePriority(*priority, turn.priority)) {
    turn.priority = DecidePriority(turn.user_message);
  }
  if (const json::value* metadata = FindField(fields, "metadata")) {
    turn.metadata = json::serialize(*metadata);
  }
  return turn;
}

// The turns of the body, all checked before any is used.
std::variant<std::vector<Interaction>, Problem> ReadTurns(const HttpRequest& request) {
  if (request.body.empty()) {
    return Problem{400, "empty_body", "the body is empty; send one turn, or {\"items\": [...]}"};
  }
  auto parsed = ParseJson(request.body);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    return std::move(*problem);
  }
  const auto& value = std::get<json::value>(parsed);
  const bool batch = value.is_object() && value.get_object().contains("items");
  if (!batch && request.body.size() > kTurnBodyBytesMax) {
    return Problem{413, "body_too_large", "one turn may have 1 MiB; send less"};
  }
  if (auto problem = CheckObject(value, batch ? kTurnBatchTable : kTurnTable)) {
    return *std::move(problem);
  }
  std::vector<Interaction> turns;
  const json::object& object = value.get_object();
  if (!batch) {
    turns.push_back(ReadTurn(object, request.caller.tenant));
    return turns;
  }
  const json::array& items = object.at("items").get_array();
  turns.reserve(items.size());
  for (const json::value& item : items) {
    turns.push_back(ReadTurn(item.get_object(), request.caller.tenant));
  }
  return turns;
}

std::string RenderAccepted(const std::vector<AcceptedTurn>& turns, bool reflected_inline) {
  std::string body;
  body.reserve(32 + 128 * turns.size());
  JsonWriter json(body);
  json.BeginObject().Key("results").BeginArray();
  for (const AcceptedTurn& turn : turns) {
    const bool now = reflected_inline && !turn.duplicate && turn.state != JobState::kSpooled;
    json.BeginObject()
        .Field("interaction_id", turn.interaction_id)
        .Field("job_id", turn.job_id)
        .Field("status", now ? std::string_view("inline") : JobStateName(turn.state));
    if (turn.duplicate) {
      json.Field("duplicate", true);
    }
    json.EndObject();
  }
  json.EndArray().EndObject();
  return body;
}

// A batch is answered at once when any of its users is in the fast mode: it has one answer.
RunMode ModeOfBatch(const ModeSwitch* modes, const std::vector<Interaction>& turns) {
  const bool all_inline =
      modes != nullptr && std::all_of(turns.begin(), turns.end(), [&](const Interaction& turn) {
        return modes->ModeOf(turn.user) == RunMode::kInline;
      });
  return all_inline ? RunMode::kInline : RunMode::kBackground;
}

// True when every new turn was reflected before the reply.
bool ReflectInline(ApiContext& api, RunMode mode, std::string_view tenant,
                   const std::vector<AcceptedTurn>& turns, Deadline deadline) {
  const ApiDependencies& needs = api.dependencies;
  if (mode != RunMode::kInline || !needs.reflect_inline) {
    return false;
  }
  std::vector<std::string> job_ids;
  for (const AcceptedTurn& turn : turns) {
    if (!turn.duplicate && turn.state != JobState::kSpooled) {
      job_ids.push_back(turn.job_id);
    }
  }
  if (job_ids.empty()) {
    return false;
  }
  const Status reflected = needs.reflect_inline(tenant, job_ids, deadline);
  if (!reflected.ok()) {
    needs.log.Warning("inline_reflection_unfinished", {{"error", reflected.error().message}});
  }
  return reflected.ok();
}

void AcceptTurns(ApiContext& api, const HttpRequest& request, std::vector<Interaction> turns,
                 IdempotentRequests::Claim& claim, ResponseWriter& writer) {
  const ApiDependencies& needs = api.dependencies;
  std::map<UserKey, std::uint64_t> by_user;
  for (const Interaction& turn : turns) {
    ++by_user[turn.user];
  }
  if (const auto problem = api.RefuseBacklog(by_user)) {
    SendProblem(writer, *problem);
    return;
  }
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].interaction_id.empty()) {
      turns[i].interaction_id = claim.InteractionId(turns[i].user.user_id, i);
    }
  }
  const UserKey first_user = turns.front().user;
  const RunMode mode = ModeOfBatch(needs.modes, turns);
  const Deadline deadline = api.RequestDeadline();
  auto remembered = needs.memory.Remember(std::move(turns), mode, TraceparentOf(request), deadline);
  if (!remembered.ok()) {
    api.SendError(writer, "interactions", remembered.error());
    return;
  }
  const bool reflected = ReflectInline(api, mode, first_user.tenant, remembered->turns, deadline);
  std::string body = RenderAccepted(remembered->turns, reflected);
  claim.Save(first_user, 202, body, api.RequestDeadline());
  SendJson(writer, 202, std::move(body));
}

void HandlePost(ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  auto turns = ReadTurns(request);
  if (const auto* problem = std::get_if<Problem>(&turns)) {
    SendProblem(writer, *problem);
    return;
  }
  auto begun = api.idempotent_requests.Begin(request, api.RequestDeadline());
  if (const auto* problem = std::get_if<Problem>(&begun)) {
    SendProblem(writer, *problem);
  } else if (const auto* answer = std::get_if<StoredAnswer>(&begun)) {
    SendJson(writer, answer->http_status, answer->body);
  } else {
    AcceptTurns(api, request, std::get<std::vector<Interaction>>(std::move(turns)),
                std::get<IdempotentRequests::Claim>(begun), writer);
  }
}

void HandleList(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto query = ReadPageQuery(request);
  if (const auto* problem = std::get_if<Problem>(&query)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto& page_query = std::get<PageQuery>(query);
  const auto page = api.dependencies.journal.List(UserInPath(request), page_query.cursor,
                                                  page_query.limit, api.RequestDeadline());
  if (!page.ok()) {
    api.SendError(writer, "list_interactions", page.error());
    return;
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("items").BeginArray();
  for (const JournalEntry& entry : page->entries) {
    WriteEntry(json, entry);
  }
  json.EndArray();
  if (!page->next_cursor.empty()) {
    json.Field("next_cursor", page->next_cursor);
  }
  json.EndObject();
  SendJson(writer, 200, std::move(body));
}

}  // namespace

void AddInteractionRoutes(Router& router, const SharedApi& api) {
  router.Add({"POST", "/v1/interactions",
              [api](const HttpRequest& request, ResponseWriter& writer) {
                HandlePost(*api, request, writer);
              },
              Access::kTenant, kBatchBodyBytesMax});
  router.Add({"GET", "/v1/users/{user_id}/interactions",
              [api](const HttpRequest& request, ResponseWriter& writer) {
                HandleList(*api, request, writer);
              }});
}

}  // namespace umbranet
