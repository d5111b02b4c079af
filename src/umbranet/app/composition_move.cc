#include "umbranet/app/composition_move.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "umbranet/adapters/postgres/postgres_move_target.h"
#include "umbranet/adapters/sqlite/sqlite_move_source.h"
#include "umbranet/app/composition.h"
#include "umbranet/app/composition_backends.h"
#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/reflection/condition_variable_doorbell.h"

namespace umbranet {
namespace {

constexpr std::string_view kScheme = "sqlite://";
constexpr Millis kProbeBudget{5'000};

// The memory over a set of stores. Recall is not asked for.
class OpenedMemory {
 public:
  OpenedMemory(Backends& backends, const Clock& clock)
      : pool_({.name = "move"}),
        backends_(backends),
        memory_(clock, pool_,
                {*backends.journal, *backends.ledger, doorbell_, *backends.short_term,
                 *backends.episodic, *backends.semantic, *backends.procedural},
                {}) {}

  MoveView View() {
    return {memory_, *backends_.semantic, *backends_.procedural, *backends_.short_term};
  }

 private:
  BoundedWorkerPool pool_;
  ConditionVariableDoorbell doorbell_;
  Backends& backends_;
  MemoryManager memory_;
};

// A server that is away is in nobody's way at a start; a move needs all of them.
Result<Backends> OpenServers(const Settings& settings, const Clock& clock, StructuredLog& log) {
  UMBRANET_RETURN_IF_ERROR(CheckShared(settings));
  UMBRANET_ASSIGN_OR_RETURN(Backends backends, OpenStores(settings, clock, log));
  for (const DependencyProbe& probe : backends.probes) {
    UMBRANET_RETURN_IF_ERROR(probe.probe(Deadline::After(clock, kProbeBudget)));
  }
  return backends;
}

}  // namespace

Result<std::string> ParseSqliteUrl(std::string_view url) {
  if (!url.starts_with(kScheme) || url.size() == kScheme.size()) {
    return InvalidArgument(
        "migrate-data: --from is sqlite://PATH, with three slashes where the path begins at the"
        " root: sqlite:///var/lib/umbranet");
  }
  const std::filesystem::path path(url.substr(kScheme.size()));
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    Settings settings;
    settings.data_folder = path.string();
    return DatabasePath(settings);
  }
  return path.string();
}

Result<MoveReport> MoveData(const MoveRequest& request, const Settings& settings,
                            const Clock& clock) {
  StructuredLog log(clock, {.level = LogLevel::kError, .format = settings.log_format});
  UMBRANET_ASSIGN_OR_RETURN(Backends source, OpenFileToRead(request.file, settings, clock));
  UMBRANET_ASSIGN_OR_RETURN(Backends target, OpenServers(settings, clock, log));
  OpenedMemory from(source, clock);
  OpenedMemory to(target, clock);
  SqliteMoveSource rows(*source.database);
  PostgresMoveTarget sink(*target.postgres, clock);
  return RunDataMove({.source = rows,
                      .target = sink,
                      .knowledge = *target.knowledge,
                      .short_term = *target.short_term,
                      .from = from.View(),
                      .to = to.View(),
                      .clock = clock,
                      .page = request.page,
                      .progress = request.progress});
}

}  // namespace umbranet
