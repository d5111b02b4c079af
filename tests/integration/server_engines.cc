// The engines on real servers that the contract suites run over.
#include <vector>

#include "tests/contract/doorbell_engines.h"
#include "tests/contract/ledger_engines.h"
#include "tests/contract/tier_world.h"
#include "tests/integration/neo4j_world.h"
#include "tests/integration/servers.h"

namespace umbranet {

std::vector<LedgerEngine> LedgerEngines() {
  return {};
}

std::vector<DoorbellEngine> DoorbellEngines() {
  return {};
}

std::vector<TierWorldKind> ShortTermWorlds() {
  return {};
}

std::vector<TierWorldKind> EpisodicWorlds() {
  return {};
}

std::vector<TierWorldKind> SemanticWorlds() {
  return {{"Neo4j", MakeNeo4jWorld, [] { return MissingServer("NEO4J_URL"); }}};
}

std::vector<TierWorldKind> ProceduralWorlds() {
  return {};
}

std::vector<TierWorldKind> FencedWorlds() {
  return {};
}

// The graph is on a server of its own, where no lease can be checked.
std::vector<TierWorldKind> FencedSemanticWorlds() {
  return {};
}

std::vector<TierWorldKind> ModelledWorlds() {
  return {{"Neo4j", MakeNeo4jWorld, [] { return MissingServer("NEO4J_URL"); }}};
}

}  // namespace umbranet
