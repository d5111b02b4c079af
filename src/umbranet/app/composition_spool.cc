#include "umbranet/app/composition_spool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace umbranet {
namespace {

constexpr Millis kOrphansEvery = std::chrono::seconds(30);
constexpr Millis kStepBudget = std::chrono::seconds(10);
constexpr Millis kGaugeBudget{500};

std::string SpoolFolder(const Settings& settings) {
  return settings.data_folder;
}

SqliteTurnSpool::Options SpoolOptions(const Settings& settings) {
  SqliteTurnSpool::Options options;
  options.bytes_max = std::uint64_t{settings.spool_mib_max} << 20U;
  options.reserve_bytes = std::uint64_t{settings.disk_reserve_mib} << 20U;
  return options;
}

SpoolingJournal::Options JournalOptions(const Settings& settings) {
  return {.patience = Millis{settings.spool_patience_ms}};
}

Result<SpoolFile> WithBook(std::unique_ptr<SqliteTurnSpool> spool) {
  SpoolFile file{std::move(spool), std::make_unique<SpoolBook>()};
  UMBRANET_ASSIGN_OR_RETURN(const auto waiting, file.spool->WaitingByUser(Deadline::Never()));
  for (const auto& [user, turns] : waiting) {
    file.book->Add(user, turns);
  }
  return file;
}

std::string HolderOf(const std::string& path) {
  const auto holder = DataFolderLock::FindHolder(SqliteDatabase::LockPath(path));
  if (!holder) {
    return {};
  }
  return "process " + std::to_string(holder->pid) +
         (holder->address.empty() ? "" : ", serving at " + holder->address);
}

// Steps until nothing waits. An error: what is left stays where it is.
Status ForwardUntilEmpty(SpoolForwarder& forwarder, const SpoolBook& book, const Clock& clock,
                         const std::stop_token& stop, Deadline deadline, ForwardReport& total) {
  while (book.Waiting() > 0 && !stop.stop_requested()) {
    UMBRANET_ASSIGN_OR_RETURN(const SpoolForwarder::Report report,
                              forwarder.Step(deadline.Within(clock, kStepBudget)));
    total.forwarded += report.forwarded;
    total.forgotten += report.forgotten;
    total.refused += report.refused;
    if (report.stopped_by) {
      return *report.stopped_by;
    }
  }
  return {};
}

// One that no other process holds.
Result<SpoolFile> OpenFreeFile(const Settings& settings, const Clock& clock) {
  UMBRANET_ASSIGN_OR_RETURN(auto spool, SqliteTurnSpool::OpenFirstFree(clock, SpoolFolder(settings),
                                                                       SpoolOptions(settings)));
  return WithBook(std::move(spool));
}

void ShowSpool(Metrics& metrics, const Clock& clock, TurnSpool& spool) {
  const auto stats = spool.Stats(Deadline::After(clock, kGaugeBudget));
  if (!stats.ok()) {
    return;
  }
  metrics.reflection_spool_jobs.Set(static_cast<double>(stats->waiting));
  metrics.reflection_spool_bytes.Set(static_cast<double>(stats->bytes));
  const double age_s =
      stats->oldest_at ? std::chrono::duration<double>(clock.Now() - *stats->oldest_at).count() : 0;
  metrics.reflection_spool_oldest_age_seconds.Set(std::max(0.0, age_s));
}

}  // namespace

Result<SpoolFile> OpenSpoolFile(const std::string& path, const Settings& settings,
                                const Clock& clock) {
  UMBRANET_ASSIGN_OR_RETURN(auto spool, SqliteTurnSpool::Open(clock, path, SpoolOptions(settings)));
  return WithBook(std::move(spool));
}

std::unique_ptr<ServingSpool> ServingSpool::Open(const Needs& needs) {
  if (!needs.settings.HasSpool()) {
    return nullptr;
  }
  // Turns are stamped with the time at which they came to it, by which it is decided whether they
  // are older than the forgetting of their user.
  Result<SpoolFile> file = OpenFreeFile(needs.settings, *needs.backends.ledger_clock);
  if (!file.ok()) {
    needs.backends.remarks.push_back(
        "there is no spool, so turns are refused while PostgreSQL is"
        " away: " +
        file.error().message);
    return nullptr;
  }
  return std::unique_ptr<ServingSpool>(new ServingSpool(needs, std::move(file).value()));
}

ServingSpool::ServingSpool(const Needs& needs, SpoolFile file)
    : needs_(needs),
      file_(std::move(file)),
      journal_(needs.clock, *needs.backends.journal, *file_.spool, *file_.book,
               JournalOptions(needs.settings)),
      forwarder_(needs.clock, *needs.backends.journal, *file_.spool, *file_.book, &needs.doorbell,
                 needs.metrics, needs.log, {}),
      gauges_(needs.metrics.AddScrapeHook(
          [this] { ShowSpool(needs_.metrics, needs_.clock, *file_.spool); })) {}

ServingSpool::~ServingSpool() {
  Stop();
}

void ServingSpool::Start() {
  forwarder_.Start();
  if (!orphans_.joinable()) {
    orphans_ = std::jthread([this](const std::stop_token& stop) { ForwardOrphans(stop); });
  }
}

void ServingSpool::Stop() {
  orphans_ = std::jthread();  // Asks it to stop, and waits.
  forwarder_.Stop();
}

void ServingSpool::ForwardOrphans(const std::stop_token& stop) {
  Mutex mutex;
  ConditionVariable wake;
  while (!stop.stop_requested()) {
    for (const std::string& path : SqliteTurnSpool::ListFiles(SpoolFolder(needs_.settings))) {
      if (path == file_.spool->path() || !HolderOf(path).empty() || stop.stop_requested()) {
        continue;
      }
      auto file = OpenSpoolFile(path, needs_.settings, needs_.clock);
      if (!file.ok() || file->book->Waiting() == 0) {
        continue;
      }
      SpoolForwarder forwarder(needs_.clock, *needs_.backends.journal, *file->spool, *file->book,
                               &needs_.doorbell, needs_.metrics, needs_.log, {});
      ForwardReport report;
      const Status done =
          ForwardUntilEmpty(forwarder, *file->book, needs_.clock, stop, Deadline::Never(), report);
      needs_.log.Info("orphan_spool_forwarded", {{"file", path},
                                                 {"forwarded", report.forwarded},
                                                 {"left", file->book->Waiting()},
                                                 {"empty", done.ok()}});
    }
    const SteadyTime next = SystemClock{}.SteadyNow() + kOrphansEvery;
    const MutexLock lock(mutex);
    wake.WaitUntil(mutex, stop, next);
  }
}

double ServingSpool::Share() const {
  const auto stats = file_.spool->Stats(Deadline::After(needs_.clock, kGaugeBudget));
  const double bytes_max = static_cast<double>(SpoolOptions(needs_.settings).bytes_max);
  return stats.ok() ? static_cast<double>(stats->bytes) / bytes_max : 1;
}

bool ServingSpool::HasRoom() const {
  return file_.spool->Probe(Deadline::After(needs_.clock, kGaugeBudget)).ok();
}

std::vector<DependencyProbe> ServingSpool::Probes() {
  return {{"spool", false,
           [this](Deadline) -> Status {
             if (forwarder_.DrainedSinceStart() && file_.book->Waiting() == 0) {
               return {};
             }
             return Unavailable("spool: " + std::to_string(file_.book->Waiting()) +
                                " turns wait to be forwarded");
           }},
          // What this server cannot do without: somewhere to put a turn.
          {"turn_storage", true, [this](Deadline deadline) -> Status {
             return file_.book->JournalAway() ? file_.spool->Probe(deadline) : Status();
           }}};
}

Result<std::vector<SpoolFileReport>> ReadSpools(const Settings& settings, const Clock& clock,
                                                Deadline deadline) {
  std::vector<SpoolFileReport> reports;
  for (const std::string& path : SqliteTurnSpool::ListFiles(SpoolFolder(settings))) {
    SpoolFileReport report{path, HolderOf(path), std::nullopt};
    if (report.held_by.empty()) {
      SqliteTurnSpool::Options options;
      options.read_only = true;
      UMBRANET_ASSIGN_OR_RETURN(const auto spool, SqliteTurnSpool::Open(clock, path, options));
      UMBRANET_ASSIGN_OR_RETURN(report.stats, spool->Stats(deadline));
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

Result<ForwardReport> ForwardSpools(const std::string& file, const Settings& settings,
                                    const Clock& clock, Deadline deadline) {
  if (settings.postgres_url.empty()) {
    return FailedPrecondition("spool: POSTGRES_URL says where to forward to, and is not set");
  }
  StructuredLog log(clock, {.level = LogLevel::kError, .format = settings.log_format});
  Metrics metrics({.version = "", .commit = ""});
  UMBRANET_ASSIGN_OR_RETURN(const Backends backends, OpenJournalAlone(settings, clock));
  ForwardReport report;
  const std::vector<std::string> files =
      file.empty() ? SqliteTurnSpool::ListFiles(SpoolFolder(settings)) : std::vector{file};
  for (const std::string& path : files) {
    if (file.empty() && !HolderOf(path).empty()) {
      ++report.left;
      continue;
    }
    UMBRANET_ASSIGN_OR_RETURN(SpoolFile opened, OpenSpoolFile(path, settings, clock));
    UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t retried, opened.spool->RetryRefused(deadline));
    if (retried > 0) {
      UMBRANET_ASSIGN_OR_RETURN(opened, WithBook(std::move(opened.spool)));
    }
    SpoolForwarder forwarder(clock, *backends.journal, *opened.spool, *opened.book, nullptr,
                             metrics, log, {});
    UMBRANET_RETURN_IF_ERROR(
        ForwardUntilEmpty(forwarder, *opened.book, clock, {}, deadline, report));
  }
  return report;
}

}  // namespace umbranet
