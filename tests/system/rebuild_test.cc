// Goal: a user's memory is worked out anew, compared, swapped in, taken back and freed by
// `umbranet rebuild`, with a server and without one.
// Method: the built binary on a folder of its own.
#include <map>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;

// Vectors are no part of this, and reading their model takes its time with every command.
const std::map<std::string, std::string> kByWordsAlone = {{"EMBEDDER", "off"}};

boost::json::object Rebuild(const std::string& folder, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"--data", folder, "--json", "rebuild", "--user", "kim"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const CommandResult result = RunCommand(arguments, {}, kByWordsAlone);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(result.out, error);
  EXPECT_TRUE(!error && parsed.is_object()) << result.out;
  return parsed.is_object() ? parsed.get_object() : boost::json::object();
}

std::int64_t Count(const boost::json::object& answer, std::string_view tier,
                   std::string_view what) {
  return answer.at("difference").at(tier).at(what).to_number<std::int64_t>();
}

class RebuildTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerProcess server(folder_.path(), kByWordsAlone);
    ASSERT_TRUE(server.Running());
    for (const char* const said : {"My sister Ana lives in Porto.", "Always answer in French."}) {
      ASSERT_TRUE(server.Post("/v1/interactions", {{"user_id", "kim"}, {"user_message", said}}));
    }
    ASSERT_TRUE(server.WaitReflected("kim"));
    server.Terminate();
  }

  const TemporaryFolder folder_;
};

TEST_F(RebuildTest, TheSameRulesMakeTheSameMemory) {
  const auto answer = Rebuild(folder_.path(), {"--rules"});
  for (const char* const tier : {"episodic", "semantic", "procedural"}) {
    EXPECT_GT(Count(answer, tier, "before"), 0) << tier;
    EXPECT_EQ(Count(answer, tier, "same"), Count(answer, tier, "before")) << tier;
    EXPECT_EQ(Count(answer, tier, "added"), 0) << tier;
  }
  EXPECT_EQ(answer.at("shadow").at("lacking").to_number<std::int64_t>(), 0);
  EXPECT_EQ(Rebuild(folder_.path(), {"--swap"}).at("queued_jobs").to_number<std::int64_t>(), 0);
  const CommandResult recalled = RunCommand(
      {"--data", folder_.path(), "recall", "Where does my sister live?", "--user", "kim"});
  EXPECT_THAT(recalled.out, HasSubstr("Porto"));
  Rebuild(folder_.path(), {"--back"});
  EXPECT_EQ(Rebuild(folder_.path(), {"--discard"}).at("discarded").to_number<std::int64_t>(), 1);
  const CommandResult nothing = RunCommand(
      {"--data", folder_.path(), "rebuild", "--user", "kim", "--swap"}, {}, kByWordsAlone);
  EXPECT_NE(nothing.exit_code, 0);
  EXPECT_THAT(nothing.error, HasSubstr("nothing has been worked out anew"));
}

TEST_F(RebuildTest, ATurnThatComesInTheMiddleIsInBothMemories) {
  ServerProcess server(folder_.path(), kByWordsAlone);
  ASSERT_TRUE(server.Running());
  const std::string path = "/v1/admin/users/kim/rebuild";
  const auto step = server.Post(path, {{"rules", true}, {"turns_max", 1}});
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->status, 200) << step->body;
  EXPECT_EQ(step->Json().at("taken").to_number<std::int64_t>(), 1);
  ASSERT_TRUE(
      server.Post("/v1/interactions", {{"user_id", "kim"}, {"user_message", "I like plums."}}));
  ASSERT_TRUE(server.WaitReflected("kim"));
  const auto swapped = server.Post(path + "/swap", {{"to", "shadow"}});
  ASSERT_TRUE(swapped.has_value());
  EXPECT_EQ(swapped->Json().at("queued_jobs").to_number<std::int64_t>(), 2);
  ASSERT_TRUE(server.WaitReflected("kim"));
  const auto memories = server.Call("GET", "/v1/users/kim/memories");
  ASSERT_TRUE(memories.has_value());
  EXPECT_THAT(memories->body, HasSubstr("Porto"));
  EXPECT_THAT(memories->body, HasSubstr("French"));
  EXPECT_THAT(memories->body, HasSubstr("plums"));
  EXPECT_EQ(server.Post(path + "/swap", {{"to", "former"}})->status, 200);
  ASSERT_TRUE(server.WaitReflected("kim"));
  EXPECT_THAT(server.Call("GET", "/v1/users/kim/memories")->body, HasSubstr("plums"));
  EXPECT_EQ(server.Post(path, {{"rules", true}, {"model", "m"}})->status, 400);
}

}  // namespace
}  // namespace umbranet
