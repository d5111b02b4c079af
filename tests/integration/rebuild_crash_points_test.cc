// Goal: whatever place of a rebuild on servers a process dies at, the user's memory is whole, the
// former one or the new one, and the rebuild can be gone on with; and what an owner did by hand is
// not lost where a process died before it had come to every generation.
// Method: as in crash_points_test.cc, the built binary is killed at each place (base/crash_point.h)
// over real servers; where it dies with a half of an owner's change done, the place fails in this
// process instead.
// Proven, with the suite of MemoryGenerations, by: reads, or writes, that stay with the first
// graph; a memory that is not aligned before it comes into force; a swap that leaves the lease;
// erasures that are kept for one generation; changes that are not taken over, or taken over from
// where they are older; graphs that are not removed; no tombstone in the graph in force.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/crash_point.h"

#include "tests/integration/servers.h"
#include "tests/integration/servers_world.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();
constexpr const char* kRebuild = "/v1/admin/users/ana/rebuild";
constexpr std::string_view kOthers = "SELECT count(*) FROM memory_generation WHERE state <> 1";

class CrashPointsOfRebuilding : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServersWorld(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    schema_ = std::make_unique<PostgresSchema>();
    graph_space_ = std::make_unique<Neo4jKeySpace>(schema_->name());
  }

  [[nodiscard]] std::map<std::string, std::string> Environment(bool crashes) const {
    std::map<std::string, std::string> environment = {
        {"UMBRANET_KEYSPACE", schema_->name()},
        {"EMBEDDER", "off"},
        {"UMBRANET_TIER_TIMEOUT_MS", "30000"},
        {"REFLECTOR_RETRY_DELAY", "1"},
        {"POSTGRES_URL", ServerUrl("POSTGRES_URL").value_or("")},
        {"NEO4J_URL", ServerUrl("NEO4J_URL").value_or("")}};
    if (crashes) {
      environment["UMBRANET_CRASH"] = std::string(GetParam()) + ":1:kill";
    }
    return environment;
  }

  // The texts of all tiers, sorted.
  static std::vector<std::string> MemoriesOf(ServerProcess& server) {
    std::vector<std::string> texts;
    const auto reply = server.Call("GET", "/v1/users/ana/memories?limit=1000");
    EXPECT_TRUE(reply && reply->status == 200);
    if (reply && reply->status == 200) {
      const boost::json::object page = reply->Json();
      for (const boost::json::value& item : page.at("items").as_array()) {
        texts.emplace_back(item.at("text").as_string());
      }
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  // All steps of a rebuild with half of the turns, a swap, and the discarding of what was before.
  // False: the server died.
  static bool RebuildHalf(ServerProcess& server) {
    const auto step = server.Post(kRebuild, {{"rules", true}, {"turns_max", 1}});
    const auto swapped =
        step ? server.Post(std::string(kRebuild) + "/swap", {{"to", "shadow"}}) : std::nullopt;
    const auto discarded = swapped ? server.Call("DELETE", kRebuild) : std::nullopt;
    return discarded.has_value();
  }

  const SystemClock clock_;
  const TemporaryFolder folder_;
  std::unique_ptr<PostgresSchema> schema_;
  std::unique_ptr<Neo4jKeySpace> graph_space_;
};

TEST_P(CrashPointsOfRebuilding, ADeathThereLeavesAMemoryThatIsWhole) {
  std::vector<std::string> whole;
  {
    ServerProcess dying(folder_.path(), Environment(true));
    ASSERT_TRUE(dying.Running()) << dying.Log();
    for (const char* const said : {"My sister Ana lives in Porto.", "Always answer in French."}) {
      ASSERT_TRUE(dying.Post("/v1/interactions", {{"user_id", "ana"}, {"user_message", said}}));
    }
    ASSERT_TRUE(dying.WaitReflected("ana"));
    whole = MemoriesOf(dying);
    ASSERT_FALSE(whole.empty());
    EXPECT_FALSE(RebuildHalf(dying)) << GetParam() << " was never reached: " << dying.Log();
  }
  ServerProcess server(folder_.path(), Environment(false));
  ASSERT_TRUE(server.Running()) << server.Log();
  ASSERT_TRUE(server.WaitReflected("ana"));
  EXPECT_EQ(MemoriesOf(server), whole);
  EXPECT_TRUE(RebuildHalf(server));
  ASSERT_TRUE(server.WaitReflected("ana"));
  EXPECT_EQ(MemoriesOf(server), whole);
  EXPECT_EQ(schema_->Count(kOthers), 0);
}

INSTANTIATE_TEST_SUITE_P(Places, CrashPointsOfRebuilding,
                         testing::Values("rebuild.after_announce", "rebuild.after_prepare",
                                         "rebuild.after_room", "rebuild.after_align",
                                         "rebuild.after_swap", "rebuild.after_retain"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

class HalfDoneOnServers : public TierContract {
 protected:
  ~HalfDoneOnServers() override { (void)ArmCrashPoint("").ok(); }

  // A turn that says so, in the memory in force.
  ReflectionPlan Reflect(int minute, const std::string& text) {
    ReflectionPlan plan = NewPlan(ana_, minute);
    PlannedFact fact;
    fact.subject = std::string(kSelfEntity);
    fact.predicate = Predicate::kOther;
    fact.object = text;
    fact.text = text;
    plan.facts = {fact};
    PlannedEntity entity;
    entity.name = "Robert";
    entity.aliases = {"Bob"};
    plan.entities = {entity};
    Apply(world_->semantic(), {plan});
    return plan;
  }

  void TakeIn(const ReflectionPlan& plan) {
    ASSERT_TRUE(world_->generations()->Begin(ana_, "better/1", kNever).ok());
    MemoryGenerations::Tiers shadow = world_->generations()->shadow();
    ASSERT_TRUE(shadow.semantic.Apply(std::vector{plan}, Lease{}, kNever).ok());
    ASSERT_TRUE(world_->generations()->Took(ana_, plan.sequence, 1, 0, kNever).ok());
  }

  void Swap() {
    const auto swapped = world_->generations()->Swap(ana_, IncomingGeneration::kShadow, kNever);
    ASSERT_TRUE(swapped.ok()) << swapped.error().message;
  }

  // In the graphs of all users of the world.
  std::int64_t CountNodes(const std::string& label) {
    auto& world = static_cast<ServersWorld&>(*world_);
    const std::string statement =
        "MATCH (u:UmbraUser {space: $p.space}) WITH collect(u.key) AS keys MATCH (n:" + label +
        ") WHERE n.owner IN keys OR n.key IN keys RETURN count(DISTINCT n)";
    const auto answer =
        world.process(0).client->Run({{statement, {{"space", world.space().name()}}}}, kNever);
    const auto* rows = std::get_if<boost::json::array>(&answer);
    return rows == nullptr || rows->empty() ? -1 : rows->at(0).as_array().at(0).as_int64();
  }

  static void DieBeforePassingOn() {
    ASSERT_TRUE(ArmCrashPoint(std::string("facts.before_pass_on") + ":1:error").ok());
  }
};

INSTANTIATE_TEST_SUITE_P(Servers, HalfDoneOnServers, testing::ValuesIn(ServersWorlds()),
                         TierWorldName);

TEST_P(HalfDoneOnServers, WhatWasChangedInTheMemoryInForceAloneIsChangedInTheOneThatFollows) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  DieBeforePassingOn();
  const MemoryItem item = ListAll(world_->semantic(), ana_).at(0);
  EXPECT_FALSE(
      world_->semantic()
          .Update(ana_.tenant, item.memory_id, {.text = "coffee", .valid_to = std::nullopt}, kNever)
          .ok());
  EXPECT_THAT(Texts(ListAll(world_->generations()->shadow().semantic, ana_)), ElementsAre("tea"));
  Swap();
  EXPECT_THAT(Texts(ListAll(world_->semantic(), ana_)), ElementsAre("coffee"));
}

TEST_P(HalfDoneOnServers, WhatWasErasedInTheMemoryInForceAloneIsErasedInTheOneThatFollows) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  DieBeforePassingOn();
  const MemoryItem item = ListAll(world_->semantic(), ana_).at(0);
  EXPECT_FALSE(world_->semantic().Erase(ana_.tenant, item.memory_id, kNever).ok());
  Swap();
  EXPECT_THAT(ListAll(world_->semantic(), ana_), SizeIs(0));
}

TEST_P(HalfDoneOnServers, NamesThatWerePartedInTheMemoryInForceAloneAreSoInTheOneThatFollows) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  DieBeforePassingOn();
  EXPECT_FALSE(world_->semantic().Unmerge(ana_, "Bob", "Robert", kNever).ok());
  Swap();
  const auto merges = world_->semantic().Merges(ana_, 10, kNever);
  ASSERT_TRUE(merges.ok());
  ASSERT_THAT(*merges, SizeIs(1));
  EXPECT_TRUE(merges->at(0).parted_at.has_value());
}

TEST_P(HalfDoneOnServers, ALaterChangeIsNotUndoneByWhatOtherGenerationsStillHave) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  const MemoryItem item = ListAll(world_->semantic(), ana_).at(0);
  const auto change = [&](const std::string& text) {
    return world_->semantic()
        .Update(ana_.tenant, item.memory_id, {.text = text, .valid_to = std::nullopt}, kNever)
        .ok();
  };
  EXPECT_TRUE(change("coffee"));
  EXPECT_THAT(Texts(ListAll(world_->generations()->shadow().semantic, ana_)),
              ElementsAre("coffee"));
  DieBeforePassingOn();
  EXPECT_FALSE(change("water"));
  Reflect(2, "cake");
  EXPECT_THAT(Texts(ListAll(world_->semantic(), ana_)), ElementsAre("water", "cake"));
}

TEST_P(HalfDoneOnServers, WhatIsDiscardedAndWhoIsForgottenLeaveNoGraphBehind) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  EXPECT_EQ(CountNodes("UmbraUser"), 2);
  EXPECT_EQ(CountNodes("Statement"), 2);
  ASSERT_TRUE(world_->generations()->Discard(ana_, kNever).ok());
  EXPECT_EQ(CountNodes("UmbraUser"), 1);
  EXPECT_EQ(CountNodes("Statement"), 1);
  TakeIn(plan);
  Swap();
  TakeIn(plan);
  EXPECT_EQ(CountNodes("Statement"), 3);
  ASSERT_TRUE(world_->semantic().ForgetUser(ana_, plan.sequence, kNever).ok());
  EXPECT_EQ(CountNodes("Statement"), 0);
  EXPECT_EQ(CountNodes("Entity"), 0);
  EXPECT_EQ(CountNodes("ReflectionApplied"), 0);
  const Status late = world_->semantic().Apply(std::vector{plan}, Lease{}, kNever);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kAborted);
}

TEST_P(HalfDoneOnServers, AnIdThatOnlyTheNewMemoryHasIsFound) {
  ReflectionPlan plan = Reflect(1, "tea");
  plan.facts[0].object = "green tea";
  TakeIn(plan);
  const MemoryItem item = ListAll(world_->generations()->shadow().semantic, ana_).at(0);
  const auto before = world_->semantic().Get(ana_.tenant, item.memory_id, kNever);
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(before->has_value());
  Swap();
  const auto after = world_->semantic().Get(ana_.tenant, item.memory_id, kNever);
  ASSERT_TRUE(after.ok() && after->has_value());
  EXPECT_EQ((*after)->memory_id, item.memory_id);
  const auto erased = world_->semantic().Erase(ana_.tenant, item.memory_id, kNever);
  EXPECT_TRUE(erased.ok() && *erased);
}

TEST_P(HalfDoneOnServers, WhoeverFillsAShadowThatWasDiscardedIsToldSoAndLeavesNothing) {
  const ReflectionPlan plan = Reflect(1, "tea");
  TakeIn(plan);
  MemoryGenerations::Tiers shadow = world_->generations()->shadow();
  ASSERT_TRUE(world_->generations()->Discard(ana_, kNever).ok());
  for (MemoryTier* tier :
       {static_cast<MemoryTier*>(&shadow.episodic), static_cast<MemoryTier*>(&shadow.semantic),
        static_cast<MemoryTier*>(&shadow.procedural)}) {
    const Status applied = tier->Apply(std::vector{plan}, Lease{}, kNever);
    ASSERT_FALSE(applied.ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kAborted);
  }
  EXPECT_THAT(Texts(ListAll(world_->semantic(), ana_)), ElementsAre("tea"));
}

}  // namespace
}  // namespace umbranet
