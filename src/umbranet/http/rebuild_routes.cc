// /v1/admin/users/{user_id}/rebuild: a user's memory worked out anew beside the one in force.
#include <memory>
#include <string>
#include <utility>

#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"
#include "umbranet/reflection/memory_rebuild.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::int64_t kStepTurnsDefault = 100;
constexpr std::size_t kShownDefault = 20;

// The rebuild, or the problem is sent.
MemoryRebuild* FindRebuild(const ApiContext& api, ResponseWriter& writer) {
  MemoryRebuild* rebuild = api.dependencies.rebuild;
  if (rebuild == nullptr) {
    SendProblem(writer, {501, "not_here",
                         "a memory is worked out anew where all of it is in the one file, or all of"
                         " it on PostgreSQL and Neo4j; of this one a part is in the file: set both"
                         " POSTGRES_URL and NEO4J_URL, or neither"});
  }
  return rebuild;
}

void WriteGeneration(JsonWriter& out, const MemoryGeneration& generation) {
  out.BeginObject()
      .Field("extractor", generation.extractor)
      .Field("began_at", FormatTimestamp(generation.began_at))
      .Field("turns", generation.turns)
      .Field("fallbacks", generation.fallbacks)
      .Field("lacking", generation.lacking)
      .EndObject();
}

// Members of an open object; one that is not there is left out.
void WriteGenerations(JsonWriter& out, const GenerationsOfUser& generations) {
  if (generations.shadow) {
    out.Key("shadow");
    WriteGeneration(out, *generations.shadow);
  }
  if (generations.former) {
    out.Key("former");
    WriteGeneration(out, *generations.former);
  }
}

void WriteDifference(JsonWriter& out, const MemoryDifference& difference) {
  out.BeginObject()
      .Field("before", difference.before)
      .Field("after", difference.after)
      .Field("same", difference.same)
      .Field("added", difference.added)
      .Field("gone", difference.gone)
      .Field("changed", difference.changed);
  out.Key("added_items");
  WriteItems(out, difference.added_items);
  out.Key("gone_items");
  WriteItems(out, difference.gone_items);
  out.Key("changed_items").BeginArray();
  for (const ChangedMemory& changed : difference.changed_items) {
    out.BeginObject().Key("before");
    WriteItem(out, changed.before);
    out.Key("after");
    WriteItem(out, changed.after);
    out.EndObject();
  }
  out.EndArray().EndObject();
}

void HandleStep(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto read = ReadBody(request, kRebuildTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  MemoryRebuild* const rebuild = FindRebuild(api, writer);
  if (rebuild == nullptr) {
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  const auto extractor = api.dependencies.rebuild_extractor(
      BooleanField(body, "rules", false), TextField(body, "model").value_or(std::string_view()));
  if (!extractor.ok()) {
    api.SendError(writer, "rebuild", extractor.error());
    return;
  }
  const UserKey user = UserInPath(request);
  const Deadline deadline = api.LongDeadline();
  const auto turns = static_cast<std::size_t>(IntegerField(body, "turns_max", kStepTurnsDefault));
  const auto step = rebuild->Advance(user, **extractor, turns, deadline);
  if (!step.ok()) {
    api.SendError(writer, "rebuild", step.error());
    return;
  }
  const auto generations = rebuild->generations().Read(user, deadline);
  if (!generations.ok()) {
    api.SendError(writer, "rebuild", generations.error());
    return;
  }
  std::string text;
  JsonWriter out(text);
  out.BeginObject().Field("taken", step->taken).Field("fallbacks", step->fallbacks);
  if (!step->stopped.empty()) {
    out.Field("stopped", step->stopped);
  }
  WriteGenerations(out, *generations);
  out.EndObject();
  SendJson(writer, 200, std::move(text));
}

void HandleRead(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  constexpr std::string_view kKnown[] = {"limit"};
  const auto parameters = ParseQuery(request.query, kKnown);
  if (!parameters.ok()) {
    SendProblem(writer, {400, "bad_query", parameters.error().message});
    return;
  }
  std::size_t shown = kShownDefault;
  if (!parameters->empty()) {
    const auto limit = ReadLimit(parameters->front().second);
    if (const auto* problem = std::get_if<Problem>(&limit)) {
      SendProblem(writer, *problem);
      return;
    }
    shown = std::get<std::size_t>(limit);
  }
  MemoryRebuild* const rebuild = FindRebuild(api, writer);
  if (rebuild == nullptr) {
    return;
  }
  const UserKey user = UserInPath(request);
  const Deadline deadline = api.LongDeadline();
  const auto generations = rebuild->generations().Read(user, deadline);
  if (!generations.ok()) {
    api.SendError(writer, "rebuild", generations.error());
    return;
  }
  std::string text;
  JsonWriter out(text);
  out.BeginObject();
  WriteGenerations(out, *generations);
  if (generations->shadow) {
    const auto differences = rebuild->Compare(user, shown, deadline);
    if (!differences.ok()) {
      api.SendError(writer, "rebuild", differences.error());
      return;
    }
    out.Key("difference").BeginObject();
    for (const auto& [tier, difference] : *differences) {
      out.Key(TierName(tier));
      WriteDifference(out, difference);
    }
    out.EndObject();
  }
  out.EndObject();
  SendJson(writer, 200, std::move(text));
}

void HandleSwap(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto read = ReadBody(request, kRebuildSwapTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  MemoryRebuild* const rebuild = FindRebuild(api, writer);
  if (rebuild == nullptr) {
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  const bool back = TextField(body, "to") == "former";
  const auto repeated = rebuild->generations().Swap(
      UserInPath(request), back ? IncomingGeneration::kFormer : IncomingGeneration::kShadow,
      api.LongDeadline());
  if (!repeated.ok()) {
    api.SendError(writer, "rebuild_swap", repeated.error());
    return;
  }
  std::string text;
  JsonWriter(text).BeginObject().Field("queued_jobs", *repeated).EndObject();
  SendJson(writer, 200, std::move(text));
}

void HandleDiscard(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  MemoryRebuild* const rebuild = FindRebuild(api, writer);
  if (rebuild == nullptr) {
    return;
  }
  const auto discarded = rebuild->generations().Discard(UserInPath(request), api.LongDeadline());
  if (!discarded.ok()) {
    api.SendError(writer, "rebuild_discard", discarded.error());
    return;
  }
  std::string text;
  JsonWriter(text).BeginObject().Field("discarded", *discarded).EndObject();
  SendJson(writer, 200, std::move(text));
}

}  // namespace

void AddRebuildRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/users/{user_id}/rebuild", HandleRead);
  AddRoute(router, api, "POST", "/v1/admin/users/{user_id}/rebuild", HandleStep);
  AddRoute(router, api, "DELETE", "/v1/admin/users/{user_id}/rebuild", HandleDiscard);
  AddRoute(router, api, "POST", "/v1/admin/users/{user_id}/rebuild/swap", HandleSwap);
}

}  // namespace umbranet
