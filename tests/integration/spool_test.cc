// Goal: PostgreSQL may freeze, die and come back under load: every turn that was answered is in the
// stores once, in the order of its user, and nobody is refused meanwhile.
// Method: the built binary over a real server, in a schema of the test's own; the server is stopped
// (SIGSTOP), killed (SIGKILL) and started again while clients hand in turns; the stores are counted
// by themselves.
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "umbranet/ports/journal.h"

#include "tests/integration/postgres_harness.h"
#include "tests/integration/postgres_server.h"
#include "tests/integration/servers.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr int kUsers = 8;
constexpr int kClients = 4;
// Between two turns of a client: what is accepted has to be reflected as well.
constexpr Millis kPace{40};

constexpr std::string_view kTurns = "SELECT count(*) FROM turn";
constexpr std::string_view kDone = "SELECT count(*) FROM job WHERE state = 2";
constexpr std::string_view kMarkers = "SELECT count(*) FROM tier_applied";
constexpr std::string_view kRemembered =
    "SELECT count(DISTINCT (user_key, interaction_id)) FROM episode";
constexpr std::string_view kDoubled =
    "SELECT count(*) FROM (SELECT FROM episode GROUP BY user_key, interaction_id, ordinal"
    " HAVING count(*) > 1) AS more";
// Of a user, in which a later turn has an earlier place. Ids count up with each user.
constexpr std::string_view kOutOfOrder =
    "SELECT count(*) FROM turn a JOIN turn b ON a.user_key = b.user_key AND a.seq < b.seq"
    " AND a.interaction_id > b.interaction_id";

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("POSTGRES_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    if (PostgresServer::Pid() <= 0) {
      GTEST_SKIP() << "POSTGRES_URL names a server that scripts/services did not start here";
    }
    schema_ = std::make_unique<PostgresSchema>();
  }

  [[nodiscard]] std::map<std::string, std::string> Environment() const {
    return {{"UMBRANET_KEYSPACE", schema_->name()},
            {"POSTGRES_URL", ServerUrl("POSTGRES_URL").value_or("")},
            {"EMBEDDER", "off"},
            {"UMBRANET_TIER_TIMEOUT_MS", "30000"},
            {"REFLECTOR_RETRY_DELAY", "1"}};
  }

  [[nodiscard]] std::int64_t Count(std::string_view sql) const { return schema_->Count(sql); }

  // Other processes cannot signal this one, so the server is asked again and again.
  [[nodiscard]] bool WaitUntil(const std::function<bool()>& condition) const {
    const Deadline patience = Deadline::After(clock_, std::chrono::seconds(120));
    while (!condition()) {
      if (patience.Expired()) {
        return false;
      }
      std::this_thread::sleep_for(Millis{20});
    }
    return true;
  }

  void Pause(Millis length) const { std::this_thread::sleep_for(length); }

  static std::string Status(ServerProcess& server) {
    const auto ready = server.Call("GET", "/readyz");
    return ready ? std::string(ready->Json().at("status").as_string()) : "";
  }

  void ExpectAllOnce(std::int64_t accepted, const std::string& log) const {
    EXPECT_TRUE(WaitUntil([&] { return Count(kDone) == accepted; })) << log;
    EXPECT_EQ(Count(kTurns), accepted);
    EXPECT_EQ(Count(kDone), accepted);
    EXPECT_EQ(Count(kMarkers), 2 * accepted) << "of the two tiers in PostgreSQL";
    EXPECT_EQ(Count(kRemembered), accepted);
    EXPECT_EQ(Count(kDoubled), 0);
    EXPECT_EQ(Count(kOutOfOrder), 0);
  }

  const SystemClock clock_;
  const TemporaryFolder folder_;
  std::unique_ptr<PostgresSchema> schema_;
};

// Hands in turns until it is told to stop; each user's come from one client, one after the other.
class Load {
 public:
  explicit Load(ServerProcess& server) {
    for (int client = 0; client < kClients; ++client) {
      clients_.emplace_back([this, &server, client](const std::stop_token& stop) {
        for (int turn = 0; !stop.stop_requested(); ++turn) {
          const int user = client + kClients * (turn % (kUsers / kClients));
          Send(server, user, turn);
          std::this_thread::sleep_for(kPace);
        }
      });
    }
  }

  void Stop() {
    for (std::jthread& client : clients_) {
      client.request_stop();
    }
    clients_.clear();
  }

  [[nodiscard]] std::int64_t Accepted() const { return accepted_.load(); }

  [[nodiscard]] std::int64_t Spooled() const { return spooled_.load(); }

  [[nodiscard]] std::int64_t Refused() const { return refused_.load(); }

  std::string FirstRefusal() {
    const std::scoped_lock lock(mutex_);
    return first_refusal_;
  }

 private:
  void Send(ServerProcess& server, int user, int turn) {
    std::ostringstream id;
    id.width(8);
    id.fill('0');
    id << turn;
    const auto reply = server.Post("/v1/interactions", {{"user_id", "u" + std::to_string(user)},
                                                        {"interaction_id", id.str()},
                                                        {"user_message", "I planted tomatoes."}});
    if (reply && reply->status == 202) {
      ++accepted_;
      spooled_ += reply->body.find("\"spooled\"") != std::string::npos ? 1 : 0;
      return;
    }
    const std::scoped_lock lock(mutex_);
    if (refused_++ == 0) {
      first_refusal_ = reply ? reply->body : "no answer";
    }
  }

  std::atomic<std::int64_t> accepted_{0};
  std::atomic<std::int64_t> spooled_{0};
  std::atomic<std::int64_t> refused_{0};
  std::mutex mutex_;
  std::string first_refusal_;
  std::vector<std::jthread> clients_;
};

TEST_F(SpoolTest, NothingIsRefusedLostOrDoubledWhileTheServerFreezesAndDies) {
  ServerProcess server(folder_.path(), Environment());
  ASSERT_TRUE(server.Running()) << server.Log();
  Load load(server);
  Pause(Millis{500});
  PostgresServer::Signal(SIGSTOP);
  Pause(Millis{2'000});
  PostgresServer::Signal(SIGCONT);
  Pause(Millis{1'500});
  PostgresServer::Signal(SIGKILL);
  Pause(Millis{1'000});
  ASSERT_TRUE(PostgresServer::StartAgain());
  Pause(Millis{1'500});
  load.Stop();
  EXPECT_EQ(load.Refused(), 0) << load.FirstRefusal();
  EXPECT_GT(load.Spooled(), 0);
  ExpectAllOnce(load.Accepted(), server.Log());
  EXPECT_TRUE(WaitUntil([&] { return Status(server) == "ready"; })) << server.Log();
  RecordProperty("accepted", std::to_string(load.Accepted()));
  RecordProperty("spooled", std::to_string(load.Spooled()));
}

TEST_F(SpoolTest, WhatWaitsOutlivesTheProcessAndIsForwardedBeforeItSaysReady) {
  std::int64_t accepted = 0;
  {
    ServerProcess server(folder_.path(), Environment());
    ASSERT_TRUE(server.Running()) << server.Log();
    PostgresServer::Signal(SIGSTOP);
    Load load(server);
    EXPECT_TRUE(WaitUntil([&] { return load.Spooled() >= 100; })) << server.Log();
    EXPECT_EQ(Status(server), "degraded");
    load.Stop();
    accepted = load.Accepted();
    server.Kill();
    PostgresServer::Signal(SIGCONT);
  }
  ServerProcess server(folder_.path(), Environment());
  ASSERT_TRUE(server.Running()) << server.Log();
  ASSERT_TRUE(WaitUntil([&] { return Status(server) == "ready"; })) << server.Log();
  EXPECT_EQ(Count(kTurns), accepted) << "it said ready before all were forwarded";
  ExpectAllOnce(accepted, server.Log());
}

TEST_F(SpoolTest, TheConversationGoesOnAndATurnIsFoundAtOnceWhileTheServerIsAway) {
  ServerProcess server(folder_.path(), Environment());
  ASSERT_TRUE(server.Running()) << server.Log();
  PostgresServer::Signal(SIGSTOP);
  const auto first =
      server.Post("/v1/chat", {{"user_id", "ana"}, {"message", "I planted sixteen tulips."}});
  ASSERT_TRUE(first && first->status == 200) << server.Log();
  EXPECT_EQ(first->Json().at("reflection").at("status").as_string(), "spooled");
  const auto second =
      server.Post("/v1/chat", {{"user_id", "ana"}, {"message", "How many tulips did I plant?"}});
  ASSERT_TRUE(second && second->status == 200) << server.Log();
  EXPECT_NE(second->body.find("sixteen tulips"), std::string::npos) << second->body;
  const std::string job_id(first->Json().at("reflection").at("job_id").as_string());
  const auto job = server.Call("GET", "/v1/reflections/" + job_id);
  ASSERT_TRUE(job && job->status == 200) << server.Log();
  EXPECT_EQ(job->Json().at("status").as_string(), "spooled");
  PostgresServer::Signal(SIGCONT);
  ASSERT_TRUE(WaitUntil([&] { return Status(server) == "ready"; })) << server.Log();
  ASSERT_TRUE(server.WaitReflected("ana")) << server.Log();
  EXPECT_EQ(Count(kTurns), 2);
}

TEST_F(SpoolTest, AnOrphanIsForwardedByHand) {
  std::int64_t accepted = 0;
  {
    ServerProcess server(folder_.path(), Environment());
    ASSERT_TRUE(server.Running()) << server.Log();
    PostgresServer::Signal(SIGSTOP);
    Load load(server);
    EXPECT_TRUE(WaitUntil([&] { return load.Spooled() >= 20; })) << server.Log();
    load.Stop();
    accepted = load.Accepted();
    server.Kill();
  }
  PostgresServer::Signal(SIGCONT);
  const CommandResult status = RunCommand({"spool", "--data", folder_.path()}, {}, Environment());
  EXPECT_NE(status.out.find(std::to_string(accepted) + " turns wait"), std::string::npos)
      << status.out << status.error;
  const CommandResult forward =
      RunCommand({"spool", "forward", folder_.path() + "/spool.db"}, {}, Environment());
  EXPECT_EQ(forward.exit_code, 0) << forward.error;
  EXPECT_EQ(Count(kTurns), accepted) << forward.out;
}

}  // namespace
}  // namespace umbranet
