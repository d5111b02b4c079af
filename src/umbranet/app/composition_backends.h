// The stores and the doorbell that the settings name: which adapter serves which port. A URL moves
// a part out of the process; what has none lives in the one SQLite file. Part of the composition.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "umbranet/adapters/neo4j/neo4j_client.h"
#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/adapters/rabbitmq/rabbitmq_doorbell.h"
#include "umbranet/adapters/rabbitmq/turn_intake.h"
#include "umbranet/adapters/redis/redis_short_term_memory.h"
#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/ledger_clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/http/api.h"
#include "umbranet/ports/data_move.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/episode_consolidation.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/forgetting_record.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/ledger_records.h"
#include "umbranet/ports/model_usage_book.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_generations.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/ports/shadow_records.h"
#include "umbranet/ports/short_term_memory.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// Members in the order in which they lean on one another; they end in the opposite one.
struct Backends {
  // What a store holds in this process's memory of users.
  struct Held {
    std::function<Status(const UserKey&, Deadline)> let_go;
    std::function<void()> let_go_of_all;
  };

  // What stamps whatever is compared with the forgetting of a user; null but in OpenStores'.
  std::unique_ptr<LedgerClock> ledger_clock;
  std::unique_ptr<SqliteDatabase> database;  // Null: nothing lives in the file.
  std::unique_ptr<SqliteLedgerStore> file_ledger;
  std::unique_ptr<PostgresPool> postgres;
  std::unique_ptr<PostgresLedgerStore> server_ledger;
  std::unique_ptr<Neo4jClient> neo4j;
  std::unique_ptr<MemoryKeys> memory_keys;  // Of PostgreSQL, for a tier that is kept elsewhere.
  std::unique_ptr<Journal> journal;
  std::unique_ptr<JobLedger> ledger;
  std::unique_ptr<LedgerRecords> records;
  std::unique_ptr<ShadowRecords> shadow;
  std::unique_ptr<ForgettingRecord> forgettings;
  std::unique_ptr<ModelUsageBook> usage_book;
  std::unique_ptr<ShortTermMemory> short_term;
  std::unique_ptr<EpisodicMemory> episodic;
  std::unique_ptr<EpisodeConsolidation> consolidation;
  std::unique_ptr<SemanticMemory> semantic;
  std::unique_ptr<ProceduralMemory> procedural;
  // Of the semantic memory, where that is on Neo4j and the rest on PostgreSQL.
  std::unique_ptr<SemanticGenerations> graphs;
  std::unique_ptr<TurnIntake> intake;
  std::unique_ptr<Doorbell> doorbell;
  RabbitMqDoorbell* rabbitmq = nullptr;   // The doorbell, when it is that.
  RedisShortTermMemory* redis = nullptr;  // The short-term memory, when it is that.
  KnowledgeTarget* knowledge = nullptr;   // The semantic memory, when it can take in another's.

  std::vector<Held> held;
  std::vector<DependencyProbe> probes;
  // What the operator should know of at the start: a server that does not answer yet, say.
  std::vector<std::string> remarks;
};

// `reflects`: whether this process has workers. A server that is away is a remark, since it may
// come back; one that refuses the credentials, or whose tables do not fit, is an error that says
// what to do. Clock and log must outlive the backends.
Result<Backends> OpenBackends(const Settings& settings, bool reflects, const Clock& clock,
                              StructuredLog& log);

// The stores alone, without a doorbell, and also while another installation is being moved into
// them.
Result<Backends> OpenStores(const Settings& settings, const Clock& clock, StructuredLog& log);

// The journal and the ledger on PostgreSQL, without whatever else the settings name.
Result<Backends> OpenJournalAlone(const Settings& settings, const Clock& clock);

// A file for reading alone, without a change to it; without a doorbell.
Result<Backends> OpenFileToRead(const std::string& path, const Settings& settings,
                                const Clock& clock);

}  // namespace umbranet
