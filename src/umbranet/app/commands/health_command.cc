// Whether the server of these settings answers, in one exit code: for the health checks of
// containers and units, which have the program at hand and need not have curl.
#include <string>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

// Below the time that a health check is commonly given; /readyz allows what it asks a second.
constexpr Millis kBudget{4'000};

// Where a server with these settings is reached from its own machine.
Result<std::string> OwnUrl(const Settings& settings) {
  if (settings.listen_port == 0) {
    return InvalidArgument(
        "health: UMBRANET_LISTEN leaves the port open; name the server with "
        "--url");
  }
  std::string host = settings.listen_host;
  if (host == "0.0.0.0") {
    host = "127.0.0.1";
  } else if (host == "::") {
    host = "::1";
  }
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(settings.listen_port);
}

}  // namespace

int RunHealth(const CommandContext& context, const HealthOptions& options) {
  std::string url = context.url;
  if (url.empty()) {
    auto own = OwnUrl(context.settings());
    if (!own.ok()) {
      return Complain(own.error());
    }
    url = std::move(*own);
  }
  const ApiClient::Target target{.url = url, .reflect = false};
  const auto client = ApiClient::Connect(context.settings(), target, context.clock);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const std::string path = options.alive ? "/healthz" : "/readyz";
  const auto answer = (*client)->Call("GET", path, std::nullopt, context.Within(kBudget));
  if (!answer.ok()) {
    return Complain({answer.error().code, "health: " + (*client)->Where() + " says no to GET " +
                                              path + ": " + answer.error().message});
  }
  if (context.json) {
    PrintJson(*answer);
  } else {
    Print("umbranet: " + (*client)->Where() + (options.alive ? " lives" : " is ready") + "\n");
  }
  return kExitOk;
}

}  // namespace umbranet
