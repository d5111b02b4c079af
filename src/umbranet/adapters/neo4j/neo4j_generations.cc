#include "umbranet/adapters/neo4j/neo4j_generations.h"

#include <utility>

namespace umbranet {
namespace {

// One user's memory is worked out at a time, mostly.
constexpr std::size_t kShadowRowsMax = 50'000;

Neo4jSemanticMemory::Options OfShadow(Neo4jSemanticMemory::Options options) {
  options.which = GenerationState::kShadow;
  options.rows_cached_max = kShadowRowsMax;
  return options;
}

}  // namespace

Neo4jGenerations::Neo4jGenerations(Neo4jClient& client, const Clock& clock,
                                   Neo4jSemanticMemory::Options options,
                                   Neo4jSemanticMemory& in_force)
    : in_force_(in_force), shadow_(client, clock, OfShadow(std::move(options))) {}

}  // namespace umbranet
