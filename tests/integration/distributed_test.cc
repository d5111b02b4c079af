// Goal: an installation of several processes on real servers takes in every turn once, in every
// tier, though one of its reflectors is killed; and nobody waits for the lease of the one that is
// gone. What one process forgets no other answers with.
// Method: the built binary, as an API process and two reflectors, in a keyspace of the test's own;
// users are called what nobody is called. The stores are counted by themselves. A reflector whose
// graph is behind a proxy that stalls is certain to have a lease when it is killed.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/neo4j/neo4j_url.h"

#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/neo4j_world.h"
#include "tests/integration/postgres_harness.h"
#include "tests/integration/rabbitmq_harness.h"
#include "tests/integration/servers.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kUsers = 20;
constexpr int kTurnsEach = 10;
constexpr std::int64_t kTurns = kUsers * kTurnsEach;

constexpr const char* kServers[] = {"POSTGRES_URL", "REDIS_URL", "NEO4J_URL", "RABBITMQ_URL"};

constexpr std::string_view kLeased = "SELECT count(*) FROM account WHERE lease_token IS NOT NULL";
constexpr std::string_view kDone = "SELECT count(*) FROM job WHERE state = 2";
constexpr std::string_view kTakenFromADeadProcess =
    "SELECT count(*) FROM attempt WHERE error LIKE 'the process ended while %'";
constexpr std::string_view kMarkers = "SELECT count(*) FROM tier_applied";
constexpr std::string_view kRemembered =
    "SELECT count(DISTINCT (user_key, interaction_id)) FROM episode";
constexpr std::string_view kDoubled =
    "SELECT count(*) FROM (SELECT FROM episode GROUP BY user_key, interaction_id, ordinal"
    " HAVING count(*) > 1) AS more";
constexpr std::string_view kGraphMarkers =
    "MATCH (u:UmbraUser {space: $p.space}) MATCH (m:ReflectionApplied {owner: u.key})"
    " RETURN count(m)";

std::string UserName(int user) {
  static const std::string kHostile[] = {"../../etc/passwd", "'; DROP TABLE turn; --",
                                         "a.b/c?d#e%00", "\xF0\x9F\xA6\x8A \xC3\xA9",
                                         std::string(250, 'x')};
  return kHostile[user % 5] + std::to_string(user);
}

class DistributedTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* const server : kServers) {
      if (const std::string missing = MissingServer(server); !missing.empty()) {
        GTEST_SKIP() << missing;
      }
    }
    schema_ = std::make_unique<PostgresSchema>();
    pool_ = schema_->OpenPool(2);
    graph_space_ = std::make_unique<Neo4jKeySpace>(schema_->name());
    graph_ = OpenNeo4j(Neo4jTestUrl());
    broker_ = std::make_unique<RabbitMqPlace>();
  }

  [[nodiscard]] std::map<std::string, std::string> Environment() const {
    std::map<std::string, std::string> environment = {
        {"UMBRANET_KEYSPACE", schema_->name()},
        {"RABBITMQ_EXCHANGE", broker_->names().exchange},
        {"RABBITMQ_QUEUE", broker_->names().queue},
        {"EMBEDDER", "off"},
        // On a machine under load a tier may be late; whoever was killed is another matter.
        {"UMBRANET_TIER_TIMEOUT_MS", "30000"},
        {"REFLECTOR_RETRY_DELAY", "1"}};
    for (const char* const server : kServers) {
      environment[server] = ServerUrl(server).value_or("");
    }
    return environment;
  }

  // Every user's next turns, `count` of them, each user's in order.
  static void HandIn(ServerProcess& api, int first, int count) {
    for (int turn = first; turn < first + count; ++turn) {
      json::array items;
      for (int user = 0; user < kUsers; ++user) {
        items.push_back({{"user_id", UserName(user)},
                         {"interaction_id", "turn-" + std::to_string(turn)},
                         {"user_message", "My friend Ana lives in Porto."}});
      }
      const auto reply = api.Post("/v1/interactions", {{"items", std::move(items)}});
      ASSERT_TRUE(reply) << api.Log();
      ASSERT_EQ(reply->status, 202) << reply->body;
    }
  }

  [[nodiscard]] std::int64_t Count(std::string_view sql) const {
    const auto count = pool_->Read(
        Deadline::Never(), [sql](PostgresConnection& connection) -> Result<std::int64_t> {
          UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql));
          return rows[0].Int(0);
        });
    EXPECT_TRUE(count.ok()) << count.error().message;
    return count.ok() ? *count : -1;
  }

  [[nodiscard]] std::int64_t CountGraphMarkers() const {
    const auto answer =
        graph_->Run({{kGraphMarkers, {{"space", schema_->name()}}}}, Deadline::Never());
    const auto* const rows = std::get_if<json::array>(&answer);
    return rows == nullptr ? -1 : rows->front().as_array().front().as_int64();
  }

  // Other processes cannot signal this one, so the server is asked again and again.
  [[nodiscard]] bool WaitUntil(const std::function<bool()>& condition) const {
    const Deadline patience = Deadline::After(clock_, std::chrono::seconds(50));
    while (!condition()) {
      if (patience.Expired()) {
        return false;
      }
      std::this_thread::sleep_for(Millis{10});
    }
    return true;
  }

  const SystemClock clock_;
  const TemporaryFolder folder_;
  std::unique_ptr<PostgresSchema> schema_;
  std::unique_ptr<PostgresPool> pool_;
  std::unique_ptr<Neo4jKeySpace> graph_space_;
  std::unique_ptr<Neo4jClient> graph_;
  std::unique_ptr<RabbitMqPlace> broker_;
};

TEST_F(DistributedTest, EveryTurnIsTakenInOnceThoughAReflectorIsKilled) {
  const auto environment = Environment();
  ServerProcess api(folder_.path() + "/api", environment, {"--role", "api"});
  ASSERT_TRUE(api.Running()) << api.Log();
  ReflectorProcess killed(folder_.path() + "/killed.log", environment);
  ReflectorProcess heir(folder_.path() + "/heir.log", environment);
  ASSERT_TRUE(killed.Running()) << killed.Log();
  ASSERT_TRUE(heir.Running()) << heir.Log();

  HandIn(api, 0, kTurnsEach / 2);
  EXPECT_TRUE(WaitUntil([&] { return Count(kLeased) > 0; })) << heir.Log();
  killed.Kill();
  HandIn(api, kTurnsEach / 2, kTurnsEach - kTurnsEach / 2);

  EXPECT_TRUE(WaitUntil([&] { return Count(kDone) == kTurns; })) << heir.Log();
  EXPECT_EQ(Count(kDone), kTurns);
  EXPECT_EQ(Count(kMarkers), 2 * kTurns) << "of the two tiers in PostgreSQL";
  EXPECT_EQ(CountGraphMarkers(), kTurns);
  EXPECT_EQ(Count(kRemembered), kTurns);
  EXPECT_EQ(Count(kDoubled), 0);

  for (int user = 0; user < kUsers; ++user) {
    const std::string path = "/v1/users/" + EncodeSegment(UserName(user));
    const auto graph = api.Call("GET", path + "/memories?tier=semantic");
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->status, 200) << graph->body;
    EXPECT_NE(graph->body.find("Porto"), std::string::npos) << UserName(user);
    const auto forgotten = api.Call("DELETE", path);
    ASSERT_TRUE(forgotten);
    EXPECT_EQ(forgotten->status, 200) << forgotten->body;
  }
  // What the servers' adapters say of themselves.
  const auto metrics = api.Call("GET", "/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_THAT(metrics->body, HasSubstr("umbranet_reflection_published_total "));
  EXPECT_THAT(metrics->body, Not(HasSubstr("umbranet_reflection_published_total 0")));
  EXPECT_THAT(metrics->body, Not(HasSubstr("umbranet_postgres_connections{state=\"idle\"} 0")));
  for (const char* const server : {"postgres", "redis", "neo4j", "rabbitmq"}) {
    EXPECT_THAT(metrics->body, HasSubstr("umbranet_server_breaker_open{server=\"" +
                                         std::string(server) + "\"} 0"));
  }
  EXPECT_EQ(heir.Terminate(), 0) << heir.Log();
  EXPECT_EQ(api.Terminate(), 0) << api.Log();
}

TEST_F(DistributedTest, AKilledReflectorsTurnIsTakenOverWithoutWaitingForItsLease) {
  const auto server = ParseNeo4jUrl(Neo4jTestUrl()).value();
  TcpFaultProxy proxy("127.0.0.1", server.base.port);
  auto environment = Environment();
  ServerProcess api(folder_.path() + "/api", environment, {"--role", "api"});
  ASSERT_TRUE(api.Running()) << api.Log();
  auto stalled = environment;
  stalled["NEO4J_URL"] = Neo4jTestUrl("127.0.0.1:" + std::to_string(proxy.port()));
  ReflectorProcess killed(folder_.path() + "/killed.log", stalled);
  ASSERT_TRUE(killed.Running()) << killed.Log();
  proxy.Stall();
  const auto reply = api.Post(
      "/v1/interactions", {{"user_id", UserName(0)}, {"user_message", "My friend Ana is here."}});
  ASSERT_TRUE(reply) << api.Log();
  ASSERT_TRUE(WaitUntil([&] { return Count(kLeased) == 1; })) << killed.Log();
  ReflectorProcess heir(folder_.path() + "/heir.log", environment);
  ASSERT_TRUE(heir.Running()) << heir.Log();

  killed.Kill();
  const SteadyTime killed_at = clock_.SteadyNow();
  ASSERT_TRUE(WaitUntil([&] { return Count(kDone) == 1; })) << heir.Log();
  const auto took = std::chrono::duration_cast<Millis>(clock_.SteadyNow() - killed_at);
  RecordProperty("ms_from_the_kill_until_it_was_reflected", static_cast<int>(took.count()));
  EXPECT_EQ(Count(kTakenFromADeadProcess), 1)
      << "its lease expired, after " << took.count() << " ms";
}

TEST_F(DistributedTest, WhatOneProcessForgetsAnotherDoesNotAnswerWithThoughItHeldIt) {
  const auto environment = Environment();
  ServerProcess holds(folder_.path() + "/holds", environment, {"--role", "api"});
  ServerProcess forgets(folder_.path() + "/forgets", environment, {"--role", "api"});
  ReflectorProcess reflector(folder_.path() + "/reflector.log", environment);
  ASSERT_TRUE(holds.Running() && forgets.Running() && reflector.Running()) << holds.Log();
  const std::string user = UserName(3);
  const std::string path = "/v1/users/" + EncodeSegment(user);
  const auto said = holds.Post("/v1/chat", {{"user_id", user},
                                            {"session_id", "s"},
                                            {"message",
                                             "My friend Ana lives in Porto. Always"
                                             " answer in metric units."}});
  ASSERT_TRUE(said) << holds.Log();
  ASSERT_EQ(said->status, 200) << said->body;
  ASSERT_TRUE(holds.WaitReflected(user)) << reflector.Log();
  const auto answers = [&] {
    std::string all;
    for (const std::string place :
         {"/export", "/profile", "/memories?tier=episodic", "/memories?tier=semantic",
          "/memories?tier=procedural", "/memories?tier=short_term"}) {
      const auto answer = holds.Call("GET", path + place);
      EXPECT_TRUE(answer && answer->status == 200) << place;
      all += answer ? answer->body : "";
    }
    const auto recalled = holds.Post(
        "/v1/recall",
        {{"user_id", user}, {"session_id", "s"}, {"query", "Where does Ana live? Units?"}});
    EXPECT_TRUE(recalled && recalled->status == 200);
    return all + (recalled ? recalled->body : "");
  };
  EXPECT_THAT(answers(), AllOf(HasSubstr("Porto"), HasSubstr("metric units")));
  const auto forgotten = forgets.Call("DELETE", path);
  ASSERT_TRUE(forgotten);
  ASSERT_EQ(forgotten->status, 200) << forgotten->body;
  EXPECT_THAT(answers(), AllOf(Not(HasSubstr("Porto")), Not(HasSubstr("metric"))));
}

}  // namespace
}  // namespace umbranet
