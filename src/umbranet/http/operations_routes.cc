// healthz, readyz, metrics and the OpenAPI document.
#include <thread>
#include <utility>
#include <vector>

#include "umbranet/http/api_context.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/openapi_document.h"

namespace umbranet {
namespace {

constexpr Millis kProbeBudget{1'000};

struct Probed {
  Status status;
  double millis = 0;
};

// All at once: one dependency that hangs must not hide the others.
std::vector<Probed> ProbeAll(const ApiDependencies& needs) {
  std::vector<Probed> results(needs.probes.size());
  {
    std::vector<std::jthread> threads;
    threads.reserve(needs.probes.size());
    for (std::size_t i = 0; i < needs.probes.size(); ++i) {
      threads.emplace_back([&needs, &results, i] {
        const SteadyTime begun = needs.clock.SteadyNow();
        results[i].status = needs.probes[i].probe(Deadline::After(needs.clock, kProbeBudget));
        results[i].millis =
            std::chrono::duration<double, std::milli>(needs.clock.SteadyNow() - begun).count();
      });
    }
  }
  return results;
}

void HandleReady(const ApiContext& api, ResponseWriter& writer) {
  const ApiDependencies& needs = api.dependencies;
  const std::vector<Probed> results = ProbeAll(needs);
  bool ready = true;
  bool whole = true;
  for (std::size_t i = 0; i < results.size(); ++i) {
    whole = whole && results[i].status.ok();
    ready = ready && (results[i].status.ok() || !needs.probes[i].required);
  }
  std::string body;
  JsonWriter out(body);
  out.BeginObject()
      .Field("status", !ready  ? "unavailable"
                       : whole ? "ready"
                               : "degraded")
      .Key("dependencies")
      .BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    out.BeginObject()
        .Field("name", needs.probes[i].name)
        .Field("required", needs.probes[i].required)
        .Field("status", results[i].status.ok() ? "up" : "down");
    if (needs.probes[i].breaker_open) {
      out.Field("breaker", needs.probes[i].breaker_open() ? "open" : "closed");
    }
    out.Key("ms").Number(results[i].millis, 3);
    out.EndObject();
    if (!results[i].status.ok()) {
      // The reason may name hosts and files, and anybody may ask: it goes to the log.
      needs.log.Warning("dependency_down", {{"name", needs.probes[i].name},
                                            {"error", results[i].status.error().message}});
    }
  }
  out.EndArray().EndObject();
  SendJson(writer, ready ? 200 : 503, std::move(body));
}

void HandleMetrics(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  Metrics::Exposition exposition = api.dependencies.metrics.Expose(request.Header("Accept"));
  HttpResponse response;
  response.content_type = std::move(exposition.content_type);
  response.body = std::move(exposition.body);
  writer.Send(std::move(response));
}

}  // namespace

void AddProbeRoutes(Router& router, const SharedApi& api) {
  router.Add({"GET", "/healthz",
              [](const HttpRequest&, ResponseWriter& writer) {
                SendJson(writer, 200, R"({"status":"ok"})");
              },
              Access::kPublic, kTurnBodyBytesMax, RunsOn::kIoThread});
  router.Add({"GET", "/readyz",
              [api](const HttpRequest&, ResponseWriter& writer) { HandleReady(*api, writer); },
              Access::kPublic});
  router.Add({"GET", "/metrics",
              [api](const HttpRequest& request, ResponseWriter& writer) {
                HandleMetrics(*api, request, writer);
              },
              Access::kAdmin});
}

void AddOperationsRoutes(Router& router, const SharedApi& api) {
  AddProbeRoutes(router, api);
  router.Add({"GET", "/openapi.json",
              [](const HttpRequest&, ResponseWriter& writer) {
                SendJson(writer, 200, std::string(OpenApiDocument()));
              },
              Access::kPublic});
}

}  // namespace umbranet
