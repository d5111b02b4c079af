// Goal: whatever place a process dies at, no accepted turn is lost and none is worked out twice.
// Method: for each place on the way of a turn through one process, the built binary is made to die
// there (base/crash_point.h) while turns are handed in, and is started again; turns without an
// answer are handed in once more, as a client would. A place that is never reached fails its test.
// Those of several processes are in tests/integration/crash_points_test.cc.
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <thread>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr int kTurns = 12;
constexpr const char* kUsers[] = {"ana", "a/b c", "\xF0\x9F\xA6\x8A"};

std::string UserOf(int turn) {
  return kUsers[turn % 3];
}

std::string IdOf(int turn) {
  return "turn-" + std::to_string(turn);
}

// Those of `turns` that were answered; the server may be gone before the end.
std::set<int> HandIn(ServerProcess& server, const std::set<int>& turns) {
  std::set<int> answered;
  for (const int turn : turns) {
    const auto reply = server.Post("/v1/interactions", {{"user_id", UserOf(turn)},
                                                        {"interaction_id", IdOf(turn)},
                                                        {"user_message", "I planted tomatoes."}});
    if (reply && reply->status == 202) {
      answered.insert(turn);
    }
  }
  return answered;
}

// How often each turn is in the journal, and in the memories of what happened.
void Count(ServerProcess& server, const std::string& user, std::map<std::string, int>& journal,
           std::map<std::string, int>& episodes) {
  const std::string path = "/v1/users/" + EncodeSegment(user);
  const auto turns = server.Call("GET", path + "/interactions?limit=1000");
  const auto memories = server.Call("GET", path + "/memories?tier=episodic&limit=1000");
  ASSERT_TRUE(turns && turns->status == 200 && memories && memories->status == 200);
  const json::object listed = turns->Json();
  for (const json::value& item : listed.at("items").as_array()) {
    ++journal[std::string(item.at("interaction_id").as_string())];
  }
  const json::object remembered = memories->Json();
  for (const json::value& item : remembered.at("items").as_array()) {
    for (const json::value& source : item.at("sources").as_array()) {
      ++episodes[std::string(source.at("interaction_id").as_string())];
    }
  }
}

void ExpectAllOnce(ServerProcess& server) {
  std::map<std::string, int> journal;
  std::map<std::string, int> episodes;
  for (const char* const user : kUsers) {
    ASSERT_TRUE(server.WaitReflected(user)) << server.Log();
    Count(server, user, journal, episodes);
  }
  for (int turn = 0; turn < kTurns; ++turn) {
    EXPECT_EQ(journal[IdOf(turn)], 1) << IdOf(turn);
    EXPECT_EQ(episodes[IdOf(turn)], 1) << IdOf(turn);
  }
  EXPECT_EQ(journal.size(), std::size_t{kTurns});
}

class CrashPointTest : public testing::TestWithParam<const char*> {
 protected:
  static std::set<int> AllTurns() {
    std::set<int> turns;
    for (int turn = 0; turn < kTurns; ++turn) {
      turns.insert(turn);
    }
    return turns;
  }

  static std::map<std::string, std::string> Environment(const std::string& crash = "") {
    std::map<std::string, std::string> environment{{"EMBEDDER", "off"},
                                                   {"REFLECTOR_RETRY_DELAY", "1"}};
    if (!crash.empty()) {
      environment["UMBRANET_CRASH"] = crash;
    }
    return environment;
  }

  // What is asked of it fails once it is gone; until then it may be at work still.
  static bool WaitGone(ServerProcess& server) {
    const SystemClock clock;
    const Deadline patience = Deadline::After(clock, Millis{60'000});
    while (!patience.Expired()) {
      if (!server.Call("GET", "/healthz")) {
        return true;
      }
    }
    return false;
  }

  const TemporaryFolder folder_;
};

TEST_P(CrashPointTest, ADeathThereLosesNothingAndDoublesNothing) {
  std::set<int> waiting = AllTurns();
  {
    ServerProcess server(folder_.path(), Environment(std::string(GetParam()) + ":2:kill"));
    ASSERT_TRUE(server.Running()) << server.Log();
    for (const int turn : HandIn(server, waiting)) {
      waiting.erase(turn);
    }
    ASSERT_TRUE(WaitGone(server)) << GetParam() << " was never reached: " << server.Log();
  }
  ServerProcess server(folder_.path(), Environment());
  ASSERT_TRUE(server.Running()) << server.Log();
  for (const int turn : HandIn(server, waiting)) {
    waiting.erase(turn);
  }
  EXPECT_TRUE(waiting.empty());
  ExpectAllOnce(server);
}

// Each of these is on the way of every turn through one process.
INSTANTIATE_TEST_SUITE_P(Places, CrashPointTest,
                         testing::Values("accept.before_commit", "accept.after_commit",
                                         "accept.after_ring", "claim.after_commit",
                                         "plan.before_save", "plan.after_save", "tier.before_apply",
                                         "tier.after_apply", "progress.after_commit",
                                         "settle.before_commit", "settle.after_commit"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

TEST_F(CrashPointTest, AFailureToStoreIsToldAndATierThatFailsIsTriedAgain) {
  std::set<int> waiting = AllTurns();
  for (const std::string place : {"accept.before_commit", "tier.before_apply"}) {
    ServerProcess server(folder_.path(), Environment(place + ":1:error"));
    ASSERT_TRUE(server.Running()) << server.Log();
    for (const int turn : HandIn(server, waiting)) {
      waiting.erase(turn);
    }
    EXPECT_EQ(waiting.size(), place == "accept.before_commit" ? 1U : 0U);
  }
  ServerProcess server(folder_.path(), Environment());
  ASSERT_TRUE(server.Running()) << server.Log();
  ExpectAllOnce(server);
}

TEST_F(CrashPointTest, AStopInTheMiddleOfABatchIsGoneOnFrom) {
  ServerProcess server(folder_.path(), Environment("tier.after_apply:1:stop"));
  ASSERT_TRUE(server.Running()) << server.Log();
  // Whoever is stopped answers nothing.
  std::set<int> waiting = AllTurns();
  int status = 0;
  std::jthread continuer([&] {
    waitpid(server.Pid(), &status, WUNTRACED);
    kill(server.Pid(), SIGCONT);
  });
  for (const int turn : HandIn(server, waiting)) {
    waiting.erase(turn);
  }
  continuer.join();
  EXPECT_TRUE(WIFSTOPPED(status)) << "it was never stopped";
  EXPECT_TRUE(waiting.empty());
  ExpectAllOnce(server);
}

TEST_F(CrashPointTest, APlaceThatDoesNotExistIsAnErrorAtTheStart) {
  const CommandResult result =
      RunCommand({"config", "--data", folder_.path()}, {}, Environment("nowhere:1:kill"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.error.find("UMBRANET_CRASH is POINT:N:"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace umbranet
