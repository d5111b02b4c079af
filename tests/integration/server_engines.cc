// The engines on real servers that the contract suites run over.
#include <memory>
#include <utility>
#include <vector>

#include "tests/contract/doorbell_engines.h"
#include "tests/contract/ledger_engines.h"
#include "tests/contract/tier_world.h"
#include "tests/integration/neo4j_world.h"
#include "tests/integration/postgres_harness.h"
#include "tests/integration/postgres_world.h"
#include "tests/integration/rabbitmq_harness.h"
#include "tests/integration/redis_harness.h"
#include "tests/integration/servers.h"
#include "tests/integration/servers_world.h"

namespace umbranet {

std::vector<LedgerEngine> LedgerEngines() {
  return {PostgresLedgerEngine()};
}

std::vector<DoorbellEngine> DoorbellEngines() {
  return {RabbitMqDoorbellEngine()};
}

std::vector<TierWorldKind> ShortTermWorlds() {
  std::vector<TierWorldKind> worlds = PostgresWorlds();
  worlds.push_back({"Redis", MakeRedisWorld, [] { return MissingServer("REDIS_URL"); }});
  return worlds;
}

std::vector<TierWorldKind> EpisodicWorlds() {
  return PostgresEpisodicWorlds();
}

std::vector<TierWorldKind> SemanticWorlds() {
  std::vector<TierWorldKind> worlds = Neo4jWorlds();
  worlds.push_back(
      {"TwoProcesses", [] { return std::make_unique<ServersWorld>(2); }, MissingServersWorld});
  return worlds;
}

std::vector<TierWorldKind> ProceduralWorlds() {
  return PostgresWorlds();
}

std::vector<TierWorldKind> GenerationWorlds() {
  return ServersWorlds();
}

std::vector<TierWorldKind> FencedWorlds() {
  return PostgresWorlds();
}

// The graph is on a server of its own, where no lease can be checked.
std::vector<TierWorldKind> FencedSemanticWorlds() {
  return {};
}

std::vector<TierWorldKind> ModelledWorlds() {
  std::vector<TierWorldKind> worlds = PostgresModelledWorlds();
  for (TierWorldKind& world : Neo4jWorlds()) {
    worlds.push_back(std::move(world));
  }
  return worlds;
}

}  // namespace umbranet
