// Goal: the graph is not asked about a user whose memory has not changed, and is asked whenever it
// may have; see Freshness::memory_version. Method: ServersWorld over PostgreSQL and Neo4j. Whether
// the graph is asked shows by changing it behind everybody's back, through a memory that raises no
// version. The process that asks goes by a clock that is turned by hand. What two processes answer
// when each reads the version first is held by the whole suite of the semantic memory over
// ServersWorlds.
//
// Deliberate faults that it has caught, each taken back: a lease that ends, a change by hand, a
// forgetting or a swap that does not raise the version, or not before it, or not after it; a
// version that is noted though it was read after the question; what was found long ago, or while
// the server was away, taken for found.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/servers.h"
#include "tests/integration/servers_world.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};

// As the keys in PostgreSQL, and calls `after_note` whenever a change was noted, with how many
// were.
class HookedKeys final : public MemoryKeys {
 public:
  explicit HookedKeys(MemoryKeys& inner) : inner_(inner) {}

  Result<std::int64_t> InForce(const UserKey& user, Deadline deadline) override {
    return inner_.InForce(user, deadline);
  }

  Result<std::optional<std::int64_t>> Shadow(const UserKey& user, Deadline deadline) override {
    return inner_.Shadow(user, deadline);
  }

  Status NoteChange(const UserKey& user, Deadline deadline) override {
    if (++noted_ == fails_at) {
      return Unavailable("postgres: away");
    }
    UMBRANET_RETURN_IF_ERROR(inner_.NoteChange(user, deadline));
    if (after_note) {
      after_note(noted_);
    }
    return {};
  }

  std::function<void(int)> after_note;
  int fails_at = 0;

 private:
  MemoryKeys& inner_;
  int noted_ = 0;
};

class MemoryVersion : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServersWorld(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    world_ = std::make_unique<ServersWorld>(1);
    proxy_ = std::make_unique<TcpFaultProxy>("127.0.0.1",
                                             ParseNeo4jUrl(Neo4jTestUrl()).value().base.port);
    client_ = Neo4jClient::Open(
                  {.url = Neo4jTestUrl("127.0.0.1:" + std::to_string(proxy_->port()))}, clock_)
                  .value();
    asking_ = std::make_unique<Neo4jSemanticMemory>(
        *client_, clock_,
        Neo4jSemanticMemory::Options{.key_space = world_->space().name(),
                                     .memory_keys = &world_->process(0).keys});
    secret_ = std::make_unique<Neo4jSemanticMemory>(
        *world_->process(0).client, clock_,
        Neo4jSemanticMemory::Options{.key_space = world_->space().name()});
    ASSERT_TRUE(asking_->Check(kNever).ok());
  }

  ReflectionPlan Plan(const UserKey& user, const std::string& said) {
    Interaction turn;
    turn.interaction_id = "t" + std::to_string(++turns_);
    turn.user = user;
    turn.user_message = said;
    turn = world_->Accept(std::move(turn));
    ReflectionPlan plan;
    plan.job_id = MakeJobId(user, turn.interaction_id);
    plan.interaction_id = turn.interaction_id;
    plan.user = user;
    plan.sequence = turn.sequence;
    PlannedFact fact;
    fact.subject = "user";
    fact.predicate = Predicate::kOther;
    fact.object = said;
    fact.text = said;
    plan.facts = {fact};
    return plan;
  }

  void Reflect(const std::string& said) {
    const std::vector<ReflectionPlan> plans{Plan(kAna, said)};
    const Lease lease = world_->Claim(plans);
    EXPECT_TRUE(world_->process(0).semantic.Apply(plans, lease, kNever).ok());
    world_->Release(lease);
  }

  std::int64_t Version() {
    return world_->journal()->ReadFreshness(kAna, kNever).value().memory_version.value();
  }

  Result<std::vector<std::string>> Find(std::optional<std::int64_t> version) {
    FactQuery query;
    query.user = kAna;
    query.terms = AnalyzeTerms("tomatoes");
    query.version = version;
    UMBRANET_ASSIGN_OR_RETURN(const FactsFound found, asking_->Find(query, kNever));
    std::vector<std::string> texts;
    for (const FactCandidate& candidate : found.candidates) {
      texts.push_back(candidate.fact.text);
    }
    return texts;
  }

  Neo4jSemanticMemory Changing(MemoryKeys& keys) {
    return {
        *world_->process(0).client, clock_,
        Neo4jSemanticMemory::Options{.key_space = world_->space().name(), .memory_keys = &keys}};
  }

  void EmptyTheGraphSecretly() { ASSERT_TRUE(secret_->EraseUser(kAna, kNever).ok()); }

  std::string MemoryId() {
    return world_->process(0).semantic.List(kAna, "", 1, kNever).value().items.at(0).memory_id;
  }

  // That `change` raises the version, so that whoever reads it then sees what came of it.
  void ExpectSeen(const std::function<void(Neo4jSemanticMemory&)>& change,
                  const std::vector<std::string>& then) {
    EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are red"));
    const std::int64_t before = Version();
    change(world_->process(0).semantic);
    EXPECT_GT(Version(), before);
    EXPECT_EQ(Find(Version()).value(), then);
  }

  ManualClock clock_;
  std::unique_ptr<ServersWorld> world_;
  std::unique_ptr<TcpFaultProxy> proxy_;
  std::unique_ptr<Neo4jClient> client_;
  std::unique_ptr<Neo4jSemanticMemory> asking_;
  std::unique_ptr<Neo4jSemanticMemory> secret_;  // Raises no version.
  int turns_ = 0;
};

TEST_F(MemoryVersion, UnderTheSameVersionTheGraphIsNotAskedAgain) {
  Reflect("tomatoes are red");
  const std::int64_t version = Version();
  EXPECT_GT(version, 0);
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  EmptyTheGraphSecretly();
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  EXPECT_THAT(Find(version + 1).value(), IsEmpty());
}

TEST_F(MemoryVersion, WithoutAVersionTheGraphIsAsked) {
  Reflect("tomatoes are red");
  EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are red"));
  EmptyTheGraphSecretly();
  EXPECT_THAT(Find(std::nullopt).value(), IsEmpty());
}

TEST_F(MemoryVersion, WhatWasFoundLongAgoIsLookedForAgain) {
  Reflect("tomatoes are red");
  const std::int64_t version = Version();
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  EmptyTheGraphSecretly();
  clock_.Advance(Millis{59'999});
  ASSERT_TRUE(asking_->Check(kNever).ok());
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  clock_.Advance(Millis{2});
  EXPECT_THAT(Find(version).value(), IsEmpty());
}

TEST_F(MemoryVersion, OfAUserWhoHasNothingYetTheGraphIsNotAsked) {
  std::vector<ReflectionPlan> plans{Plan(kAna, "tomatoes are red")};
  ASSERT_TRUE(secret_->Apply(plans, Lease{}, kNever).ok());
  ASSERT_EQ(Version(), 0) << "accepting alone changes nothing";
  EXPECT_THAT(Find(0).value(), IsEmpty());
  EXPECT_THAT(Find(std::nullopt).value(), ElementsAre("tomatoes are red"));
}

TEST_F(MemoryVersion, AServerThatHasNotAnsweredOfLateIsAskedSoThatItIsNamed) {
  Reflect("tomatoes are red");
  const std::int64_t version = Version();
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  proxy_->Refuse();
  EXPECT_THAT(Find(version).value(), ElementsAre("tomatoes are red"));
  clock_.Advance(Millis{251});
  EXPECT_FALSE(Find(version).ok());
  EXPECT_FALSE(Find(0).ok());
  EXPECT_FALSE(Find(version).ok()) << "it failed the last time";
}

TEST_F(MemoryVersion, ALeaseThatEndsRaisesIt) {
  Reflect("tomatoes are red");
  ExpectSeen([this](auto&) { Reflect("tomatoes are ripe"); },
             {"tomatoes are red", "tomatoes are ripe"});
}

TEST_F(MemoryVersion, AChangeOfATextRaisesIt) {
  Reflect("tomatoes are red");
  ExpectSeen(
      [this](Neo4jSemanticMemory& memory) {
        const MemoryPatch patch{.text = "tomatoes are blue", .valid_to = {}};
        EXPECT_TRUE(memory.Update("default", MemoryId(), patch, kNever).value().has_value());
      },
      {"tomatoes are blue"});
}

TEST_F(MemoryVersion, WhoLooksWhileSomethingIsBeingChangedLooksAgainAfterwards) {
  Reflect("tomatoes are red");
  HookedKeys keys(world_->process(0).keys);
  keys.after_note = [this](int noted) {
    if (noted == 1) {
      EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are red"));
    }
  };
  Neo4jSemanticMemory changing = Changing(keys);
  EXPECT_TRUE(changing.Erase("default", MemoryId(), kNever).value());
  EXPECT_THAT(Find(Version()).value(), IsEmpty());
  Reflect("tomatoes are ripe");
  HookedKeys others(world_->process(0).keys);
  others.after_note = [this](int noted) {
    if (noted == 1) {
      EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are ripe"));
    }
  };
  Neo4jSemanticMemory forgetting = Changing(others);
  EXPECT_EQ(forgetting.EraseUser(kAna, kNever).value(), 1U);
  EXPECT_THAT(Find(Version()).value(), IsEmpty());
}

TEST_F(MemoryVersion, AChangeThatDiedBeforeItsEndIsSeen) {
  Reflect("tomatoes are red");
  EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are red"));
  HookedKeys keys(world_->process(0).keys);
  keys.fails_at = 2;
  EXPECT_FALSE(Changing(keys).Erase("default", MemoryId(), kNever).ok());
  EXPECT_THAT(Find(Version()).value(), IsEmpty());
  Reflect("tomatoes are ripe");
  EXPECT_THAT(Find(Version()).value(), ElementsAre("tomatoes are ripe"));
  HookedKeys others(world_->process(0).keys);
  others.fails_at = 2;
  EXPECT_FALSE(Changing(others).EraseUser(kAna, kNever).ok());
  EXPECT_THAT(Find(Version()).value(), IsEmpty());
}

TEST_F(MemoryVersion, AnErasureRaisesIt) {
  Reflect("tomatoes are red");
  ExpectSeen(
      [this](Neo4jSemanticMemory& memory) {
        EXPECT_TRUE(memory.Erase("default", MemoryId(), kNever).value());
      },
      {});
}

TEST_F(MemoryVersion, ForgettingRaisesItInTheJournalAndInTheGraph) {
  Reflect("tomatoes are red");
  ExpectSeen(
      [](Neo4jSemanticMemory& memory) { EXPECT_EQ(memory.EraseUser(kAna, kNever).value(), 1U); },
      {});
  Reflect("tomatoes are red");
  ExpectSeen(
      [](Neo4jSemanticMemory& memory) {
        EXPECT_EQ(memory.ForgetUser(kAna, 1'000, kNever).value(), 1U);
      },
      {});
  const std::int64_t before = Version();
  world_->ForgetTurns(kAna);
  EXPECT_GT(Version(), before);
}

TEST_F(MemoryVersion, ASwapOfGenerationsRaisesIt) {
  Reflect("tomatoes are red");
  ExpectSeen(
      [this](auto&) {
        MemoryGenerations& generations = world_->process(0).generations;
        ASSERT_TRUE(generations.Begin(kAna, "other/1", kNever).ok());
        ASSERT_TRUE(generations.Swap(kAna, IncomingGeneration::kShadow, kNever).ok());
      },
      {});
}

}  // namespace
}  // namespace umbranet
