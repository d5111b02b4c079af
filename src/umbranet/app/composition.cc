#include "umbranet/app/composition.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/adapters/local_embedder/local_embedder.h"
#include "umbranet/adapters/openai/openai_embedder.h"
#include "umbranet/adapters/openai/openai_language_model.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/app/build_version.h"
#include "umbranet/app/composition_backends.h"
#include "umbranet/app/composition_consolidation.h"
#include "umbranet/app/composition_extraction.h"
#include "umbranet/app/composition_forgetting.h"
#include "umbranet/app/composition_gauges.h"
#include "umbranet/app/composition_options.h"
#include "umbranet/app/composition_rebuild.h"
#include "umbranet/app/composition_shadow.h"
#include "umbranet/app/composition_spool.h"
#include "umbranet/governor/governor.h"
#include "umbranet/http/api.h"
#include "umbranet/http/server.h"
#include "umbranet/memory/caching_embedder.h"
#include "umbranet/memory/forgetting_watch.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/reflection_modes.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/episode_embedder.h"
#include "umbranet/reflection/ledger_audit.h"
#include "umbranet/reflection/memory_reflector.h"
#include "umbranet/reflection/reflection_gauges.h"
#include "umbranet/reflection/reflection_queue.h"
#include "umbranet/reflection/session_summarizer.h"
#include "umbranet/reflection/switched_doorbell.h"
#include "umbranet/reflection/usage_bookkeeper.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {
namespace {

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Status CheckExposure(const Settings& settings) {
  if (settings.api_keys.empty() && !IsLoopback(settings.listen_host)) {
    return FailedPrecondition("serve: without API keys only a loopback address is served, and " +
                              settings.listen_host +
                              " is none; set UMBRANET_API_KEYS or listen on 127.0.0.1");
  }
  return {};
}

}  // namespace

std::string DatabasePath(const Settings& settings) {
  return (std::filesystem::path(settings.data_folder) / "umbranet.db").string();
}

std::optional<FolderHolder> FindFolderHolder(const Settings& settings) {
  auto holder = DataFolderLock::FindHolder(SqliteDatabase::LockPath(DatabasePath(settings)));
  if (!holder) {
    return std::nullopt;
  }
  return FolderHolder{holder->pid, std::move(holder->address)};
}

Status CheckStoredMemory(const Settings& settings, const Clock& clock, Deadline deadline) {
  SqliteDatabase::Options options;
  options.path = DatabasePath(settings);
  UMBRANET_ASSIGN_OR_RETURN(const auto database, SqliteDatabase::Open(clock, options));
  return database->CheckIntegrity(deadline);
}

Result<std::unique_ptr<LanguageModel>> OpenLanguageModel(const Settings& settings,
                                                         const Clock& clock) {
  if (!settings.HasModel()) {
    return std::unique_ptr<LanguageModel>();
  }
  OpenAiLanguageModel::Options options;
  options.base_url = settings.openai_base_url;
  options.api_key = settings.openai_api_key;
  options.model = settings.openai_model;
  options.connections_max = settings.max_in_flight;
  UMBRANET_ASSIGN_OR_RETURN(auto model, OpenAiLanguageModel::Open(std::move(options), clock));
  return std::unique_ptr<LanguageModel>(std::move(model));
}

Result<std::unique_ptr<Embedder>> OpenEmbedder(const Settings& settings, const Clock& clock,
                                               AnswersUnderWay* answers) {
  if (settings.embedder == EmbedderChoice::kOff) {
    return std::unique_ptr<Embedder>();
  }
  if (settings.HasEmbeddingEndpoint()) {
    OpenAiEmbedder::Options options;
    options.base_url = settings.embedding_base_url;
    options.api_key = settings.embedding_api_key;
    options.model = settings.embedding_model;
    UMBRANET_ASSIGN_OR_RETURN(auto embedder, OpenAiEmbedder::Open(std::move(options), clock));
    return std::unique_ptr<Embedder>(std::move(embedder));
  }
  LocalEmbedder::Options options;
  options.folder = settings.embedding_model_folder.empty() ? DefaultModelFolder()
                                                           : settings.embedding_model_folder;
  options.threads = settings.embedding_threads;
  options.answers = answers;
  if (options.folder.empty()) {
    return NotFound("embedder: no model is beside the program");
  }
  UMBRANET_ASSIGN_OR_RETURN(auto embedder, LocalEmbedder::Open(std::move(options)));
  return std::unique_ptr<Embedder>(std::move(embedder));
}

// Each may be null.
struct OpenedModels {
  std::unique_ptr<LanguageModel> chat;
  std::unique_ptr<LanguageModel> reflection;
};

// What Application was given to embed with, and why that is nothing.
struct OpenedEmbedder {
  std::unique_ptr<AnswersUnderWay> answers;  // What the embedder gives way to; never null.
  std::unique_ptr<Embedder> embedder;
  std::string missing_because;
};

namespace {

constexpr Millis kLookBudget{1'000};

// A model that is not there leaves recall by words, which is no reason not to start.
Result<OpenedEmbedder> OpenEmbedderIfThere(const Settings& settings, const Clock& clock) {
  auto answers = std::make_unique<AnswersUnderWay>();
  Result<std::unique_ptr<Embedder>> embedder = OpenEmbedder(settings, clock, answers.get());
  if (!embedder.ok() && embedder.error().code != ErrorCode::kNotFound) {
    return std::move(embedder).error();
  }
  if (!embedder.ok()) {
    return OpenedEmbedder{std::move(answers), nullptr, std::move(embedder).error().message};
  }
  return OpenedEmbedder{std::move(answers), std::move(embedder).value(), ""};
}

}  // namespace

// Members in the order in which they lean on one another; they end in the opposite one.
struct Application::Parts {
  Parts(const Settings& with, const Options& which, const Clock& the_clock,
        std::unique_ptr<StructuredLog> the_log, Backends the_backends, OpenedModels the_models,
        OpenedEmbedder opened_embedder, std::string system_prompt)
      : settings(with),
        options(which),
        clock(the_clock),
        owned_log(std::move(the_log)),
        log(*owned_log),
        metrics({.version = std::string(kVersion), .commit = std::string(kCommit)}),
        backends(std::move(the_backends)),
        model(std::move(the_models.chat)),
        reflection_model(std::move(the_models.reflection)),
        opened(std::move(opened_embedder)),
        embedder(opened.embedder == nullptr ? nullptr
                                            : std::make_unique<CachingEmbedder>(
                                                  *opened.embedder, CachingEmbedder::Options{})),
        modes(ModesOf(with)),
        doorbell(*backends.doorbell, [this] { return modes.Get().queue; }),
        spool(which.serve == Serve::kApi
                  ? ServingSpool::Open({settings, clock, backends, doorbell, metrics, log})
                  : nullptr),
        journal(spool != nullptr ? spool->journal() : *backends.journal),
        ledger(*backends.ledger),
        short_term(*backends.short_term),
        episodic(*backends.episodic),
        semantic(*backends.semantic),
        procedural(*backends.procedural),
        recall_pool({.name = "recall", .threads_max = 16, .queue_max = 16'384}),
        memory(clock, recall_pool,
               {journal, ledger, doorbell, short_term, episodic, semantic, procedural,
                spool != nullptr ? &spool->spool() : nullptr, backends.consolidation.get()},
               WithCaches(MemoryOptions(with, metrics, modes, embedder.get(), opened.answers.get(),
                                        backends.database.get()))),
        usage(clock, UsageOptions(with)),
        bookkeeper(clock, usage, *backends.usage_book, log, {}),
        chat_model(CountCalls(clock, model.get(), usage, metrics)),
        governor(clock, memory, chat_model.get(),
                 GovernorOptions(with, std::move(system_prompt), metrics, opened.answers.get(),
                                 modes, *backends.ledger_clock, InlineReflection())),
        extraction(with, clock, reflection_model.get(), usage, metrics, log),
        rebuilding(with, clock, backends, extraction.extractor(), usage, metrics, log),
        shadow(ShadowPath::Open(
            with, clock, *backends.shadow, extraction.record(),
            reflection_model == nullptr ? std::string() : std::string(reflection_model->Name()),
            metrics, log)),
        queue(clock, ledger, doorbell, QueueOptions()),
        // Not through the cache: what was said is embedded once.
        episode_embedder(opened.embedder == nullptr
                             ? nullptr
                             : std::make_unique<EpisodeEmbedder>(clock, *opened.embedder, episodic,
                                                                 metrics, log,
                                                                 EpisodeEmbedder::Options())),
        // What is reflected is in the ledger, so its turn is in the journal beside that.
        processor(clock,
                  {*backends.journal, ledger, episodic, semantic, procedural,
                   episode_embedder.get(), shadow == nullptr ? nullptr : &shadow->runner()},
                  extraction.extractor(), metrics, log, BatchOptions(with)),
        summarizer(*backends.journal, short_term, metrics, log, SummaryOptions(with),
                   extraction.summary()),
        reflector(clock, queue, processor, summarizer, metrics, log, ReflectorOptions(with)),
        consolidator(OpenConsolidator(with, {clock, extraction.model(), *backends.consolidation,
                                             ledger, SpooledTurns(), usage, log})),
        audit(clock, *backends.records, metrics, log, {}),
        backpressure(clock, ledger, [this] { return LoadBesidesLedger(); }),
        waiting_cap(journal, CapOptions(with, backpressure)),
        forgetting_watch(clock, *backends.forgettings, *backends.ledger_clock,
                         HeldInMemory(backends, memory, [this] { DropUnnamed(); }),
                         WatchOptions(with)),
        authenticator(with.api_keys),
        gauges(WatchLedger(metrics, clock, ledger, doorbell)),
        level_gauge(WatchLevel(metrics, backpressure)),
        servers_gauges(WatchServers(metrics, backends)) {
    modes.Tell([this](const ReflectionModes& now, std::string_view by) {
      log.Info("modes_changed", {{"by", by},
                                 {"memory_fast_mode", now.fast},
                                 {"reflection_queue_enabled", now.queue},
                                 {"fast_mode_percent", std::uint64_t{now.fast_percent}}});
      RunWorkersAsWanted();
    });
  }

  // Called when everything is there.
  MemoryManager::Options WithCaches(MemoryManager::Options memory_options) {
    memory_options.ledger_clock = backends.ledger_clock.get();
    memory_options.drop_caches = [this] {
      const CachesDropped dropped = DropUnnamed();
      // So that what is asked from now on counts as later. What fails is made up for in a moment.
      [[maybe_unused]] const Status looked =
          forgetting_watch.Look(Deadline::After(clock, kLookBudget));
      return dropped;
    };
    return memory_options;
  }

  // The caches that know a text but not whose it is.
  CachesDropped DropUnnamed() {
    return {.questions = embedder == nullptr ? 0 : embedder->Clear(),
            .model_answers = extraction.DropAnswers() + rebuilding.DropAnswers()};
  }

  ReflectInline InlineReflection() {
    return [this](std::string_view tenant, const std::vector<std::string>& job_ids,
                  Deadline deadline) {
      return modes.Get().queue ? reflector.AwaitReflected(tenant, job_ids, deadline)
                               : reflector.ReflectInline(tenant, job_ids, deadline);
    };
  }

  // Empty: there is no spool.
  std::function<std::uint64_t()> SpooledTurns() {
    return spool == nullptr ? std::function<std::uint64_t()>()
                            : [this] { return spool->Waiting(); };
  }

  // How much room there is for further turns: with the database's disk, or with the spool's.
  [[nodiscard]] bool RoomIsLeft() const {
    return spool != nullptr
               ? spool->HasRoom()
               : backends.database == nullptr || backends.database->CheckReserve().ok();
  }

  [[nodiscard]] QueueLoad LoadBesidesLedger() const {
    return {.ledger = {},
            .workers = WantsWorkers() ? settings.reflector_workers : 0,
            .spool_share = spool != nullptr ? spool->Share() : 0,
            .room_is_left = RoomIsLeft()};
  }

  // Without the queue this process has workers whatever its role is.
  [[nodiscard]] bool WantsWorkers() const { return options.reflect || !modes.Get().queue; }

  void RunWorkersAsWanted() {
    const MutexLock lock(workers_mutex);
    const bool wanted = started && WantsWorkers();
    if (wanted == workers_run) {
      return;
    }
    workers_run = wanted;
    if (wanted) {
      queue.Start();
      reflector.Start();
      if (episode_embedder != nullptr) {
        episode_embedder->Start();
      }
      if (consolidator != nullptr) {
        consolidator->Start();
      }
      return;
    }
    if (consolidator != nullptr) {
      consolidator->Stop();
    }
    reflector.Stop();
    if (episode_embedder != nullptr) {
      episode_embedder->Stop();
    }
    queue.Stop();
  }

  ReflectionQueue::Options QueueOptions() {
    ReflectionQueue::Options queue_options;
    queue_options.on_sweep = [this](const SweepReport& report) { CountSweep(metrics, report); };
    AllowForModel(settings, queue_options);
    return queue_options;
  }

  const Settings settings;
  const Options options;
  const Clock& clock;
  const std::unique_ptr<StructuredLog> owned_log;
  StructuredLog& log;
  Metrics metrics;
  Backends backends;
  std::unique_ptr<LanguageModel> model;             // Null: replies are quotations.
  std::unique_ptr<LanguageModel> reflection_model;  // Null: the rules reflect.
  OpenedEmbedder opened;
  std::unique_ptr<CachingEmbedder> embedder;  // Null: recall goes by words alone.
  ModeSwitch modes;
  SwitchedDoorbell doorbell;
  const std::unique_ptr<ServingSpool> spool;  // Null: turns are refused while PostgreSQL is away.
  Journal& journal;
  JobLedger& ledger;
  ShortTermMemory& short_term;
  EpisodicMemory& episodic;
  SemanticMemory& semantic;
  ProceduralMemory& procedural;
  BoundedWorkerPool recall_pool;
  MemoryManager memory;
  ModelUsage usage;
  UsageBookkeeper bookkeeper;                 // Started where a model may be asked.
  std::unique_ptr<LanguageModel> chat_model;  // `model` with its calls counted; null where it is.
  Governor governor;
  Extraction extraction;
  Rebuilding rebuilding;
  const std::unique_ptr<ShadowPath> shadow;  // Null: no other path is tried.
  ReflectionQueue queue;
  std::unique_ptr<EpisodeEmbedder> episode_embedder;  // Null without an embedder.
  BatchProcessor processor;
  SessionSummarizer summarizer;
  MemoryReflector reflector;
  const std::unique_ptr<EpisodeConsolidator> consolidator;  // Null: no episodes are summed up.
  LedgerAudit audit;
  BackpressureWatch backpressure;
  WaitingCap waiting_cap;
  ForgettingWatch forgetting_watch;
  Authenticator authenticator;
  Metrics::ScrapeHook gauges;
  Metrics::ScrapeHook level_gauge;
  Metrics::ScrapeHook servers_gauges;
  std::unique_ptr<HttpServer> server;
  Metrics::ScrapeHook server_gauges;
  std::atomic<bool> started = false;
  Mutex workers_mutex;
  bool workers_run GUARDED_BY(workers_mutex) = false;
};

namespace {

std::vector<DependencyProbe> Probes(const Backends& backends, ServingSpool* spool,
                                    LanguageModel* model) {
  std::vector<DependencyProbe> probes = backends.probes;
  if (spool != nullptr) {
    // With somewhere to put turns meanwhile, none of the servers is one it cannot do without.
    for (DependencyProbe& probe : probes) {
      probe.required = false;
    }
    for (DependencyProbe& probe : spool->Probes()) {
      probes.push_back(std::move(probe));
    }
  }
  if (model != nullptr) {
    probes.push_back(
        {"model", false, [model](Deadline deadline) { return model->Probe(deadline); }});
  }
  return probes;
}

}  // namespace

Status CheckShared(const Settings& settings) {
  if (settings.postgres_url.empty()) {
    return FailedPrecondition(
        "this keeps its memory in one file, which one process holds; set POSTGRES_URL and NEO4J_URL"
        " to run API and reflectors apart, or run umbranet serve alone");
  }
  if (settings.neo4j_url.empty()) {
    return FailedPrecondition(
        "without NEO4J_URL the knowledge graph is in this process's own file, where no other could"
        " reach it; set NEO4J_URL, or run umbranet serve alone with --role all");
  }
  return {};
}

Result<std::unique_ptr<Application>> Application::Open(const Settings& settings, Options options,
                                                       const Clock& clock) {
  if (options.serve == Serve::kApi) {
    UMBRANET_RETURN_IF_ERROR(CheckExposure(settings));
  }
  UMBRANET_ASSIGN_OR_RETURN(std::string system_prompt, ReadSystemPrompt(settings));
  OpenedModels models;
  UMBRANET_ASSIGN_OR_RETURN(models.chat, OpenLanguageModel(settings, clock));
  UMBRANET_ASSIGN_OR_RETURN(models.reflection, OpenReflectionModel(settings, clock));
  UMBRANET_ASSIGN_OR_RETURN(OpenedEmbedder embedder, OpenEmbedderIfThere(settings, clock));
  auto log = std::make_unique<StructuredLog>(
      clock, StructuredLog::Options{.level = settings.log_level, .format = settings.log_format});
  UMBRANET_ASSIGN_OR_RETURN(Backends backends,
                            OpenBackends(settings, options.reflect, clock, *log));
  auto parts =
      std::make_unique<Parts>(settings, options, clock, std::move(log), std::move(backends),
                              std::move(models), std::move(embedder), std::move(system_prompt));
  if (options.serve != Serve::kNothing) {
    UMBRANET_RETURN_IF_ERROR(OpenServer(*parts));
  }
  return std::unique_ptr<Application>(new Application(std::move(parts)));
}

Status Application::OpenServer(Parts& parts) {
  const Settings& settings = parts.settings;
  const bool probes = parts.options.serve == Serve::kProbes;
  HttpServer::Options options;
  options.host = probes ? settings.reflector_listen_host : settings.listen_host;
  options.port = probes ? settings.reflector_listen_port : settings.listen_port;
  options.connections_max = settings.max_connections;
  options.in_flight_max = settings.max_in_flight;
  options.observe = ObserveInto(parts.metrics);
  ApiDependencies dependencies{
      .clock = parts.clock,
      .memory = parts.memory,
      .governor = parts.governor,
      .journal = parts.journal,
      .ledger = parts.ledger,
      .authenticator = parts.authenticator,
      .metrics = parts.metrics,
      .log = parts.log,
      .probes = Probes(parts.backends, parts.spool.get(), parts.model.get()),
      .consumers = {},
      .spooled = {}};
  dependencies.modes = &parts.modes;
  dependencies.room_is_left = [&parts] { return parts.RoomIsLeft(); };
  dependencies.waiting_cap = &parts.waiting_cap;
  dependencies.shadow = parts.backends.shadow.get();
  dependencies.shadow_candidate = ShadowCandidate(settings);
  dependencies.records = parts.backends.records.get();
  dependencies.consolidation = parts.backends.consolidation.get();
  dependencies.audit = &parts.audit;
  if (parts.spool != nullptr) {
    dependencies.spooled = parts.SpooledTurns();
    dependencies.spool_share = [&parts] { return parts.spool->Share(); };
    dependencies.find_spooled = [&parts](std::string_view tenant, std::string_view job_id,
                                         Deadline deadline) {
      return parts.spool->spool().Find(tenant, job_id, deadline);
    };
  }
  dependencies.reflect_inline = parts.InlineReflection();
  dependencies.consumers = [&parts] {
    return parts.WantsWorkers() ? std::uint64_t{parts.settings.reflector_workers}
                                : std::uint64_t{0};
  };
  dependencies.usage = &parts.usage;
  dependencies.ledger_clock = parts.backends.ledger_clock.get();
  dependencies.rebuild = parts.rebuilding.rebuild();
  dependencies.rebuild_extractor = [&parts](bool rules, std::string_view model) {
    return parts.rebuilding.OpenExtractor(rules, model);
  };
  dependencies.chat_budget = Millis{settings.turn_timeout_ms};
  Router router = probes ? BuildProbes(std::move(dependencies)) : BuildApi(std::move(dependencies));
  UMBRANET_ASSIGN_OR_RETURN(parts.server,
                            HttpServer::Open(std::move(options), parts.clock, std::move(router)));
  parts.server_gauges = parts.metrics.AddScrapeHook([&parts] {
    parts.metrics.http_connections.Set(static_cast<double>(parts.server->Connections()));
    parts.metrics.http_in_flight.Set(static_cast<double>(parts.server->InFlight()));
  });
  if (!probes && parts.backends.database != nullptr) {
    parts.backends.database->Announce(FormatAddress(settings.listen_host, parts.server->Port()));
  }
  return {};
}

Application::Application(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Application::~Application() {
  Stop(Deadline::After(parts_->clock, Millis{0}));
}

void Application::Start() {
  if (parts_->started.exchange(true)) {
    return;
  }
  parts_->forgetting_watch.Start();
  if (parts_->model != nullptr || parts_->reflection_model != nullptr) {
    parts_->bookkeeper.Start();
  }
  parts_->RunWorkersAsWanted();
  parts_->audit.Start();
  if (parts_->spool != nullptr) {
    parts_->spool->Start();
  }
  if (parts_->server != nullptr) {
    parts_->server->Start();
  }
  parts_->log.Info("started", {{"version", kVersion},
                               {"commit", kCommit},
                               {"port", std::uint64_t{Port()}},
                               {"workers", std::uint64_t{parts_->settings.reflector_workers}},
                               {"model", parts_->settings.HasModel()},
                               {"extractor", parts_->extraction.extractor().Name()},
                               {"embedder", parts_->embedder == nullptr
                                                ? std::string_view("none")
                                                : std::string_view(parts_->embedder->space())}});
  for (const std::string& remark : parts_->backends.remarks) {
    parts_->log.Warning("server_not_ready", {{"reason", remark}});
  }
  if (!parts_->opened.missing_because.empty()) {
    parts_->log.Warning("embedder_missing", {{"reason", parts_->opened.missing_because}});
  }
}

bool Application::Stop(Deadline deadline) {
  if (!parts_->started.exchange(false)) {
    return true;
  }
  // First nobody new comes in and those inside are answered; then what is being reflected settles.
  const bool drained = parts_->server == nullptr || parts_->server->Stop(deadline);
  if (parts_->spool != nullptr) {
    parts_->spool->Stop();
  }
  if (parts_->backends.rabbitmq != nullptr) {
    parts_->backends.rabbitmq->StopConsuming();
  }
  // Nobody waits for a model any more; batches that did are given back.
  parts_->extraction.Stop();
  parts_->rebuilding.Stop();
  parts_->audit.Stop();
  parts_->RunWorkersAsWanted();
  parts_->forgetting_watch.Stop();
  parts_->bookkeeper.Stop();
  if (parts_->backends.rabbitmq != nullptr) {
    parts_->backends.rabbitmq->Stop();
  }
  parts_->log.Info("stopped", {{"drained", drained}});
  return drained;
}

void Application::SetModes(const Settings& settings, std::string_view by) {
  parts_->modes.Set(ModesOf(settings), by);
}

std::uint16_t Application::Port() const {
  return parts_->server == nullptr ? std::uint16_t{0} : parts_->server->Port();
}

Result<bool> Application::NothingLeftToReflect(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const LedgerStats stats, parts_->ledger.Stats(deadline));
  return stats.ready_high + stats.ready_normal + stats.ready_low + stats.leased +
             stats.retry_wait ==
         0;
}

}  // namespace umbranet
