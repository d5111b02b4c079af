#include "tests/integration/neo4j_world.h"

#include <cstdlib>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/base/unique_id.h"

#include "tests/integration/servers.h"

namespace umbranet {
namespace {

constexpr int kEmptyAttemptsMax = 20;
constexpr std::string_view kEmptySpace =
    "MATCH (u:UmbraUser {space: $p.space})"
    " CALL { WITH u MATCH (n:Statement {owner: u.key}) WHERE n.revision IS NOT NULL DETACH DELETE "
    "n }"
    " CALL { WITH u MATCH (n:Name {owner: u.key}) WHERE n.revision IS NOT NULL DETACH DELETE n }"
    " CALL { WITH u MATCH (n:NameMerge {owner: u.key}) WHERE n.revision IS NOT NULL DETACH DELETE "
    "n }"
    " CALL { WITH u MATCH (n:Entity {owner: u.key}) DETACH DELETE n }"
    " CALL { WITH u MATCH (n:ErasedStatement {owner: u.key}) WHERE n.revision IS NOT NULL DETACH "
    "DELETE n }"
    " CALL { WITH u MATCH (n:ReflectionApplied {owner: u.key}) DETACH DELETE n }"
    " DETACH DELETE u";

const SystemClock& RealTime() {
  static const SystemClock kClock;
  return kClock;
}

class Neo4jWorld final : public TierWorld {
 public:
  explicit Neo4jWorld(std::size_t adapters)
      : twins_(MakeInMemoryWorld()), client_(OpenNeo4j(Neo4jTestUrl())) {
    for (std::size_t i = 0; i < adapters; ++i) {
      semantic_.push_back(std::make_unique<Neo4jSemanticMemory>(
          *client_, clock_,
          Neo4jSemanticMemory::Options{
              .key_space = space_.name(),
              .held_turns = [this](const UserKey& user, auto ids, Deadline /*deadline*/) {
                return HeldTurns(user, ids);
              }}));
    }
  }

  ShortTermMemory& short_term() override { return twins_->short_term(); }

  EpisodicMemory& episodic() override { return twins_->episodic(); }

  SemanticMemory& semantic() override { return *semantic_[next_++ % semantic_.size()]; }

  ProceduralMemory& procedural() override { return twins_->procedural(); }

  Interaction Accept(Interaction turn) override {
    turns_[turn.user].insert(turn.interaction_id);
    return twins_->Accept(std::move(turn));
  }

  Lease Claim(std::span<const ReflectionPlan> plans) override { return twins_->Claim(plans); }

  void Release(const Lease& lease) override { twins_->Release(lease); }

  void ForgetTurns(const UserKey& user) override { turns_.erase(user); }

 private:
  Result<std::set<std::string>> HeldTurns(const UserKey& user, std::span<const std::string> ids) {
    std::set<std::string> held;
    for (const std::string& id : ids) {
      if (turns_[user].contains(id)) {
        held.insert(id);
      }
    }
    return held;
  }

  const Neo4jKeySpace space_;
  const std::unique_ptr<TierWorld> twins_;
  const std::unique_ptr<Neo4jClient> client_;
  std::map<UserKey, std::set<std::string>> turns_;
  std::vector<std::unique_ptr<Neo4jSemanticMemory>> semantic_;
  std::size_t next_ = 0;
};

}  // namespace

std::string Neo4jTestUrl(std::string_view host_and_port) {
  std::string url = ServerUrl("NEO4J_URL").value_or("");
  if (!host_and_port.empty()) {
    const std::size_t at = url.find('@');
    url.replace(at + 1, std::string::npos, host_and_port);
  }
  return url;
}

std::unique_ptr<Neo4jClient> OpenNeo4j(const std::string& url) {
  auto client = Neo4jClient::Open({.url = url}, RealTime());
  if (!client.ok()) {
    ADD_FAILURE() << client.error().message;
    std::abort();
  }
  return std::move(client).value();
}

Neo4jKeySpace::Neo4jKeySpace() : Neo4jKeySpace("test-" + RandomHex(8)) {}

Neo4jKeySpace::Neo4jKeySpace(std::string name) : name_(std::move(name)) {
  static const bool kMigrated = [] {
    const auto client = OpenNeo4j(Neo4jTestUrl());
    Neo4jSemanticMemory memory(*client, RealTime(), {});
    const Status migrated = memory.Migrate(Deadline::Never());
    EXPECT_TRUE(migrated.ok()) << migrated.error().message;
    return migrated.ok();
  }();
  EXPECT_TRUE(kMigrated);
}

Neo4jKeySpace::~Neo4jKeySpace() {
  const auto client = OpenNeo4j(Neo4jTestUrl());
  for (int attempts = 1;; ++attempts) {
    const Neo4jClient::Answer emptied =
        client->Run({{kEmptySpace, {{"space", name_}}}}, Deadline::Never());
    const auto* const failure = std::get_if<Neo4jFailure>(&emptied);
    if (failure == nullptr) {
      return;
    }
    // Tests that run at the same time may stand in each other's way.
    if (failure->refusal != Neo4jRefusal::kAgain || attempts == kEmptyAttemptsMax) {
      ADD_FAILURE() << failure->error.message;
      return;
    }
  }
}

std::vector<TierWorldKind> Neo4jWorlds() {
  const auto missing = [] { return MissingServer("NEO4J_URL"); };
  return {{"Neo4j", [] { return std::make_unique<Neo4jWorld>(1); }, missing},
          {"Neo4jOfTwoProcesses", [] { return std::make_unique<Neo4jWorld>(2); }, missing}};
}

}  // namespace umbranet
