// The engines on real servers that the contract suites run over.
#include <vector>

#include "tests/contract/doorbell_engines.h"
#include "tests/contract/ledger_engines.h"
#include "tests/contract/tier_world.h"
#include "tests/integration/neo4j_world.h"

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
  return Neo4jWorlds();
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
  return Neo4jWorlds();
}

}  // namespace umbranet
