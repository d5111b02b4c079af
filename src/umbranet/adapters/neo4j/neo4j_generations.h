// The generations of users' graphs on a Neo4j server. See ports/semantic_generations.h.
//
// All methods may be called from any thread. Client, clock and memory must outlive this.
#pragma once

#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"
#include "umbranet/ports/semantic_generations.h"

namespace umbranet {

class Neo4jGenerations final : public SemanticGenerations {
 public:
  // `in_force` was opened with these options, which name who says what is in force.
  Neo4jGenerations(Neo4jClient& client, const Clock& clock, Neo4jSemanticMemory::Options options,
                   Neo4jSemanticMemory& in_force);

  SemanticMemory& shadow() override { return shadow_; }

  Status Prepare(const UserKey& user, std::int64_t generation, Deadline deadline) override {
    return in_force_.Prepare(user, generation, deadline);
  }

  Status Align(const UserKey& user, std::int64_t generation, Deadline deadline) override {
    return in_force_.Align(user, generation, deadline);
  }

  Status Retain(const UserKey& user, std::span<const std::int64_t> generations,
                Deadline deadline) override {
    return in_force_.Retain(user, generations, deadline);
  }

 private:
  Neo4jSemanticMemory& in_force_;
  Neo4jSemanticMemory shadow_;
};

}  // namespace umbranet
