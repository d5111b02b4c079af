// Looking after memories: reflections, freshness, lists, changes, the graph, merges of its names,
// export, forgetting.
#include <chrono>
#include <span>
#include <utility>

#include "umbranet/domain/stated_fact.h"
#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kGraphFactsDefault = 1'000;
constexpr std::int64_t kGraphFactsMax = 10'000;
// Lines of an export are sent together up to this size.
constexpr std::size_t kExportPieceBytes = std::size_t{16} << 10U;

Problem NoSuch(std::string_view what) {
  return {404, "not_found", "there is no such " + std::string(what)};
}

bool RefusedQuery(const HttpRequest& request, ResponseWriter& writer) {
  const auto problem = RefuseQuery(request);
  if (problem) {
    SendProblem(writer, *problem);
  }
  return problem.has_value();
}

void HandleReflection(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const ApiDependencies& needs = api.dependencies;
  const std::string& job_id = request.parameters.at(0);
  // The spool before the ledger: what is forwarded meanwhile is then found in one of them.
  auto found = needs.find_spooled
                   ? needs.find_spooled(request.caller.tenant, job_id, api.RequestDeadline())
                   : std::optional<JobStatus>();
  if (found.ok() && !found->has_value()) {
    found = needs.ledger.Find(request.caller.tenant, job_id, api.RequestDeadline());
  }
  if (!found.ok()) {
    api.SendError(writer, "reflection", found.error());
  } else if (!found->has_value()) {
    SendProblem(writer, NoSuch("job; finished ones are kept for a week"));
  } else {
    std::string body;
    JsonWriter writer_json(body);
    WriteReflection(writer_json, **found, false);
    SendJson(writer, 200, std::move(body));
  }
}

void HandleFreshness(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const auto freshness =
      api.dependencies.journal.ReadFreshness(UserInPath(request), api.RequestDeadline());
  if (!freshness.ok()) {
    api.SendError(writer, "freshness", freshness.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject();
  WriteFreshness(out, *freshness);
  double oldest_s = 0;
  if (freshness->oldest_pending_at) {
    oldest_s =
        std::chrono::duration<double>(api.dependencies.clock.Now() - *freshness->oldest_pending_at)
            .count();
  }
  out.Key("oldest_pending_s").Number(std::max(0.0, oldest_s), 3);
  if (freshness->forgotten_at) {
    out.Field("forgotten_at", *freshness->forgotten_at);
  }
  out.EndObject();
  SendJson(writer, 200, std::move(body));
}

void HandleListMemories(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto query = ReadPageQuery(request, "tier");
  if (const auto* problem = std::get_if<Problem>(&query)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto& page_query = std::get<PageQuery>(query);
  std::optional<Tier> tier;
  if (!page_query.extra.empty()) {
    tier = ParseTier(page_query.extra);
    if (!tier) {
      SendProblem(writer, {400, "bad_value",
                           "'tier' must be one of short_term, episodic, semantic, procedural"});
      return;
    }
  }
  const auto page = api.dependencies.memory.List(UserInPath(request), tier, page_query.cursor,
                                                 page_query.limit, api.RequestDeadline());
  if (!page.ok()) {
    api.SendError(writer, "list_memories", page.error());
    return;
  }
  const auto consolidated_in =
      api.dependencies.memory.ConsolidatedIn(page->items, api.RequestDeadline());
  if (!consolidated_in.ok()) {
    api.SendError(writer, "list_memories", consolidated_in.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject().Key("items");
  WriteListedItems(out, page->items, *consolidated_in);
  if (!page->next_cursor.empty()) {
    out.Field("next_cursor", page->next_cursor);
  }
  out.EndObject();
  SendJson(writer, 200, std::move(body));
}

void SendItem(const ApiContext& api, ResponseWriter& writer, std::string_view operation,
              const Result<std::optional<MemoryItem>>& item) {
  if (!item.ok()) {
    api.SendError(writer, operation, item.error());
  } else if (!item->has_value()) {
    SendProblem(writer, NoSuch("memory"));
  } else {
    std::string body;
    JsonWriter out(body);
    WriteItem(out, **item);
    SendJson(writer, 200, std::move(body));
  }
}

void HandleGetMemory(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (!RefusedQuery(request, writer)) {
    SendItem(api, writer, "get_memory",
             api.dependencies.memory.Get(request.caller.tenant, request.parameters.at(0),
                                         api.RequestDeadline()));
  }
}

void HandlePatchMemory(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const auto read = ReadBody(request, kMemoryPatchTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  MemoryPatch patch;
  if (const auto text = TextField(body, "text")) {
    patch.text = std::string(*text);
  }
  patch.valid_to = TimestampField(body, "valid_to");
  if (!patch.text && !patch.valid_to) {
    SendProblem(writer, {400, "missing_field", "nothing to change; give 'text' or 'valid_to'"});
    return;
  }
  SendItem(api, writer, "change_memory",
           api.dependencies.memory.Update(request.caller.tenant, request.parameters.at(0), patch,
                                          api.RequestDeadline()));
}

void HandleDeleteMemory(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const std::string& memory_id = request.parameters.at(0);
  const auto erased =
      api.dependencies.memory.Erase(request.caller.tenant, memory_id, api.RequestDeadline());
  if (!erased.ok()) {
    api.SendError(writer, "delete_memory", erased.error());
  } else if (!*erased) {
    SendProblem(writer, NoSuch("memory"));
  } else {
    std::string body;
    JsonWriter(body).BeginObject().Field("memory_id", memory_id).Field("deleted", true).EndObject();
    SendJson(writer, 200, std::move(body));
  }
}

struct GraphQuery {
  std::size_t limit = kGraphFactsDefault;
  bool stated = false;
};

// A query of 'limit' and what else is `known`; nothing when it was refused.
std::optional<GraphQuery> ReadGraphQuery(const HttpRequest& request, ResponseWriter& writer,
                                         std::span<const std::string_view> known) {
  const auto parameters = ParseQuery(request.query, known);
  if (!parameters.ok()) {
    SendProblem(writer, {400, "bad_query", parameters.error().message});
    return std::nullopt;
  }
  GraphQuery query;
  for (const auto& [name, value] : *parameters) {
    if (name == "stated") {
      if (value != "true" && value != "false") {
        SendProblem(writer, {400, "bad_value", "'stated' must be true or false"});
        return std::nullopt;
      }
      query.stated = value == "true";
      continue;
    }
    const auto limit = ParseBoundedInteger(value, 1, kGraphFactsMax);
    if (!limit) {
      SendProblem(writer, {400, "out_of_range",
                           "'limit' must be from 1 to " + std::to_string(kGraphFactsMax)});
      return std::nullopt;
    }
    query.limit = static_cast<std::size_t>(*limit);
  }
  return query;
}

void HandleGraph(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  constexpr std::string_view kKnown[] = {"limit", "stated"};
  const auto query = ReadGraphQuery(request, writer, kKnown);
  if (!query) {
    return;
  }
  auto graph = api.dependencies.memory.semantic().ReadGraph(UserInPath(request), query->limit,
                                                            api.RequestDeadline());
  if (!graph.ok()) {
    api.SendError(writer, "graph", graph.error());
    return;
  }
  if (query->stated) {
    std::erase_if(graph->facts, [](const Fact& fact) { return !IsStated(fact); });
  }
  std::string body;
  JsonWriter out(body);
  WriteGraph(out, *graph);
  SendJson(writer, 200, std::move(body));
}

void HandleProfile(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  constexpr std::size_t kFactsMax = 5'000;
  constexpr std::size_t kRulesMax = 200;
  MemoryManager& memory = api.dependencies.memory;
  const UserKey user = UserInPath(request);
  const Deadline deadline = api.RequestDeadline();
  const auto graph = memory.semantic().ReadGraph(user, kFactsMax, deadline);
  if (!graph.ok()) {
    api.SendError(writer, "profile", graph.error());
    return;
  }
  const auto rules = memory.List(user, Tier::kProcedural, "", kRulesMax, deadline);
  if (!rules.ok()) {
    api.SendError(writer, "profile", rules.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  WriteProfile(out, user, BuildProfile(*graph, rules->items, api.dependencies.clock.Now()));
  SendJson(writer, 200, std::move(body));
}

void HandleMerges(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  constexpr std::string_view kKnown[] = {"limit"};
  const auto query = ReadGraphQuery(request, writer, kKnown);
  if (!query) {
    return;
  }
  const auto merges = api.dependencies.memory.semantic().Merges(UserInPath(request), query->limit,
                                                                api.RequestDeadline());
  if (!merges.ok()) {
    api.SendError(writer, "merges", merges.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  WriteMerges(out, *merges);
  SendJson(writer, 200, std::move(body));
}

void HandleUnmerge(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const auto read = ReadBody(request, kUnmergeTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  const auto undone = api.dependencies.memory.semantic().Unmerge(
      UserInPath(request), TextField(body, "name").value_or(""),
      TextField(body, "from").value_or(""), api.RequestDeadline());
  if (!undone.ok()) {
    api.SendError(writer, "unmerge", undone.error());
  } else if (*undone == 0) {
    SendProblem(writer, NoSuch("merge"));
  } else {
    std::string text;
    JsonWriter(text).BeginObject().Field("undone", std::uint64_t{*undone}).EndObject();
    SendJson(writer, 200, std::move(text));
  }
}

void HandleExport(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  HttpResponse head;
  head.content_type = "application/x-ndjson";
  std::string piece;
  const auto send_piece = [&] {
    if (!writer.Started()) {
      writer.BeginStream(head);
    }
    const bool sent = writer.Write(piece);
    piece.clear();
    return sent;
  };
  const Status exported = api.dependencies.memory.Export(
      UserInPath(request),
      [&](std::string_view line) {
        piece.append(line).append("\n");
        return piece.size() < kExportPieceBytes || send_piece();
      },
      api.LongDeadline());
  if (exported.ok()) {
    if (send_piece()) {
      writer.End();
    }
  } else if (writer.Started()) {
    // The stream is left without its end, so that nobody takes it for the whole.
    api.dependencies.log.Warning("export_cut_short", {{"error", exported.error().message}});
  } else {
    api.SendError(writer, "export", exported.error());
  }
}

void WriteCertificate(JsonWriter& out, const ForgettingCertificate& certificate) {
  out.BeginObject()
      .Field("version", std::uint64_t{1})
      .Field("tenant", certificate.user.tenant)
      .Field("user_id", certificate.user.user_id)
      .Field("forgotten_at", certificate.forgotten_at)
      .Field("through_sequence", static_cast<std::uint64_t>(certificate.through_sequence))
      .Key("removed")
      .BeginObject();
  for (const auto& [kind, count] : certificate.removed) {
    out.Field(kind, count);
  }
  out.EndObject().Field("digest", CertificateDigest(certificate)).EndObject();
}

void HandleForget(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (RefusedQuery(request, writer)) {
    return;
  }
  const auto report = api.dependencies.memory.ForgetUser(UserInPath(request), api.LongDeadline());
  if (!report.ok()) {
    api.SendError(writer, "forget", report.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject().Key("deleted").BeginObject();
  for (const Tier tier : kAllTiers) {
    const auto count = report->deleted.find(tier);
    out.Field(TierName(tier), count == report->deleted.end() ? std::uint64_t{0} : count->second);
  }
  out.EndObject().Field("queued_jobs_cancelled", report->queued_jobs_cancelled);
  WriteCertificate(out.Key("certificate"), report->certificate);
  out.EndObject();
  SendJson(writer, 200, std::move(body));
}

}  // namespace

void AddMemoryRoutes(Router& router, const SharedApi& api) {
  const auto add = [&](std::string method, std::string pattern, ApiHandler handler) {
    AddRoute(router, api, std::move(method), std::move(pattern), handler, Access::kTenant);
  };
  add("GET", "/v1/reflections/{job_id}", HandleReflection);
  add("GET", "/v1/users/{user_id}/freshness", HandleFreshness);
  add("GET", "/v1/users/{user_id}/memories", HandleListMemories);
  add("GET", "/v1/memories/{memory_id}", HandleGetMemory);
  add("PATCH", "/v1/memories/{memory_id}", HandlePatchMemory);
  add("DELETE", "/v1/memories/{memory_id}", HandleDeleteMemory);
  add("GET", "/v1/users/{user_id}/graph", HandleGraph);
  add("GET", "/v1/users/{user_id}/profile", HandleProfile);
  add("GET", "/v1/users/{user_id}/merges", HandleMerges);
  add("POST", "/v1/users/{user_id}/unmerge", HandleUnmerge);
  add("GET", "/v1/users/{user_id}/export", HandleExport);
  add("DELETE", "/v1/users/{user_id}", HandleForget);
}

}  // namespace umbranet
