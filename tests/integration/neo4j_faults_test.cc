// Goal: what is written to the graph on Neo4j is written once and found by everybody, whatever
// becomes of connections and answers, and a server that cannot be used is named together with what
// to do. Method: a real server, a fault proxy before it where the connection is to fail, and a key
// space for each test; what is there in the end is compared with the in-memory twin.
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/domain/reflection_job.h"

#include "tests/doubles/in_memory_semantic_memory.h"
#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/neo4j_world.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();

class Neo4jFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("NEO4J_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    const std::string url = Neo4jTestUrl();
    const std::size_t port_at = url.rfind(':') + 1;
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(port_at)));
    space_ = std::make_unique<Neo4jKeySpace>();
    direct_ = OpenNeo4j(url);
  }

  // A memory over a client of its own, as another process has it.
  std::unique_ptr<Neo4jSemanticMemory> Memory(Neo4jClient& client) {
    return std::make_unique<Neo4jSemanticMemory>(
        client, clock_, Neo4jSemanticMemory::Options{.key_space = space_->name()});
  }

  static std::string Through(const TcpFaultProxy& proxy) {
    return Neo4jTestUrl("127.0.0.1:" + std::to_string(proxy.port()));
  }

  static PlannedFact Says(const std::string& subject, Predicate predicate,
                          const std::string& object) {
    PlannedFact fact;
    fact.subject = subject;
    fact.predicate = predicate;
    fact.object = object;
    fact.text = subject + " and " + object;
    return fact;
  }

  ReflectionPlan Turn(const UserKey& user, std::vector<PlannedFact> facts) {
    ReflectionPlan plan;
    plan.sequence = ++turns_;
    plan.interaction_id = "turn-" + std::to_string(turns_);
    plan.user = user;
    plan.job_id = MakeJobId(user, plan.interaction_id);
    plan.occurred_at = ManualClock::kStart + std::chrono::minutes(turns_);
    plan.facts = std::move(facts);
    return plan;
  }

  static std::vector<std::string> Texts(SemanticMemory& memory, const UserKey& user) {
    const auto page = memory.List(user, "", 1000, kNever);
    EXPECT_TRUE(page.ok()) << page.error().message;
    std::vector<std::string> texts;
    for (const MemoryItem& item : page->items) {
      texts.push_back(item.memory_id + " " + item.text + " " + item.superseded_by.value_or("-") +
                      " " + std::to_string(item.sources.size()));
    }
    return texts;
  }

  std::int64_t Count(const std::string& statement, boost::json::object parameters) {
    const Neo4jClient::Answer answer = direct_->Run({{statement, std::move(parameters)}}, kNever);
    const auto* rows = std::get_if<boost::json::array>(&answer);
    EXPECT_NE(rows, nullptr);
    return rows == nullptr ? -1 : rows->front().as_array().front().as_int64();
  }

  ManualClock clock_;
  const SystemClock real_time_;
  const UserKey ana_{"default", "ana"};
  std::uint16_t port_ = 0;
  std::unique_ptr<Neo4jKeySpace> space_;
  std::unique_ptr<Neo4jClient> direct_;
  int turns_ = 0;
};

TEST_F(Neo4jFaults, AWriteWhoseAnswerIsLostIsAppliedOnce) {
  TcpFaultProxy proxy("127.0.0.1", port_);
  const auto client = OpenNeo4j(Through(proxy));
  const auto memory = Memory(*client);
  ASSERT_TRUE(
      memory
          ->Apply(std::vector{Turn(ana_, {Says("user", Predicate::kLivesIn, "Porto")})}, {}, kNever)
          .ok());
  // On a connection that was kept, and on a new one.
  for (const char* place : {"Lyon", "Rome"}) {
    const ReflectionPlan plan = Turn(ana_, {Says("user", Predicate::kLivesIn, place)});
    proxy.LoseNextAnswer();
    const Status applied = memory->Apply(std::vector{plan}, {}, kNever);
    EXPECT_TRUE(applied.ok()) << applied.error().message;
    ASSERT_TRUE(memory->Apply(std::vector{plan}, {}, kNever).ok());
    proxy.Cut();
  }
  EXPECT_THAT(Texts(*memory, ana_), SizeIs(3));
  const boost::json::object user{{"user", GraphKeys(space_->name()).User(ana_)}};
  EXPECT_EQ(Count("MATCH (u:UmbraUser {key: $p.user}) RETURN u.revision", user), 3);
  EXPECT_EQ(Count("MATCH (r:ReflectionApplied {owner: $p.user}) RETURN count(r)", user), 3);
}

TEST_F(Neo4jFaults, WhatAWorkerThatDiedHadWrittenIsNotWrittenAgain) {
  const ReflectionPlan plan = Turn(ana_, {Says("user", Predicate::kLikes, "tea")});
  const ReflectionPlan other = Turn(ana_, {Says("user", Predicate::kLikes, "jazz")});
  const auto first = Memory(*direct_);
  ASSERT_TRUE(first->Apply(std::vector{plan}, {}, kNever).ok());
  // The one that takes over knows nothing of it, and has one job more.
  const auto client = OpenNeo4j(Neo4jTestUrl());
  const auto second = Memory(*client);
  ASSERT_TRUE(second->Apply(std::vector{plan, other}, {}, kNever).ok());
  EXPECT_THAT(Texts(*first, ana_), SizeIs(2));
  EXPECT_EQ(Texts(*first, ana_), Texts(*second, ana_));
}

TEST_F(Neo4jFaults, WhatOneProcessWritesTheOtherFindsAtOnce) {
  const auto client = OpenNeo4j(Neo4jTestUrl());
  const auto one = Memory(*direct_);
  const auto other = Memory(*client);
  for (const char* place : {"Porto", "Lyon", "Rome"}) {
    ASSERT_TRUE(
        one->Apply(std::vector{Turn(ana_, {Says("user", Predicate::kLivesIn, place)})}, {}, kNever)
            .ok());
    EXPECT_EQ(Texts(*other, ana_), Texts(*one, ana_));
  }
  const auto items = other->List(ana_, "", 10, kNever);
  ASSERT_THAT(items->items, SizeIs(3));
  EXPECT_TRUE(*other->Erase("default", items->items.at(1).memory_id, kNever));
  EXPECT_THAT(Texts(*one, ana_), SizeIs(2));
  EXPECT_EQ(*one->EraseUser(ana_, kNever), 2U);
  EXPECT_THAT(Texts(*other, ana_), IsEmpty());
}

TEST_F(Neo4jFaults, WritesOfOneUserAtTheSameTimeEndAsTheTwinsDo) {
  const auto client = OpenNeo4j(Neo4jTestUrl());
  const std::array memories = {Memory(*direct_), Memory(*client)};
  constexpr std::array kPlaces = {"Porto", "Lyon", "Rome"};
  std::vector<ReflectionPlan> plans;
  for (std::size_t i = 0; i < 12; ++i) {
    plans.push_back(Turn(ana_, {Says("user", Predicate::kLivesIn, kPlaces.at(i % 3)),
                                Says("Ben" + std::to_string(i % 2), Predicate::kLikes, "tea")}));
  }
  {
    std::vector<std::jthread> workers;
    for (std::size_t worker = 0; worker < 2; ++worker) {
      workers.emplace_back([&, worker] {
        for (std::size_t i = 0; i < plans.size(); ++i) {
          // Each half by one, the middle third by both.
          if (i % 2 == worker || i % 3 == 0) {
            const Status applied = memories.at(worker)->Apply(std::vector{plans[i]}, {}, kNever);
            EXPECT_TRUE(applied.ok()) << applied.error().message;
          }
        }
      });
    }
  }
  InMemorySemanticMemory twin(clock_);
  ASSERT_TRUE(twin.Apply(plans, {}, kNever).ok());
  for (const auto& memory : memories) {
    EXPECT_THAT(Texts(*memory, ana_), ElementsAreArray(Texts(twin, ana_)));
  }
}

TEST_F(Neo4jFaults, WrongCredentialsAreNamedWithoutThePassword) {
  std::string url = Neo4jTestUrl();
  const std::size_t colon = url.find(':', url.find("://") + 3);
  url.replace(colon + 1, url.find('@') - colon - 1, "s3cr3t-guess");
  const auto client = OpenNeo4j(url);
  const auto memory = Memory(*client);
  const Status checked = memory->Check(kNever);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(checked.error().message, HasSubstr("Neo4j at http://127.0.0.1:"));
  EXPECT_THAT(checked.error().message, HasSubstr("NEO4J_URL"));
  EXPECT_THAT(checked.error().message, Not(HasSubstr("s3cr3t")));
}

TEST_F(Neo4jFaults, ADatabaseThatIsNotThereIsNamed) {
  const auto client = OpenNeo4j(Neo4jTestUrl() + "/nosuchdatabase");
  const Status checked = Memory(*client)->Check(kNever);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(checked.error().message, HasSubstr("nosuchdatabase"));
}

TEST_F(Neo4jFaults, AServerThatIsAwayIsNamedAndUsedAgainOnceItIsBack) {
  TcpFaultProxy proxy("127.0.0.1", port_);
  const auto client = OpenNeo4j(Through(proxy));
  const auto memory = Memory(*client);
  proxy.Refuse();
  const ReflectionPlan plan = Turn(ana_, {Says("user", Predicate::kLivesIn, "Porto")});
  for (int i = 0; i < 2; ++i) {
    const Status applied = memory->Apply(std::vector{plan}, {}, kNever);
    ASSERT_FALSE(applied.ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(applied.error().message,
                HasSubstr("Neo4j at http://127.0.0.1:" + std::to_string(proxy.port())));
    EXPECT_THAT(applied.error().message, HasSubstr("NEO4J_URL"));
  }
  proxy.Restore();
  // Taken to be away until somebody has asked it again.
  const Deadline patience = Deadline::After(real_time_, Millis{20'000});
  while (!memory->Apply(std::vector{plan}, {}, kNever).ok() && !patience.Expired()) {
  }
  ASSERT_FALSE(patience.Expired());
  proxy.Cut();
  EXPECT_THAT(Texts(*memory, ana_), SizeIs(1));
  proxy.Cut();
  ASSERT_TRUE(
      memory->Apply(std::vector{Turn(ana_, {Says("user", Predicate::kLikes, "tea")})}, {}, kNever)
          .ok());
  EXPECT_THAT(Texts(*memory, ana_), SizeIs(2));
}

TEST_F(Neo4jFaults, AServerThatIsFrozenCostsNoMoreThanTheDeadline) {
  TcpFaultProxy proxy("127.0.0.1", port_);
  const auto client = OpenNeo4j(Through(proxy));
  const auto memory = Memory(*client);
  ASSERT_TRUE(memory->Check(kNever).ok());
  proxy.Stall();
  const auto found = memory->Find({.user = ana_, .terms = {"porto"}, .as_of = {}},
                                  Deadline::After(real_time_, Millis{100}));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(found.error().message, HasSubstr("Neo4j at http://127.0.0.1:"));
  proxy.Resume();
  EXPECT_TRUE(memory->Check(kNever).ok());
}

TEST_F(Neo4jFaults, AServerThatIsFrozenCostsOnlyTheFirstCallersTheirDeadline) {
  TcpFaultProxy proxy("127.0.0.1", port_);
  Neo4jClient::Options options{.url = Through(proxy)};
  options.breaker.pause_first = std::chrono::hours(1);
  const auto client = Neo4jClient::Open(options, real_time_).value();
  const auto ask = [&](Deadline deadline) {
    const auto answer = client->Run({{"RETURN 1", {}}}, deadline);
    const auto* const failure = std::get_if<Neo4jFailure>(&answer);
    return failure == nullptr ? Status() : Status(failure->error);
  };
  ASSERT_TRUE(ask(kNever).ok());
  proxy.Stall();
  for (std::uint32_t i = 0; i < options.breaker.failures_to_open; ++i) {
    EXPECT_FALSE(client->breaker().IsOpen());
    EXPECT_FALSE(ask(Deadline::After(real_time_, Millis{300})).ok());
  }
  EXPECT_TRUE(client->breaker().IsOpen());
  const std::uint64_t sent = proxy.BytesFromClients();
  const Status told = ask(kNever);
  EXPECT_EQ(told.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(told.error().message, HasSubstr("Neo4j at http://127.0.0.1:"));
  EXPECT_EQ(proxy.BytesFromClients(), sent) << "nobody was asked";
}

TEST_F(Neo4jFaults, TextNeverBecomesAStatement) {
  const std::vector<std::string> hostile = {
      "x' OR 1=1 //",
      "'}) DETACH DELETE n //",
      "`]->() DELETE r //",
      "\"); MATCH (n) DETACH DELETE n; //",
      "$p.user",
      "{key: 1}",
      "\\u0027}) //",
      "a\\",
      "Robert\xE2\x80\x99); --",
      "\xF0\x9F\xA6\x8A",
      "../../db/neo4j/tx/commit?x=1#",
      std::string(1024, 'n'),
      "tab\tline\nbell\x01",
  };
  const auto memory = Memory(*direct_);
  InMemorySemanticMemory twin(clock_);
  ASSERT_TRUE(
      memory->Apply(std::vector{Turn(ana_, {Says("user", Predicate::kLikes, "tea")})}, {}, kNever)
          .ok());
  for (const std::string& text : hostile) {
    const UserKey user{"tenant " + text, text};
    ReflectionPlan plan = Turn(user, {Says(text, Predicate::kState, text)});
    plan.facts.front().qualifier = text;
    plan.facts.front().object_is_entity = true;
    plan.entities = {{text, EntityType::kThing, {"the " + text, "sister"}}};
    plan.interaction_id = text;
    const Status applied = memory->Apply(std::vector{plan}, {}, kNever);
    ASSERT_TRUE(applied.ok()) << text << ": " << applied.error().message;
    ASSERT_TRUE(twin.Apply(std::vector{plan}, {}, kNever).ok());
    // Seen by a process that has kept nothing.
    const auto fresh = Memory(*direct_);
    EXPECT_EQ(Texts(*fresh, user), Texts(twin, user)) << text;
    EXPECT_TRUE(fresh->Find({.user = user, .terms = {text}, .as_of = {}}, kNever).ok());
    EXPECT_TRUE(fresh->Get(user.tenant, "fa_" + text, kNever).ok());
    EXPECT_TRUE(fresh->Unmerge(user, text, "sister", kNever).ok());
    EXPECT_EQ(*fresh->EraseUser(user, kNever), twin.List(user, "", 10, kNever)->items.size());
  }
  EXPECT_THAT(Texts(*memory, ana_), SizeIs(1));
}

// What a person sees who looks at the graph.
TEST_F(Neo4jFaults, TheGraphShowsWhoAndWhat) {
  const auto memory = Memory(*direct_);
  PlannedFact sister = Says("user", Predicate::kRelation, "Ana");
  sister.object_is_entity = true;
  ASSERT_TRUE(memory
                  ->Apply(std::vector{Turn(ana_, {sister}),
                                      Turn(ana_, {Says("user", Predicate::kLivesIn, "Porto")}),
                                      Turn(ana_, {Says("user", Predicate::kLivesIn, "Lyon")}),
                                      Turn(ana_, {Says("user", Predicate::kLivesIn, "Lyon")})},
                          {}, kNever)
                  .ok());
  const boost::json::object user{{"user", GraphKeys(space_->name()).User(ana_)}};
  EXPECT_EQ(Count("MATCH (u:UmbraUser {key: $p.user})-[:IS]->(e:Entity)-[:RELATION]->(f:Fact)"
                  "-[:OBJECT]->(a:Entity {name: 'Ana'})<-[:NAMES]-(:Name) RETURN count(f)",
                  user),
            1);
  EXPECT_EQ(Count("MATCH (u:UmbraUser {key: $p.user})-[:IS]->()-[:LIVES_IN]->(f:Fact)"
                  "-[:SUPERSEDED_BY]->(g:Fact {object: 'Lyon'})<-[:EVIDENCE_OF]-(s:Statement)"
                  " WHERE g.valid_to IS NULL AND f.valid_to IS NOT NULL RETURN count(s)",
                  user),
            1);
  ASSERT_TRUE(memory->EraseUser(ana_, kNever).ok());
  EXPECT_EQ(Count("MATCH (n) WHERE n.owner = $p.user OR n.key = $p.user RETURN count(n)", user), 0);
}

}  // namespace
}  // namespace umbranet
