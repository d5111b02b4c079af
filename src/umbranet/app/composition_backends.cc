#include "umbranet/app/composition_backends.h"

#include <chrono>
#include <functional>
#include <set>
#include <utility>

#include "umbranet/adapters/neo4j/neo4j_generations.h"
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"
#include "umbranet/adapters/postgres/known_jobs.h"
#include "umbranet/adapters/postgres/postgres_episode_consolidation.h"
#include "umbranet/adapters/postgres/postgres_episodic_memory.h"
#include "umbranet/adapters/postgres/postgres_forgetting_record.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/adapters/postgres/postgres_ledger_records.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/postgres/postgres_model_usage_book.h"
#include "umbranet/adapters/postgres/postgres_move_target.h"
#include "umbranet/adapters/postgres/postgres_procedural_memory.h"
#include "umbranet/adapters/postgres/postgres_shadow_records.h"
#include "umbranet/adapters/postgres/postgres_short_term_memory.h"
#include "umbranet/adapters/redis/redis_client.h"
#include "umbranet/adapters/redis/redis_short_term_memory.h"
#include "umbranet/adapters/sqlite/sqlite_episode_consolidation.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_forgetting_record.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_ledger_records.h"
#include "umbranet/adapters/sqlite/sqlite_model_usage_book.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_shadow_records.h"
#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"
#include "umbranet/app/composition.h"
#include "umbranet/reflection/condition_variable_doorbell.h"

namespace umbranet {
namespace {

// How long a start waits for one server before it goes on without.
constexpr Millis kStartBudget{3'000};
constexpr Millis kMigrationBudget = std::chrono::minutes(10);

RetryPolicy RetriesOf(const Settings& settings) {
  RetryPolicy retry;
  retry.attempts_max = settings.reflector_max_retries + 1;
  retry.first_delay = std::chrono::seconds(settings.reflector_retry_delay_s);
  return retry;
}

// Whether something on a server can be gone on with: what may pass by itself is a remark.
Status Excuse(const Status& status, Backends& backends) {
  if (status.ok()) {
    return {};
  }
  const ErrorCode code = status.error().code;
  if (code == ErrorCode::kFailedPrecondition || code == ErrorCode::kInvalidArgument) {
    return status;
  }
  backends.remarks.push_back(status.error().message);
  return {};
}

// As long as the log gets before it is moved into the file even when something waits.
constexpr std::uint64_t kLogRoomBytes = std::uint64_t{32} << 20U;

Status OpenFile(const Settings& settings, const Clock& clock, Backends& backends) {
  SqliteDatabase::Options options;
  options.path = DatabasePath(settings);
  options.reserve_bytes = std::uint64_t{settings.disk_reserve_mib} << 20U;
  options.log_room_bytes = kLogRoomBytes;
  UMBRANET_ASSIGN_OR_RETURN(backends.database, SqliteDatabase::Open(clock, options));
  // A write that changes nothing: it reaches the disk only as far as a real one would.
  backends.probes.push_back({"storage", true, [&database = *backends.database](Deadline deadline) {
                               if (Status room = database.CheckReserve(); !room.ok()) {
                                 return room;
                               }
                               return database.Write(
                                   SqliteDatabase::Lane::kForeground,
                                   [](SqliteConnection&) { return Status(); }, deadline);
                             }});
  return {};
}

Status OpenLedgerInFile(const Settings& settings, Backends& backends) {
  SqliteLedgerStore::Options options;
  options.retry = RetriesOf(settings);
  SqliteDatabase& database = *backends.database;
  UMBRANET_ASSIGN_OR_RETURN(backends.file_ledger, SqliteLedgerStore::Open(database, options));
  backends.journal = std::make_unique<SqliteJournal>(*backends.file_ledger);
  backends.ledger = std::make_unique<SqliteJobLedger>(*backends.file_ledger);
  backends.records = std::make_unique<SqliteLedgerRecords>(*backends.file_ledger);
  backends.shadow = std::make_unique<SqliteShadowRecords>(*backends.file_ledger);
  backends.forgettings = std::make_unique<SqliteForgettingRecord>(*backends.file_ledger);
  backends.usage_book = std::make_unique<SqliteModelUsageBook>(*backends.file_ledger);
  backends.short_term = std::make_unique<SqliteShortTermMemory>(database);
  backends.episodic = std::make_unique<SqliteEpisodicMemory>(database);
  backends.consolidation = std::make_unique<SqliteEpisodeConsolidation>(*backends.file_ledger);
  backends.procedural = std::make_unique<SqliteProceduralMemory>(database);
  return {};
}

// Each of the settings' servers is opened in one place, whoever asks: a process that serves, a
// migration, a check. `log` may be null.
Result<std::unique_ptr<PostgresPool>> OpenPool(const Settings& settings, StructuredLog* log) {
  PostgresPool::Options options;
  options.url = settings.postgres_url;
  options.schema = settings.keyspace;
  options.connections_max = settings.postgres_connections;
  options.log = log;
  return PostgresPool::Open(std::move(options));
}

struct Graph {
  std::unique_ptr<Neo4jClient> client;
  Neo4jSemanticMemory::Options options;  // The memory's.
  std::unique_ptr<Neo4jSemanticMemory> memory;
};

Result<Graph> OpenGraph(const Settings& settings, const Clock& clock, StructuredLog* log,
                        HeldTurns held_turns = {}, MemoryKeys* memory_keys = nullptr) {
  Graph graph;
  UMBRANET_ASSIGN_OR_RETURN(graph.client,
                            Neo4jClient::Open({.url = settings.neo4j_url, .log = log}, clock));
  graph.options.key_space = settings.keyspace;
  graph.options.held_turns = std::move(held_turns);
  graph.options.memory_keys = memory_keys;
  graph.memory = std::make_unique<Neo4jSemanticMemory>(*graph.client, clock, graph.options);
  return graph;
}

Result<std::unique_ptr<RabbitMqDoorbell>> OpenDoorbell(const Settings& settings, bool consume,
                                                       const Clock& clock, StructuredLog& log,
                                                       AcceptJob accept, FindKnown known = {}) {
  RabbitMqDoorbell::Options options;
  options.url = settings.rabbitmq_url;
  options.exchange = settings.rabbitmq_exchange;
  options.queue = settings.rabbitmq_queue;
  options.consume = consume;
  options.known = std::move(known);
  return RabbitMqDoorbell::Open(clock, log, std::move(options), std::move(accept));
}

std::function<bool()> IsOpen(const CircuitBreaker& breaker) {
  return [&breaker] { return breaker.IsOpen(); };
}

Status OpenPostgres(const Settings& settings, const Clock& clock, StructuredLog* log,
                    Backends& backends) {
  UMBRANET_ASSIGN_OR_RETURN(backends.postgres, OpenPool(settings, log));
  PostgresPool& pool = *backends.postgres;
  if (settings.migrate_on_start) {
    const auto migrated = Migrate(pool, Deadline::After(clock, kMigrationBudget));
    UMBRANET_RETURN_IF_ERROR(Excuse(migrated.ok() ? Status() : Status(migrated.error()), backends));
  } else {
    UMBRANET_RETURN_IF_ERROR(
        Excuse(CheckSchema(pool, Deadline::After(clock, kStartBudget)), backends));
  }
  PostgresLedgerStore::Options ledger;
  ledger.retry = RetriesOf(settings);
  UMBRANET_ASSIGN_OR_RETURN(backends.server_ledger, PostgresLedgerStore::Open(pool, ledger));
  backends.journal = std::make_unique<PostgresJournal>(*backends.server_ledger);
  backends.ledger = std::make_unique<PostgresJobLedger>(*backends.server_ledger);
  backends.records = std::make_unique<PostgresLedgerRecords>(*backends.server_ledger);
  backends.shadow = std::make_unique<PostgresShadowRecords>(*backends.server_ledger);
  backends.forgettings = std::make_unique<PostgresForgettingRecord>(*backends.server_ledger);
  backends.usage_book = std::make_unique<PostgresModelUsageBook>(pool);
  backends.short_term = std::make_unique<PostgresShortTermMemory>(pool);
  auto episodic = std::make_unique<PostgresEpisodicMemory>(pool);
  if (const auto why = episodic->WhyVectorsAreComparedHere(Deadline::After(clock, kStartBudget));
      why.ok() && !why->empty()) {
    backends.remarks.push_back(*why);
  }
  backends.held.push_back({[&memory = *episodic](const UserKey& user, Deadline deadline) {
                             return memory.LetGo(user, deadline);
                           },
                           [&memory = *episodic] { memory.LetGoOfAll(); }});
  backends.episodic = std::move(episodic);
  backends.consolidation = std::make_unique<PostgresEpisodeConsolidation>(*backends.server_ledger);
  backends.procedural = std::make_unique<PostgresProceduralMemory>(pool, clock);
  backends.probes.push_back({"postgres", true,
                             [&pool](Deadline deadline) { return CheckSchema(pool, deadline); },
                             IsOpen(pool.breaker())});
  return {};
}

Status OpenRedis(const Settings& settings, const Clock& clock, StructuredLog& log,
                 Backends& backends) {
  RedisShortTermMemory::Options options;
  options.url = settings.redis_url;
  options.key_prefix = settings.keyspace;
  options.log = &log;
  UMBRANET_ASSIGN_OR_RETURN(auto memory,
                            RedisShortTermMemory::Open(clock, *backends.journal, options));
  UMBRANET_RETURN_IF_ERROR(Excuse(memory->Probe(Deadline::After(clock, kStartBudget)), backends));
  backends.probes.push_back(
      {"redis", false, [&memory = *memory](Deadline deadline) { return memory.Probe(deadline); },
       IsOpen(memory->breaker())});
  backends.redis = memory.get();
  backends.short_term = std::move(memory);
  return {};
}

// Of a user's turns, which the journal still has.
HeldTurns HeldBy(Journal& journal) {
  return [&journal](const UserKey& user, std::span<const std::string> interaction_ids,
                    Deadline deadline) -> Result<std::set<std::string>> {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<Interaction> turns,
                              journal.Read(user, interaction_ids, deadline));
    std::set<std::string> held;
    for (const Interaction& turn : turns) {
      held.insert(turn.interaction_id);
    }
    return held;
  };
}

Status OpenNeo4j(const Settings& settings, const Clock& clock, StructuredLog& log,
                 Backends& backends) {
  if (backends.postgres != nullptr) {
    backends.memory_keys = std::make_unique<PostgresMemoryKeys>(*backends.postgres);
  }
  UMBRANET_ASSIGN_OR_RETURN(Graph graph, OpenGraph(settings, clock, &log, HeldBy(*backends.journal),
                                                   backends.memory_keys.get()));
  UMBRANET_RETURN_IF_ERROR(
      Excuse(graph.memory->Check(Deadline::After(clock, kStartBudget)), backends));
  backends.probes.push_back(
      {"neo4j", false,
       [&memory = *graph.memory](Deadline deadline) { return memory.Check(deadline); },
       IsOpen(graph.client->breaker())});
  if (backends.memory_keys != nullptr) {
    backends.graphs =
        std::make_unique<Neo4jGenerations>(*graph.client, clock, graph.options, *graph.memory);
  }
  backends.held.push_back({[&memory = *graph.memory](const UserKey& user, Deadline) {
                             memory.LetGo(user);
                             return Status();
                           },
                           [&memory = *graph.memory] { memory.LetGoOfAll(); }});
  backends.neo4j = std::move(graph.client);
  backends.knowledge = graph.memory.get();
  backends.semantic = std::move(graph.memory);
  return {};
}

Status OpenRabbitMq(const Settings& settings, bool reflects, const Clock& clock, StructuredLog& log,
                    Backends& backends) {
  // By the ledger's time it is decided whether a turn was made before its user was forgotten.
  backends.intake = std::make_unique<TurnIntake>(*backends.ledger_clock, *backends.journal,
                                                 *backends.ledger, *backends.short_term);
  FindKnown known;
  if (backends.server_ledger != nullptr) {
    known = [&store = *backends.server_ledger](std::span<const std::string> job_ids,
                                               Deadline deadline) {
      return FindKnownJobs(store, job_ids, deadline);
    };
  }
  UMBRANET_ASSIGN_OR_RETURN(
      auto doorbell,
      OpenDoorbell(settings, reflects, clock, log, std::ref(*backends.intake), std::move(known)));
  if (!doorbell->WaitUntilHealthy(Deadline::After(clock, kStartBudget))) {
    UMBRANET_RETURN_IF_ERROR(Excuse(doorbell->Probe(), backends));
  }
  backends.probes.push_back(
      {"rabbitmq", false,
       [&doorbell = *doorbell](Deadline) -> Status {
         if (doorbell.Healthy()) {
           return {};
         }
         return Unavailable(doorbell.ReadStatus().last_error);
       },
       [&doorbell = *doorbell] { return doorbell.ReadStatus().breaker_open; }});
  backends.held.push_back({[&doorbell = *doorbell](const UserKey& user, Deadline) {
                             doorbell.LetGo(user);
                             return Status();
                           },
                           [&doorbell = *doorbell] { doorbell.LetGoOfAll(); }});
  backends.rabbitmq = doorbell.get();
  backends.doorbell = std::move(doorbell);
  return {};
}

Status PingRedis(const Settings& settings, const Clock& clock, Deadline deadline) {
  RedisClient::Options options;
  UMBRANET_ASSIGN_OR_RETURN(options.address, ParseRedisUrl(settings.redis_url));
  UMBRANET_ASSIGN_OR_RETURN(const auto client, RedisClient::Open(clock, options));
  const std::string_view ping[] = {"PING"};
  const auto answer = client->Call(ping, deadline);
  return answer.ok() ? Status() : Status(answer.error());
}

}  // namespace

Result<Backends> OpenStores(const Settings& settings, const Clock& clock, StructuredLog& log) {
  Backends backends;
  backends.ledger_clock = std::make_unique<LedgerClock>(clock);
  if (settings.postgres_url.empty() || settings.neo4j_url.empty()) {
    UMBRANET_RETURN_IF_ERROR(OpenFile(settings, clock, backends));
  }
  if (settings.postgres_url.empty()) {
    UMBRANET_RETURN_IF_ERROR(OpenLedgerInFile(settings, backends));
  } else {
    UMBRANET_RETURN_IF_ERROR(OpenPostgres(settings, clock, &log, backends));
  }
  if (!settings.redis_url.empty()) {
    UMBRANET_RETURN_IF_ERROR(OpenRedis(settings, clock, log, backends));
  }
  if (settings.neo4j_url.empty()) {
    backends.semantic = std::make_unique<SqliteSemanticMemory>(
        *backends.database, SqliteSemanticMemory::Options{.fenced = settings.postgres_url.empty()});
  } else {
    UMBRANET_RETURN_IF_ERROR(OpenNeo4j(settings, clock, log, backends));
  }
  backends.probes.push_back({"queue", true, [&ledger = *backends.ledger](Deadline deadline) {
                               const auto stats = ledger.Stats(deadline);
                               return stats.ok() ? Status() : Status(stats.error());
                             }});
  return backends;
}

Result<Backends> OpenJournalAlone(const Settings& settings, const Clock& clock) {
  Backends backends;
  UMBRANET_RETURN_IF_ERROR(OpenPostgres(settings, clock, nullptr, backends));
  return backends;
}

Result<Backends> OpenFileToRead(const std::string& path, const Settings& settings,
                                const Clock& clock) {
  Backends backends;
  SqliteDatabase::Options options;
  options.path = path;
  options.read_only = true;
  UMBRANET_ASSIGN_OR_RETURN(backends.database, SqliteDatabase::Open(clock, options));
  UMBRANET_RETURN_IF_ERROR(OpenLedgerInFile(settings, backends));
  backends.semantic = std::make_unique<SqliteSemanticMemory>(*backends.database);
  return backends;
}

Result<Backends> OpenBackends(const Settings& settings, bool reflects, const Clock& clock,
                              StructuredLog& log) {
  UMBRANET_ASSIGN_OR_RETURN(Backends backends, OpenStores(settings, clock, log));
  if (backends.postgres != nullptr) {
    UMBRANET_RETURN_IF_ERROR(Excuse(
        CheckNothingHalfMoved(*backends.postgres, Deadline::After(clock, kStartBudget)), backends));
  }
  if (settings.rabbitmq_url.empty()) {
    backends.doorbell = std::make_unique<ConditionVariableDoorbell>();
  } else {
    UMBRANET_RETURN_IF_ERROR(OpenRabbitMq(settings, reflects, clock, log, backends));
  }
  return backends;
}

Result<std::string> MigrateServers(const Settings& settings, const Clock& clock) {
  if (settings.postgres_url.empty() && settings.neo4j_url.empty()) {
    return FailedPrecondition(
        "migrate: neither POSTGRES_URL nor NEO4J_URL is set; the file takes care of itself");
  }
  const Deadline deadline = Deadline::After(clock, kMigrationBudget);
  std::string report;
  if (!settings.postgres_url.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const auto pool, OpenPool(settings, nullptr));
    UMBRANET_ASSIGN_OR_RETURN(const MigrationReport done, Migrate(*pool, deadline));
    report += pool->name() + ": " + std::to_string(done.applied) + " steps taken" +
              (done.left_out == 0 ? ""
                                  : ", " + std::to_string(done.left_out) +
                                        " left out for want of the extension vector") +
              "\n";
  }
  if (!settings.neo4j_url.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const Graph graph, OpenGraph(settings, clock, nullptr));
    UMBRANET_RETURN_IF_ERROR(graph.memory->Migrate(deadline));
    report += graph.client->server().name + ": constraints and indexes are there\n";
  }
  return report;
}

Result<std::vector<ServerReport>> CheckServers(const Settings& settings, const Clock& clock,
                                               Deadline deadline) {
  StructuredLog log(clock, {.level = LogLevel::kError, .format = settings.log_format});
  std::vector<ServerReport> reports;
  const auto report = [&](const char* setting, const Status& status) {
    reports.push_back({setting, status});
  };
  if (!settings.postgres_url.empty()) {
    const auto pool = OpenPool(settings, nullptr);
    report("POSTGRES_URL", pool.ok() ? CheckSchema(**pool, deadline) : Status(pool.error()));
  }
  if (!settings.neo4j_url.empty()) {
    const auto graph = OpenGraph(settings, clock, nullptr);
    report("NEO4J_URL", graph.ok() ? graph->memory->Check(deadline) : Status(graph.error()));
  }
  if (!settings.redis_url.empty()) {
    report("REDIS_URL", PingRedis(settings, clock, deadline));
  }
  if (!settings.rabbitmq_url.empty()) {
    const auto doorbell = OpenDoorbell(settings, /*consume=*/false, clock, log,
                                       [](const IncomingJob&, Deadline) { return Status(); });
    report("RABBITMQ_URL", doorbell.ok() ? (*doorbell)->Probe() : Status(doorbell.error()));
  }
  return reports;
}

}  // namespace umbranet
