#include <cstdio>

#include <malloc.h>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/composition.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/stop_signal.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

constexpr Millis kListenFor = std::chrono::hours(1);

// A chat in flight has a thread, and glibc would give each of many threads an arena of its own and
// keep what they free.
void BoundMemoryArenas() {
  mallopt(M_ARENA_MAX, 4);
}

// Turns the switches to what the settings say now. What is wrong with them changes nothing.
void Reload(const CommandContext& context, Application& application) {
  const auto loaded = context.reload();
  if (!loaded.ok()) {
    Complain(loaded.error());
    return;
  }
  application.SetModes(loaded->settings, "SIGHUP");
}

}  // namespace

int RunServe(const CommandContext& context) {
  StopSignal stop_signal(/*reloads=*/true);
  BoundMemoryArenas();
  const Settings& settings = context.settings();
  if (settings.role == ServeRole::kApi && settings.UsesServers()) {
    if (const Status shared = CheckShared(settings); !shared.ok()) {
      return Complain(shared.error());
    }
  }
  const SteadyTime begun = context.clock.SteadyNow();
  auto application = Application::Open(
      settings, {.serve = Application::Serve::kApi, .reflect = settings.role == ServeRole::kAll},
      context.clock);
  if (!application.ok()) {
    return Complain(application.error());
  }
  (*application)->Start();
  const double elapsed_ms =
      std::chrono::duration<double, std::milli>(context.clock.SteadyNow() - begun).count();
  char line[512];
  std::snprintf(line, sizeof line, "umbranet: ready on %s after %.0f ms, memory in %s%s\n",
                ("http://" + FormatAddress(settings.listen_host, (*application)->Port())).c_str(),
                elapsed_ms,
                settings.NeedsDataFolder() ? settings.data_folder.c_str() : "its servers",
                settings.HasModel() ? "" : ", no language model configured");
  Print(line);

  for (auto heard = StopSignal::Heard::kNothing; heard != StopSignal::Heard::kStop;) {
    heard = stop_signal.Listen(kListenFor);
    if (heard == StopSignal::Heard::kReload) {
      Reload(context, **application);
    }
  }
  const bool drained = (*application)->Stop(context.Within(Millis{settings.stop_grace_ms}));
  if (!drained) {
    std::fprintf(stderr,
                 "umbranet: stopped with requests still in flight; accepted turns are safe\n");
  }
  return kExitOk;
}

int RunReflect(const CommandContext& context, const ReflectOptions& options) {
  StopSignal stop_signal;
  const Settings& settings = context.settings();
  if (settings.UsesServers()) {
    if (const Status shared = CheckShared(settings); !shared.ok()) {
      return Complain(shared.error());
    }
  }
  const bool watched = !settings.reflector_listen_host.empty();
  auto application = Application::Open(
      settings,
      {.serve = watched ? Application::Serve::kProbes : Application::Serve::kNothing,
       .reflect = true},
      context.clock);
  if (!application.ok()) {
    return Complain(application.error());
  }
  (*application)->Start();
  Print("umbranet: reflecting, memory in " +
        (settings.NeedsDataFolder() ? settings.data_folder : std::string("its servers")) +
        (watched ? ", probes on http://" +
                       FormatAddress(settings.reflector_listen_host, (*application)->Port())
                 : "") +
        "\n");
  int code = kExitOk;
  while (!stop_signal.Wait(Millis{options.once ? 50 : 1'000})) {
    if (!options.once) {
      continue;
    }
    const auto nothing_left = (*application)->NothingLeftToReflect(context.Within(Millis{10'000}));
    if (!nothing_left.ok()) {
      code = Complain(nothing_left.error());
      break;
    }
    if (*nothing_left) {
      break;
    }
  }
  (*application)->Stop(context.Within(Millis{settings.stop_grace_ms}));
  return code;
}

int RunMigrate(const CommandContext& context) {
  const auto report = MigrateServers(context.settings(), context.clock);
  if (!report.ok()) {
    return Complain(report.error());
  }
  if (context.json) {
    PrintJson({{"report", *report}});
  } else {
    Print(*report);
  }
  return kExitOk;
}

}  // namespace umbranet
