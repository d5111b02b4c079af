// /v1/admin/modes: how turns are reflected, while the server runs.
#include <utility>

#include "umbranet/http/api_context.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"

namespace umbranet {
namespace {

constexpr std::string_view kActor = "api";

void SendModes(const ReflectionModes& modes, ResponseWriter& writer) {
  std::string body;
  JsonWriter(body)
      .BeginObject()
      .Field("memory_fast_mode", modes.fast)
      .Field("reflection_queue_enabled", modes.queue)
      .Field("fast_mode_percent", std::uint64_t{modes.fast_percent})
      .EndObject();
  SendJson(writer, 200, std::move(body));
}

// The switch; nothing, and an answer, when this server has none.
ModeSwitch* SwitchOf(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return nullptr;
  }
  if (api.dependencies.modes == nullptr) {
    SendProblem(writer, {404, "not_found", "this server has one mode only"});
  }
  return api.dependencies.modes;
}

void HandleGet(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const ModeSwitch* modes = SwitchOf(api, request, writer)) {
    SendModes(modes->Get(), writer);
  }
}

void HandlePatch(const ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  ModeSwitch* const modes = SwitchOf(api, request, writer);
  if (modes == nullptr) {
    return;
  }
  const auto read = ReadBody(request, kModesTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto& body = std::get<boost::json::value>(read).get_object();
  ReflectionModes wanted = modes->Get();
  wanted.fast = BooleanField(body, "memory_fast_mode", wanted.fast);
  wanted.queue = BooleanField(body, "reflection_queue_enabled", wanted.queue);
  wanted.fast_percent =
      static_cast<std::uint32_t>(IntegerField(body, "fast_mode_percent", wanted.fast_percent));
  modes->Set(wanted, kActor);
  SendModes(modes->Get(), writer);
}

}  // namespace

void AddModeRoutes(Router& router, const SharedApi& api) {
  AddRoute(router, api, "GET", "/v1/admin/modes", HandleGet);
  AddRoute(router, api, "PATCH", "/v1/admin/modes", HandlePatch);
}

}  // namespace umbranet
