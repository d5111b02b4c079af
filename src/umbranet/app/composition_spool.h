// The spool of a serving process put together: where accepted turns wait while PostgreSQL is away,
// and who forwards them. Part of the composition.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_turn_spool.h"
#include "umbranet/app/composition_backends.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/http/api.h"
#include "umbranet/memory/spool_book.h"
#include "umbranet/memory/spool_forwarder.h"
#include "umbranet/memory/spooling_journal.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// One file that turns wait in. Members in the order in which they lean on one another.
struct SpoolFile {
  std::unique_ptr<SqliteTurnSpool> spool;
  std::unique_ptr<SpoolBook> book;
};

Result<SpoolFile> OpenSpoolFile(const std::string& path, const Settings& settings,
                                const Clock& clock);

// The spool of this process, and what other processes left in theirs when they died. Start and Stop
// are for one thread, the rest for any.
class ServingSpool {
 public:
  struct Needs {
    const Settings& settings;
    const Clock& clock;
    Backends& backends;
    Doorbell& doorbell;
    Metrics& metrics;
    StructuredLog& log;
  };

  // Null, with a remark in the backends, when the data folder cannot hold a spool: the server then
  // works without.
  static std::unique_ptr<ServingSpool> Open(const Needs& needs);
  ~ServingSpool();
  ServingSpool(const ServingSpool&) = delete;
  ServingSpool& operator=(const ServingSpool&) = delete;

  void Start();
  void Stop();

  // The one that turns are accepted by.
  [[nodiscard]] Journal& journal() { return journal_; }

  [[nodiscard]] TurnSpool& spool() { return *file_.spool; }

  [[nodiscard]] std::uint64_t Waiting() const { return file_.book->Waiting(); }

  // Of what it may hold, 0 to 1.
  [[nodiscard]] double Share() const;
  // For a further turn.
  [[nodiscard]] bool HasRoom() const;

  // What readyz asks of it.
  std::vector<DependencyProbe> Probes();

 private:
  ServingSpool(const Needs& needs, SpoolFile file);

  void ForwardOrphans(const std::stop_token& stop);

  const Needs needs_;
  SpoolFile file_;
  SpoolingJournal journal_;
  SpoolForwarder forwarder_;
  Metrics::ScrapeHook gauges_;
  std::jthread orphans_;
};

// What `umbranet spool` shows of one file.
struct SpoolFileReport {
  std::string path;
  std::string held_by;              // "process 17, serving at 127.0.0.1:8080"; empty: nobody.
  std::optional<SpoolStats> stats;  // Nothing while it is held.
};

Result<std::vector<SpoolFileReport>> ReadSpools(const Settings& settings, const Clock& clock,
                                                Deadline deadline);

struct ForwardReport {
  std::uint64_t forwarded = 0;
  std::uint64_t forgotten = 0;
  std::uint64_t refused = 0;
  std::uint64_t left = 0;  // In files that are held by others.
};

// Forwards what waits in `file`, or in every spool of the data folder that nobody holds when it is
// empty, to the server that the settings name, until nothing waits. What was refused is tried once
// more.
Result<ForwardReport> ForwardSpools(const std::string& file, const Settings& settings,
                                    const Clock& clock, Deadline deadline);

}  // namespace umbranet
