// /v1/admin: the queue, its dead letters, and starting a user's reflection over. An operator sees
// the whole queue in numbers, but jobs of the own tenant alone.
#include <chrono>
#include <utility>

#include "umbranet/domain/ledger_records.h"
#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"
#include "umbranet/reflection/backpressure.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kActor = "api";
constexpr Millis kLedgerBudget{1'000};

std::string RenderCount(std::string_view name, std::uint64_t count) {
  std::string body;
  JsonWriter(body).BeginObject().Field(name, count).EndObject();
  return body;
}

void HandleQueue(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const ApiDependencies& needs = api.dependencies;
  const Deadline deadline =
      needs.spooled ? Deadline::After(needs.clock, kLedgerBudget) : api.RequestDeadline();
  const auto stats = needs.ledger.Stats(deadline);
  // With a spool the ledger may be away, and that is what is to be seen then.
  if (!stats.ok() && !needs.spooled) {
    api.SendError(writer, "queue", stats.error());
    return;
  }
  QueueLoad load;
  load.workers = needs.consumers ? needs.consumers() : 0;
  load.spool_share = needs.spool_share ? needs.spool_share() : 0;
  load.room_is_left = !needs.room_is_left || needs.room_is_left();
  if (stats.ok()) {
    load.ledger = *stats;
  }
  const std::uint64_t level = BackpressureLevel(load, needs.clock.Now());
  if (!stats.ok()) {
    std::string body;
    JsonWriter(body)
        .BeginObject()
        .Field("level", level)
        .Field("spooled", needs.spooled())
        .Field("consumers", load.workers)
        .EndObject();
    SendJson(writer, 200, std::move(body));
    return;
  }
  double oldest_s = 0;
  if (stats->oldest_unfinished_at) {
    oldest_s =
        std::chrono::duration<double>(needs.clock.Now() - *stats->oldest_unfinished_at).count();
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject()
      .Field("level", level)
      .Key("depth")
      .BeginObject()
      .Field("high", stats->ready_high)
      .Field("normal", stats->ready_normal)
      .Field("low", stats->ready_low)
      .EndObject();
  out.Field("leased", stats->leased)
      .Field("retrying", stats->retry_wait)
      .Field("spooled", needs.spooled ? needs.spooled() : std::uint64_t{0})
      .Field("dead", stats->dead);
  out.Key("oldest_age_s").Number(std::max(0.0, oldest_s), 3);
  out.Field("consumers", needs.consumers ? needs.consumers() : std::uint64_t{0}).EndObject();
  SendJson(writer, 200, std::move(body));
}

// A page of dead letters as the query string asks for it: what is left out holds nothing back.
struct DeadQuery {
  DeadFilter filter;
  std::string cursor;
  std::size_t limit = static_cast<std::size_t>(kPageLimitDefault);
};

std::variant<DeadQuery, Problem> ReadDeadQuery(const HttpRequest& request) {
  constexpr std::string_view kKnown[] = {"limit", "cursor", "user_id", "tier", "error_contains"};
  auto parameters = ParseQuery(request.query, kKnown);
  if (!parameters.ok()) {
    return Problem{400, "bad_query", parameters.error().message};
  }
  DeadQuery query;
  query.filter.tenant = request.caller.tenant;
  for (auto& [name, value] : *parameters) {
    if (name == "limit") {
      auto limit = ReadLimit(value);
      if (auto* problem = std::get_if<Problem>(&limit)) {
        return std::move(*problem);
      }
      query.limit = std::get<std::size_t>(limit);
    } else if (name == "cursor") {
      query.cursor = std::move(value);
    } else if (name == "user_id") {
      query.filter.user_id = std::move(value);
    } else if (name == "tier") {
      query.filter.tier = std::move(value);
    } else {
      query.filter.error_contains = std::move(value);
    }
  }
  return query;
}

void HandleUsage(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const ModelUsage* usage = api.dependencies.usage;
  std::string body;
  JsonWriter out(body);
  WriteUsage(out, usage == nullptr ? ModelUsage::Report() : usage->Read());
  SendJson(writer, 200, std::move(body));
}

void HandleListDead(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  const auto read = ReadDeadQuery(request);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto& query = std::get<DeadQuery>(read);
  const auto page = api.dependencies.ledger.ListDead(query.filter, query.cursor, query.limit,
                                                     api.RequestDeadline());
  if (!page.ok()) {
    api.SendError(writer, "list_dead_letters", page.error());
    return;
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject().Key("items").BeginArray();
  for (const JobStatus& job : page->jobs) {
    WriteReflection(out, job, true);
  }
  out.EndArray();
  if (!page->next_cursor.empty()) {
    out.Field("next_cursor", page->next_cursor);
  }
  out.EndObject();
  SendJson(writer, 200, std::move(body));
}

// The dead job of this path, when the caller's tenant has it; otherwise the answer is sent.
std::optional<JobStatus> FindDead(const ApiContext& api, const HttpRequest& request,
                                  ResponseWriter& writer, bool refuse_query = true) {
  if (const auto problem = refuse_query ? RefuseQuery(request) : std::nullopt) {
    SendProblem(writer, *problem);
    return std::nullopt;
  }
  auto found = api.dependencies.ledger.FindDead(request.parameters.at(0), api.RequestDeadline());
  if (!found.ok()) {
    api.SendError(writer, "dead_letter", found.error());
    return std::nullopt;
  }
  if (!found->has_value() || (*found)->job.user.tenant != request.caller.tenant) {
    SendProblem(writer, {404, "not_found", "there is no such dead letter"});
    return std::nullopt;
  }
  return *std::move(found).value();
}

void HandleGetDead(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto job = FindDead(api, request, writer)) {
    std::string body;
    JsonWriter out(body);
    WriteReflection(out, *job, true);
    SendJson(writer, 200, std::move(body));
  }
}

void SendCount(const ApiContext& api, ResponseWriter& writer, std::string_view operation,
               std::string_view name, const Result<std::uint64_t>& count) {
  if (!count.ok()) {
    api.SendError(writer, operation, count.error());
  } else {
    SendJson(writer, 200, RenderCount(name, *count));
  }
}

void CountRequeued(const ApiContext& api, std::string_view reason,
                   const Result<std::uint64_t>& count) {
  if (count.ok()) {
    api.dependencies.metrics.reflection_requeued_total.At(reason).Increment(
        static_cast<double>(*count));
  }
}

void HandleRetryOne(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto job = FindDead(api, request, writer)) {
    const auto count =
        api.dependencies.ledger.RequeueDead(job->job.job_id, kActor, api.RequestDeadline());
    CountRequeued(api, "admin", count);
    SendCount(api, writer, "retry_dead_letter", "retried", count);
  }
}

void HandleDiscard(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  constexpr std::string_view kKnown[] = {"reason"};
  const auto parameters = ParseQuery(request.query, kKnown);
  if (!parameters.ok()) {
    SendProblem(writer, {400, "bad_query", parameters.error().message});
    return;
  }
  if (parameters->empty() || parameters->front().second.empty()) {
    SendProblem(writer, {400, "missing_reason", "say why it is given up: ?reason=..."});
    return;
  }
  const std::string_view reason = CutError(parameters->front().second);
  if (const auto job = FindDead(api, request, writer, /*refuse_query=*/false)) {
    SendCount(api, writer, "discard_dead_letter", "discarded",
              api.dependencies.ledger.DiscardDead(job->job.job_id, kActor, reason,
                                                  api.RequestDeadline()));
  }
}

void HandleRetryMatching(const ApiContext& api, const HttpRequest& request,
                         ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  DeadFilter filter;
  filter.tenant = request.caller.tenant;
  // No body retries them all.
  if (!request.body.empty()) {
    const auto read = ReadBody(request, kRetryTable);
    if (const auto* problem = std::get_if<Problem>(&read)) {
      SendProblem(writer, *problem);
      return;
    }
    const json::object& body = std::get<json::value>(read).get_object();
    if (const json::value* given = FindField(body, "filter")) {
      const auto text = [given](std::string_view name) -> std::optional<std::string> {
        const auto value = TextField(given->get_object(), name);
        return value ? std::optional(std::string(*value)) : std::nullopt;
      };
      filter.user_id = text("user_id");
      filter.tier = text("tier");
      filter.error_contains = text("error_contains");
    }
  }
  const auto count =
      api.dependencies.ledger.RequeueDeadMatching(filter, kActor, api.LongDeadline());
  CountRequeued(api, "admin", count);
  SendCount(api, writer, "retry_dead_letters", "retried", count);
}

void HandleReflectAgain(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto jobs = api.dependencies.memory.ReflectAgain(UserInPath(request), api.LongDeadline());
  CountRequeued(api, "reflect_again", jobs);
  if (!jobs.ok()) {
    api.SendError(writer, "reflect_again", jobs.error());
  } else {
    SendJson(writer, 202, RenderCount("queued_jobs", *jobs));
  }
}

}  // namespace

void AddAdminRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/queue", HandleQueue);
  AddRoute(router, api, "GET", "/v1/admin/usage", HandleUsage);
  AddRoute(router, api, "GET", "/v1/admin/dead-letters", HandleListDead);
  AddRoute(router, api, "POST", "/v1/admin/dead-letters/retry", HandleRetryMatching);
  AddRoute(router, api, "GET", "/v1/admin/dead-letters/{job_id}", HandleGetDead);
  AddRoute(router, api, "DELETE", "/v1/admin/dead-letters/{job_id}", HandleDiscard);
  AddRoute(router, api, "POST", "/v1/admin/dead-letters/{job_id}/retry", HandleRetryOne);
  AddRoute(router, api, "POST", "/v1/admin/users/{user_id}/reflect-again", HandleReflectAgain);
}

}  // namespace umbranet
