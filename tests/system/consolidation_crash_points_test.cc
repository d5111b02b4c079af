// Goal: old episodes are consolidated once when there is nothing to reflect, also when the process
// dies in the middle, and taking it back leaves everything as it was.
// Method: the built binary on a folder of its own, and a model that plays a script. It is made to
// die with the model's answer in its hands (base/crash_point.h), and started again.
#include <map>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/scripted_http_server.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr int kTurns = 12;
constexpr std::string_view kConsolidated =
    R"({"sentences": [{"text": "The user planted tomatoes and beans.", "from": ["e1", "e2"]}]})";

// What a server of models says: to whoever asks about episodes what they come to, to others
// nothing of use, so that the rules reflect.
Script Answer(const ReceivedRequest& request) {
  const bool asked = request.body.find("<episodes>") != std::string::npos;
  const json::object message{{"role", "assistant"},
                             {"content", asked ? std::string(kConsolidated) : "none"}};
  const std::string body = json::serialize(json::object{
      {"choices", json::array{json::object{{"message", message}, {"finish_reason", "stop"}}}},
      {"usage", json::object{{"prompt_tokens", 100}, {"completion_tokens", 20}}}});
  return {SendBytes{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body}};
}

class ConsolidationCrashPointsTest : public ::testing::Test {
 protected:
  ConsolidationCrashPointsTest() { model_.AnswerWith(Answer); }

  [[nodiscard]] std::map<std::string, std::string> Environment(bool on) const {
    return {{"EMBEDDER", "off"},
            {"OPENAI_BASE_URL", model_.BaseUrl()},
            {"CONSOLIDATION", on ? "on" : "off"},
            {"CONSOLIDATION_AGE_DAYS", "30"},
            {"CONSOLIDATION_EPISODES_MIN", "10"}};
  }

  void TakeInOldTurns() {
    ServerProcess server(folder_.path(), Environment(false));
    ASSERT_TRUE(server.Running()) << server.Log();
    for (int turn = 0; turn < kTurns; ++turn) {
      const auto reply = server.Post(
          "/v1/interactions", {{"user_id", "ana"},
                               {"interaction_id", "turn-" + std::to_string(turn)},
                               {"timestamp", "2020-05-01T10:" + std::to_string(10 + turn) + ":00Z"},
                               {"user_message", "I planted tomatoes and beans today, row number " +
                                                    std::to_string(turn) + "."}});
      ASSERT_TRUE(reply && reply->status == 202);
    }
    ASSERT_TRUE(server.WaitReflected("ana")) << server.Log();
    server.Terminate();
  }

  // How many calls were made about episodes.
  [[nodiscard]] std::size_t Asked() const {
    std::size_t asked = 0;
    for (const ReceivedRequest& request : model_.Requests()) {
      asked += request.body.find("<episodes>") != std::string::npos ? 1U : 0U;
    }
    return asked;
  }

  static json::array List(ServerProcess& server, const std::string& what) {
    const auto reply = server.Call("GET", what == "consolidations"
                                              ? "/v1/admin/users/ana/consolidations"
                                              : "/v1/users/ana/memories?tier=episodic&limit=100");
    EXPECT_TRUE(reply && reply->status == 200);
    return reply ? reply->Json().at(what).as_array() : json::array();
  }

  static json::array AwaitConsolidations(ServerProcess& server) {
    const SystemClock clock;
    const Deadline patience = Deadline::After(clock, Millis{60'000});
    json::array list;
    while (list.empty() && !patience.Expired()) {
      list = List(server, "consolidations");
    }
    return list;
  }

  ScriptedHttpServer model_;
  const TemporaryFolder folder_;
};

TEST_F(ConsolidationCrashPointsTest, ADeathWithTheAnswerInItsHandsChangesNothing) {
  TakeInOldTurns();
  {
    auto environment = Environment(true);
    environment["UMBRANET_CRASH"] = std::string("consolidate.before_save") + ":1:kill";
    ServerProcess server(folder_.path(), environment);
    ASSERT_TRUE(server.Running()) << server.Log();
    const SystemClock clock;
    const Deadline patience = Deadline::After(clock, Millis{60'000});
    while (server.Call("GET", "/healthz")) {
      ASSERT_FALSE(patience.Expired()) << "the place was never reached: " << server.Log();
    }
    EXPECT_EQ(Asked(), 1U);
  }
  ServerProcess server(folder_.path(), Environment(true));
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(List(server, "items").size(), std::size_t{kTurns});
  const json::array consolidations = AwaitConsolidations(server);
  ASSERT_EQ(consolidations.size(), 1U) << server.Log();
  EXPECT_EQ(consolidations[0].at("text").as_string(), "The user planted tomatoes and beans.");
  EXPECT_EQ(consolidations[0].at("sources").as_array().size(), std::size_t{kTurns});
  EXPECT_EQ(Asked(), 2U);
}

TEST_F(ConsolidationCrashPointsTest, UndoingItByCommandLeavesEverythingAsItWas) {
  TakeInOldTurns();
  ServerProcess server(folder_.path(), Environment(true));
  ASSERT_TRUE(server.Running()) << server.Log();
  const json::array consolidations = AwaitConsolidations(server);
  ASSERT_EQ(consolidations.size(), 1U) << server.Log();
  const std::string id(consolidations[0].at("memory_id").as_string());
  const json::array items = List(server, "items");
  ASSERT_EQ(items.size(), std::size_t{kTurns} + 1U);
  EXPECT_EQ(items[0].at("memory_id").as_string(), id);
  EXPECT_EQ(items[1].at("consolidated_in").as_string(), id);
  const auto usage = server.Call("GET", "/v1/admin/usage");
  ASSERT_TRUE(usage && usage->status == 200);
  EXPECT_THAT(usage->body, HasSubstr("\"consolidation\""));

  const std::vector<std::string> command = {"--data", folder_.path(), "consolidation"};
  const auto run = [&command](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return RunCommand(more);
  };
  const CommandResult listed = run({"list", "--user", "ana"});
  EXPECT_THAT(listed.out, HasSubstr(id + "  2020-05-01, of 12 episodes, by gpt-4o-mini"));
  EXPECT_NE(run({"undo"}).exit_code, 0);
  EXPECT_THAT(run({"undo", id}).out, HasSubstr("undone: 1"));
  EXPECT_NE(run({"undo", id}).exit_code, 0);
  EXPECT_THAT(run({"undo", "--all", "--user", "ana"}).out, HasSubstr("undone: 0"));
  EXPECT_THAT(run({"list", "--user", "ana"}).out, HasSubstr("no episodes are consolidated"));
  const json::array after = List(server, "items");
  ASSERT_EQ(after.size(), std::size_t{kTurns});
  for (const json::value& item : after) {
    EXPECT_FALSE(item.as_object().contains("consolidated_in"));
  }
}

}  // namespace
}  // namespace umbranet
