#include "tests/integration/servers_world.h"

#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "tests/integration/postgres_world.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

// A broken world ends the test there and then.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

HeldTurns HeldIn(PostgresLedgerStore& store) {
  return [&store](const UserKey& user, std::span<const std::string> interaction_ids,
                  Deadline deadline) -> Result<std::set<std::string>> {
    PostgresJournal journal(store);
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<Interaction> turns,
                              journal.Read(user, interaction_ids, deadline));
    std::set<std::string> held;
    for (const Interaction& turn : turns) {
      held.insert(turn.interaction_id);
    }
    return held;
  };
}

Neo4jSemanticMemory::Options GraphOptions(const Neo4jKeySpace& space, PostgresLedgerStore& store,
                                          MemoryKeys& keys) {
  return {.key_space = space.name(), .held_turns = HeldIn(store), .memory_keys = &keys};
}

std::unique_ptr<PostgresLedgerStore> OpenStore(PostgresPool& pool, const Clock& clock) {
  PostgresLedgerStore::Options options;
  options.clock = &clock;
  return Must(PostgresLedgerStore::Open(pool, options));
}

}  // namespace

ServersWorld::Process::Process(const ServersWorld& world, PostgresEpisodicMemory::Options episodes)
    : pool(world.schema_->OpenPool()),
      store(OpenStore(*pool, world.clock_)),
      client(OpenNeo4j(Neo4jTestUrl())),
      keys(*pool),
      episodic(*pool, episodes),
      semantic(*client, world.clock_, GraphOptions(world.space_, *store, keys)),
      procedural(*pool, world.clock_),
      graphs(*client, world.clock_, GraphOptions(world.space_, *store, keys), semantic),
      generations(*store, graphs, world.clock_, episodes),
      consolidation(*store) {}

ServersWorld::ServersWorld(std::size_t processes, PostgresEpisodicMemory::Options episodes)
    : processes_([&] {
        std::vector<std::unique_ptr<Process>> made;
        for (std::size_t i = 0; i < processes; ++i) {
          made.push_back(std::make_unique<Process>(*this, episodes));
        }
        return made;
      }()),
      journal_(*processes_.front()->store),
      ledger_(*processes_.front()->store) {}

Interaction ServersWorld::Accept(Interaction turn) {
  const std::vector<Interaction> turns{turn};
  turn.sequence = Must(journal_.Accept(turns, RunMode::kBackground, "", kNever)).front().sequence;
  return turn;
}

Lease ServersWorld::Claim(std::span<const ReflectionPlan> plans) {
  return ClaimJobsOf(ledger_, plans, others_);
}

void ServersWorld::Release(const Lease& lease) {
  const Status released = ledger_.Release(lease, kNever);
  EXPECT_TRUE(released.ok()) << released.error().message;
}

void ServersWorld::ForgetTurns(const UserKey& user) {
  Must(journal_.EraseUser(user, kNever));
}

std::string MissingServersWorld() {
  const std::string missing = MissingPostgres();
  return missing.empty() ? MissingServer("NEO4J_URL") : missing;
}

std::vector<TierWorldKind> ServersWorlds() {
  return {
      {"PostgresAndNeo4j", [] { return std::make_unique<ServersWorld>(1); }, MissingServersWorld},
      {"TwoProcesses", [] { return std::make_unique<ServersWorld>(2); }, MissingServersWorld},
      {"SearchedInTheDatabase",
       [] {
         return std::make_unique<ServersWorld>(
             1, PostgresEpisodicMemory::Options{.cached_documents_max = 0});
       },
       MissingServersWorld}};
}

}  // namespace umbranet
