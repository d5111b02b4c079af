// What tests of the graph on Neo4j run in: the tiers' in-memory twins with that graph as the
// semantic memory, each in a key space of its own that is emptied at the end.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/neo4j/neo4j_client.h"
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"

#include "tests/contract/tier_world.h"

namespace umbranet {

// The URL of the server that was started for tests, with `host_and_port` in place of its own
// unless that is empty.
std::string Neo4jTestUrl(std::string_view host_and_port = "");

// A client by the real time, and the constraints and indexes in their place.
std::unique_ptr<Neo4jClient> OpenNeo4j(const std::string& url);

// A key space for one test.
class Neo4jKeySpace {
 public:
  Neo4jKeySpace();
  explicit Neo4jKeySpace(std::string name);
  ~Neo4jKeySpace();
  Neo4jKeySpace(const Neo4jKeySpace&) = delete;
  Neo4jKeySpace& operator=(const Neo4jKeySpace&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

// A world with one such memory, and one whose every use of the memory goes through the other one of
// two, as it does with two processes: each has to take in what the other wrote.
std::vector<TierWorldKind> Neo4jWorlds();

}  // namespace umbranet
