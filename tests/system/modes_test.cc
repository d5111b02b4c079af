// Goal: each of the four modes does what it says, and modes change under load, by the admin API and
// by SIGHUP, without a turn lost or worked out twice.
// Method: the built binary on a folder of its own. What a mode says shows in the answers: inline,
// or queued; and in who reflects, for which the role api, without workers, is taken.
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

using Environment = std::map<std::string, std::string>;

const Environment kQuiet{{"EMBEDDER", "off"}};

Environment With(bool fast, bool queue, const std::string& role) {
  Environment environment = kQuiet;
  environment["MEMORY_FAST_MODE"] = fast ? "true" : "false";
  environment["REFLECTION_QUEUE_ENABLED"] = queue ? "true" : "false";
  environment["UMBRANET_ROLE"] = role;
  return environment;
}

std::string StatusOfChat(ServerProcess& server, const std::string& message = "I like tea.") {
  const auto reply = server.Post("/v1/chat", {{"user_id", "ana"}, {"message", message}});
  if (!reply || reply->status != 200) {
    return reply ? reply->body : "no answer";
  }
  return std::string(reply->Json().at("reflection").at("status").as_string());
}

std::int64_t Pending(ServerProcess& server, const std::string& user = "ana") {
  const auto reply = server.Call("GET", "/v1/users/" + EncodeSegment(user) + "/freshness");
  return reply ? reply->Json().at("pending").as_int64() : -1;
}

json::object Modes(ServerProcess& server) {
  const auto reply = server.Call("GET", "/v1/admin/modes");
  return reply ? reply->Json() : json::object();
}

json::object Change(ServerProcess& server, const json::object& change) {
  const auto reply = server.Call("PATCH", "/v1/admin/modes", json::serialize(change),
                                 {{"Content-Type", "application/json"}});
  EXPECT_TRUE(reply && reply->status == 200) << (reply ? reply->body : "no answer");
  return reply ? reply->Json() : json::object();
}

TEST(ModesTest, FastWithTheQueueLeavesReflectionToWhoeverHasWorkers) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(true, true, "api"));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "queued");
  EXPECT_EQ(Pending(server), 1) << "this process has no workers";
}

TEST(ModesTest, FastWithoutTheQueueReflectsInThisProcess) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(true, false, "api"));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "queued");
  EXPECT_TRUE(server.WaitReflected("ana")) << server.Log();
}

TEST(ModesTest, SlowWithoutTheQueueReflectsInTheRequest) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(false, false, "api"));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "inline");
  EXPECT_EQ(Pending(server), 0);
}

TEST(ModesTest, SlowWithTheQueueWaitsForAWorker) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(false, true, "all"));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "inline");
  EXPECT_EQ(Pending(server), 0);
}

TEST(ModesTest, AShareOfNobodyIsTheSlowMode) {
  const TemporaryFolder folder;
  Environment environment = With(true, false, "all");
  environment["FAST_MODE_PERCENT"] = "0";
  ServerProcess server(folder.path(), environment);
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "inline");
}

TEST(ModesTest, TheAdminApiShowsAndTurnsTheSwitches) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(true, true, "api"));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(StatusOfChat(server), "queued");
  const json::object changed = Change(server, {{"reflection_queue_enabled", false}});
  EXPECT_EQ(changed.at("reflection_queue_enabled"), false);
  EXPECT_EQ(changed.at("memory_fast_mode"), true);
  EXPECT_TRUE(server.WaitReflected("ana")) << "its workers take what was left: " << server.Log();
  Change(server, {{"reflection_queue_enabled", true}, {"fast_mode_percent", 100}});
  EXPECT_EQ(StatusOfChat(server, "I like coffee."), "queued");
  const auto refused = server.Call("PATCH", "/v1/admin/modes", R"({"fast_mode_percent":101})",
                                   {{"Content-Type", "application/json"}});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 400);
}

TEST(ModesTest, ASighupReadsTheSettingsAgain) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/settings.conf";
  std::ofstream(file) << "MEMORY_FAST_MODE=true\n" << std::flush;
  Environment environment = kQuiet;
  environment["UMBRANET_CONFIG"] = file;
  ServerProcess server(folder.path(), environment);
  ASSERT_TRUE(server.Running()) << server.Log();
  std::ofstream(file) << "MEMORY_FAST_MODE=false\nFAST_MODE_PERCENT=20\n" << std::flush;
  kill(server.Pid(), SIGHUP);
  bool seen = false;
  for (int look = 0; look < 2'000 && !seen; ++look) {
    seen = Modes(server).at("memory_fast_mode") == false;
  }
  EXPECT_TRUE(seen) << server.Log();
  EXPECT_EQ(Modes(server).at("fast_mode_percent"), 20);
  std::ofstream(file) << "MEMORY_FAST_MODE=perhaps\n" << std::flush;
  kill(server.Pid(), SIGHUP);
  EXPECT_EQ(StatusOfChat(server), "inline") << "a mistake in the file changes nothing";
}

TEST(ModesTest, ModesChangeUnderLoadWithoutATurnLostOrDoubled) {
  const TemporaryFolder folder;
  ServerProcess server(folder.path(), With(true, true, "api"));
  ASSERT_TRUE(server.Running()) << server.Log();
  std::atomic<int> accepted{0};
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 3; ++client) {
      clients.emplace_back([&server, &accepted, client] {
        for (int turn = 0; turn < 40; ++turn) {
          const auto reply =
              server.Post("/v1/interactions", {{"user_id", "u" + std::to_string(client)},
                                               {"interaction_id", "t" + std::to_string(turn)},
                                               {"user_message", "I planted tomatoes."}});
          ASSERT_TRUE(reply && reply->status == 202) << server.Log();
          ++accepted;
        }
      });
    }
    for (int change = 0; accepted.load() < 110; ++change) {
      Change(server, {{"memory_fast_mode", change % 2 == 0},
                      {"reflection_queue_enabled", change % 4 >= 2}});
    }
    Change(server, {{"memory_fast_mode", true}, {"reflection_queue_enabled", false}});
  }
  for (int client = 0; client < 3; ++client) {
    const std::string user = "u" + std::to_string(client);
    ASSERT_TRUE(server.WaitReflected(user)) << server.Log();
    const auto memories =
        server.Call("GET", "/v1/users/" + user + "/memories?tier=episodic&limit=1000");
    ASSERT_TRUE(memories);
    EXPECT_EQ(memories->Json().at("items").as_array().size(), 40U);
  }
}

}  // namespace
}  // namespace umbranet
