// /v1/admin/users/{user_id}/consolidations and /v1/admin/consolidations/{memory_id}: the episodes
// that sum up old ones, and taking them back.
#include <cstdint>
#include <string>
#include <utility>

#include "umbranet/http/api_context.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/ports/episode_consolidation.h"

namespace umbranet {
namespace {

// The store, or the problem is sent.
EpisodeConsolidation* FindStore(const ApiContext& api, ResponseWriter& writer) {
  EpisodeConsolidation* store = api.dependencies.consolidation;
  if (store == nullptr) {
    SendProblem(writer, {501, "not_here", "this server keeps no consolidated episodes"});
  }
  return store;
}

void WriteConsolidation(JsonWriter& out, const ConsolidatedEpisode& episode) {
  out.BeginObject().Field("memory_id", episode.memory_id).Field("text", episode.text);
  if (!episode.session_id.empty()) {
    out.Field("session_id", episode.session_id);
  }
  out.Field("from", episode.from)
      .Field("until", episode.until)
      .Field("model", episode.model)
      .Field("made_at", episode.made_at);
  out.Key("sources").BeginArray();
  for (const ConsolidationSource& source : episode.sources) {
    out.BeginObject()
        .Field("memory_id", source.memory_id)
        .Field("interaction_id", source.source.interaction_id)
        .Field("role", RoleName(source.source.role))
        .EndObject();
  }
  out.EndArray().EndObject();
}

void HandleList(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto query = ReadPageQuery(request);
  if (const auto* problem = std::get_if<Problem>(&query)) {
    SendProblem(writer, *problem);
    return;
  }
  EpisodeConsolidation* const store = FindStore(api, writer);
  if (store == nullptr) {
    return;
  }
  const auto& page_query = std::get<PageQuery>(query);
  const auto page =
      store->List(UserInPath(request), page_query.cursor, page_query.limit, api.RequestDeadline());
  if (!page.ok()) {
    api.SendError(writer, "list_consolidations", page.error());
    return;
  }
  std::string text;
  JsonWriter out(text);
  out.BeginObject().Key("consolidations").BeginArray();
  for (const ConsolidatedEpisode& episode : page->episodes) {
    WriteConsolidation(out, episode);
  }
  out.EndArray();
  if (!page->next_cursor.empty()) {
    out.Field("next_cursor", page->next_cursor);
  }
  out.EndObject();
  SendJson(writer, 200, std::move(text));
}

void SendUndone(ResponseWriter& writer, std::uint64_t undone) {
  std::string text;
  JsonWriter(text).BeginObject().Field("undone", undone).EndObject();
  SendJson(writer, 200, std::move(text));
}

void HandleUndo(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  EpisodeConsolidation* const store = FindStore(api, writer);
  if (store == nullptr) {
    return;
  }
  const auto undone =
      store->Undo(request.caller.tenant, request.parameters.at(0), api.RequestDeadline());
  if (!undone.ok()) {
    api.SendError(writer, "undo_consolidation", undone.error());
  } else if (!*undone) {
    SendProblem(writer, {404, "not_found", "there is no such consolidated episode"});
  } else {
    SendUndone(writer, 1);
  }
}

void HandleUndoAll(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  EpisodeConsolidation* const store = FindStore(api, writer);
  if (store == nullptr) {
    return;
  }
  const auto undone = store->UndoAll(UserInPath(request), api.LongDeadline());
  if (!undone.ok()) {
    api.SendError(writer, "undo_consolidations", undone.error());
    return;
  }
  SendUndone(writer, *undone);
}

}  // namespace

void AddConsolidationRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/users/{user_id}/consolidations", HandleList);
  AddRoute(router, api, "DELETE", "/v1/admin/users/{user_id}/consolidations", HandleUndoAll);
  AddRoute(router, api, "DELETE", "/v1/admin/consolidations/{memory_id}", HandleUndo);
}

}  // namespace umbranet
