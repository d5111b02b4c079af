// Goal: whatever place of several processes one of them dies at, no accepted turn is lost and none
// is worked out twice. Method: as in tests/system/crash_points_test.cc, over real servers: places
// of the spool, while PostgreSQL is frozen, and of the broker.
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/integration/neo4j_world.h"
#include "tests/integration/postgres_harness.h"
#include "tests/integration/postgres_server.h"
#include "tests/integration/rabbitmq_harness.h"
#include "tests/integration/servers.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

constexpr int kTurns = 6;
constexpr const char* kServers[] = {"POSTGRES_URL", "REDIS_URL", "NEO4J_URL", "RABBITMQ_URL"};
constexpr std::string_view kInJournal = "SELECT count(*) FROM turn";
constexpr std::string_view kDone = "SELECT count(*) FROM job WHERE state = 2";
constexpr std::string_view kMarkers = "SELECT count(*) FROM tier_applied";
constexpr std::string_view kDoubled =
    "SELECT count(*) FROM (SELECT FROM episode GROUP BY user_key, interaction_id, ordinal"
    " HAVING count(*) > 1) AS more";

class CrashPointsOfServers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    for (const char* const server : kServers) {
      if (const std::string missing = MissingServer(server); !missing.empty()) {
        GTEST_SKIP() << missing;
      }
    }
    if (PostgresServer::Pid() <= 0) {
      GTEST_SKIP() << "POSTGRES_URL names a server that scripts/services did not start here";
    }
    schema_ = std::make_unique<PostgresSchema>();
    graph_space_ = std::make_unique<Neo4jKeySpace>(schema_->name());
    broker_ = std::make_unique<RabbitMqPlace>();
  }

  [[nodiscard]] std::map<std::string, std::string> Environment(bool crashes) const {
    std::map<std::string, std::string> environment = {
        {"UMBRANET_KEYSPACE", schema_->name()},
        {"RABBITMQ_EXCHANGE", broker_->names().exchange},
        {"RABBITMQ_QUEUE", broker_->names().queue},
        {"EMBEDDER", "off"},
        {"UMBRANET_TIER_TIMEOUT_MS", "30000"},
        {"REFLECTOR_RETRY_DELAY", "1"}};
    for (const char* const server : kServers) {
      environment[server] = ServerUrl(server).value_or("");
    }
    if (crashes) {
      environment["UMBRANET_CRASH"] = std::string(GetParam()) + ":1:kill";
    }
    return environment;
  }

  static int HandIn(ServerProcess& api) {
    int accepted = 0;
    for (int turn = 0; turn < kTurns; ++turn) {
      const auto reply =
          api.Post("/v1/interactions", {{"user_id", "ana"},
                                        {"interaction_id", "turn-" + std::to_string(turn)},
                                        {"user_message", "I planted tomatoes."}});
      accepted += reply && reply->status == 202 ? 1 : 0;
    }
    return accepted;
  }

  [[nodiscard]] std::int64_t Count(std::string_view sql) const { return schema_->Count(sql); }

  // Other processes cannot signal this one, so they are asked again and again.
  [[nodiscard]] bool WaitUntil(const std::function<bool()>& condition) const {
    const Deadline patience = Deadline::After(clock_, std::chrono::seconds(90));
    while (!condition()) {
      if (patience.Expired()) {
        return false;
      }
      std::this_thread::sleep_for(Millis{20});
    }
    return true;
  }

  void ExpectAllOnce(const std::string& log) const {
    EXPECT_TRUE(WaitUntil([&] { return Count(kDone) == kTurns; })) << log;
    EXPECT_EQ(Count(kInJournal), kTurns);
    EXPECT_EQ(Count(kMarkers), 2 * kTurns) << "of the two tiers in PostgreSQL";
    EXPECT_EQ(Count(kDoubled), 0);
  }

  const SystemClock clock_;
  const TemporaryFolder folder_;
  std::unique_ptr<PostgresSchema> schema_;
  std::unique_ptr<Neo4jKeySpace> graph_space_;
  std::unique_ptr<RabbitMqPlace> broker_;
};

class CrashPointsOfServing : public CrashPointsOfServers {};

TEST_P(CrashPointsOfServing, ADeathThereLosesNothingAndDoublesNothing) {
  {
    ServerProcess dying(folder_.path(), Environment(true));
    ASSERT_TRUE(dying.Running()) << dying.Log();
    PostgresServer::Signal(SIGSTOP);
    HandIn(dying);
    PostgresServer::Signal(SIGCONT);
    ASSERT_TRUE(WaitUntil([&] { return !dying.Call("GET", "/healthz"); }))
        << GetParam() << " was never reached: " << dying.Log();
  }
  ServerProcess server(folder_.path(), Environment(false));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(HandIn(server), kTurns);
  ExpectAllOnce(server.Log());
}

INSTANTIATE_TEST_SUITE_P(Places, CrashPointsOfServing,
                         testing::Values("spool.after_commit", "forward.after_accept",
                                         "forward.after_mark", "publish.after_send"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

class CrashPointsOfReflecting : public CrashPointsOfServers {};

TEST_P(CrashPointsOfReflecting, ADeathThereLosesNothingAndDoublesNothing) {
  ServerProcess api(folder_.path(), Environment(false), {"--role", "api"});
  ASSERT_TRUE(api.Running()) << api.Log();
  ReflectorProcess dying(folder_.path() + "/dying.log", Environment(true));
  ASSERT_TRUE(dying.Running()) << dying.Log();
  EXPECT_EQ(HandIn(api), kTurns);
  EXPECT_TRUE(WaitUntil([&] { return dying.Ended(); })) << GetParam() << " was never reached";
  ReflectorProcess heir(folder_.path() + "/heir.log", Environment(false));
  ASSERT_TRUE(heir.Running()) << heir.Log();
  ExpectAllOnce(heir.Log());
}

INSTANTIATE_TEST_SUITE_P(Places, CrashPointsOfReflecting,
                         testing::Values("consume.before_take", "consume.before_ack"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

}  // namespace
}  // namespace umbranet
