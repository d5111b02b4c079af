// Goal: the commands do for a user what the manual says, with and without a running server, and
// their exit codes mean what --help says. Method: the built binary is run as a user would, on a
// folder of its own.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kTurns =
    "{\"user_id\": \"kim\", \"user_message\": \"My brother Jonas lives in Bergen.\", "
    "\"timestamp\": \"2024-05-03T10:00:00Z\"}\n"
    "{\"user_id\": \"kim\", \"user_message\": \"I am allergic to walnuts.\"}\n";

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json::object ParseObject(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return value.is_object() ? value.get_object() : json::object();
}

class CommandLineTest : public ::testing::Test {
 protected:
  CommandResult Run(std::vector<std::string> arguments, std::string_view input = {}) {
    arguments.insert(arguments.end(), {"--data", folder_.path()});
    return RunCommand(arguments, input);
  }

  TemporaryFolder folder_;
};

TEST_F(CommandLineTest, HelpAndVersionAreThereForEveryCommand) {
  const CommandResult help = RunCommand({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const std::string command :
       {"serve", "reflect", "chat", "import", "recall", "jobs", "shadow", "forget", "merges",
        "unmerge", "export", "migrate", "doctor", "health", "config", "version"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    EXPECT_EQ(RunCommand({command, "--help"}).exit_code, 0) << command;
  }
  EXPECT_TRUE(RunCommand({"version"}).out.starts_with("umbranet 0."));
}

TEST_F(CommandLineTest, AWrongCommandLineIsExitTwoAndSaysWhy) {
  EXPECT_EQ(RunCommand({}).exit_code, 2);
  EXPECT_EQ(RunCommand({"remember"}).exit_code, 2);
  EXPECT_EQ(Run({"recall"}).exit_code, 2);
  const CommandResult wrong = RunCommand({"serve", "--listen", "nowhere"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.error.find("write HOST:PORT"), std::string::npos) << wrong.error;
}

TEST_F(CommandLineTest, AMisspeltVariableStopsTheStart) {
  const CommandResult refused = RunCommand({"config"}, {}, {{"UMBRANET_LISTN", "x"}});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.error.find("did you mean UMBRANET_LISTEN?"), std::string::npos);
}

TEST_F(CommandLineTest, TheReferenceOfTheSettingsIsThePageInTheRepository) {
  EXPECT_EQ(RunCommand({"config", "--reference"}).out,
            ReadText(std::string(UMBRANET_SOURCE_DIR) + "/docs/configuration.md"))
      << "write it anew: umbranet config --reference > docs/configuration.md";
}

TEST_F(CommandLineTest, ConfigMasksSecretsAndNamesSources) {
  const CommandResult config = RunCommand(
      {"config"}, {}, {{"OPENAI_API_KEY", "sk-very-secret"}, {"REFLECTOR_WORKERS", "5"}});
  EXPECT_EQ(config.exit_code, 0);
  EXPECT_EQ(config.out.find("very-secret"), std::string::npos);
  EXPECT_NE(config.out.find("OPENAI_API_KEY=********  # environment"), std::string::npos);
  EXPECT_NE(config.out.find("REFLECTOR_WORKERS=5  # environment"), std::string::npos);
}

TEST_F(CommandLineTest, ImportRecallExportAndForgetWorkOnAFolderThatNobodyServes) {
  CommandResult imported = Run({"import", "-", "--wait", "--json"}, kTurns);
  ASSERT_EQ(imported.exit_code, 0) << imported.error;
  EXPECT_EQ(ParseObject(imported.out).at("accepted").to_number<int>(), 2);
  imported = Run({"import", "-", "--wait", "--json"}, kTurns);
  EXPECT_EQ(ParseObject(imported.out).at("already_there").to_number<int>(), 2) << imported.out;

  const CommandResult recalled =
      Run({"recall", "Where does my brother live?", "--user", "kim", "--json"});
  ASSERT_EQ(recalled.exit_code, 0) << recalled.error;
  EXPECT_NE(recalled.out.find("Bergen"), std::string::npos) << recalled.out;

  const std::string file = folder_.path() + "/export.ndjson";
  ASSERT_EQ(Run({"export", "--user", "kim", "-o", file}).exit_code, 0);
  EXPECT_NE(ReadText(file).find("walnuts"), std::string::npos);

  EXPECT_EQ(Run({"forget", "--user", "kim"}).exit_code, 2) << "it must not forget unasked";
  EXPECT_EQ(Run({"forget", "--user", "kim", "--yes"}).exit_code, 0);
  EXPECT_EQ(
      Run({"recall", "Where does my brother live?", "--user", "kim", "--json"}).out.find("Bergen"),
      std::string::npos);
}

TEST_F(CommandLineTest, ForgettingGivesACertificateThatCanBeChecked) {
  ASSERT_EQ(Run({"import", "-", "--wait"}, kTurns).exit_code, 0);
  const CommandResult given = Run({"forget", "--user", "kim", "--yes", "--certificate", "--json"});
  ASSERT_EQ(given.exit_code, 0) << given.error;
  const json::object certificate = ParseObject(given.out);
  const json::object& removed = certificate.at("removed").as_object();
  EXPECT_EQ(removed.at("turns").to_number<int>(), 2);
  EXPECT_EQ(removed.at("jobs_finished").to_number<int>(), 2);
  EXPECT_GT(removed.at("facts").to_number<int>(), 0);
  const CommandResult checked = Run({"forget", "--check", "-", "--json"}, given.out);
  EXPECT_EQ(checked.exit_code, 0) << checked.error;
  EXPECT_EQ(ParseObject(checked.out).at("turns_since").to_number<int>(), 0);

  std::string changed = given.out;
  changed.replace(changed.find("\"turns\":2"), 9, "\"turns\":1");
  EXPECT_EQ(Run({"forget", "--check", "-"}, changed).exit_code, 1) << "it was changed";
  EXPECT_EQ(Run({"forget", "--check", "-"}, "{}").exit_code, 2);
  const TemporaryFolder other;
  EXPECT_EQ(RunCommand({"forget", "--check", "-", "--data", other.path()}, given.out).exit_code, 1)
      << "nobody was forgotten there";
  const CommandResult text = Run({"forget", "--user", "kim", "--yes", "--certificate"});
  EXPECT_NE(text.out.find("removed turns: 0\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\ndigest: sha256:"), std::string::npos) << text.out;
}

TEST_F(CommandLineTest, WhatWasExportedBeforeForgettingBringsTheSameAnswersWhenItIsImported) {
  ASSERT_EQ(Run({"import", "-", "--wait"}, kTurns).exit_code, 0);
  const auto answers = [this] {
    std::string all;
    for (const std::string question : {"Where does my brother live?", "What am I allergic to?"}) {
      const CommandResult recalled = Run({"recall", question, "--user", "kim", "--json"});
      EXPECT_EQ(recalled.exit_code, 0) << recalled.error;
      const json::object found = ParseObject(recalled.out);
      for (const json::value& item : found.at("items").as_array()) {
        all += json::serialize(item.at("tier")) + json::serialize(item.at("text")) +
               json::serialize(item.at("occurred_at")) + json::serialize(item.at("memory_id")) +
               "\n";
      }
    }
    return all;
  };
  const std::string before = answers();
  EXPECT_NE(before.find("Bergen"), std::string::npos) << before;
  const std::string file = folder_.path() + "/export.ndjson";
  ASSERT_EQ(Run({"export", "--user", "kim", "-o", file}).exit_code, 0);
  ASSERT_EQ(Run({"forget", "--user", "kim", "--yes"}).exit_code, 0);
  EXPECT_EQ(answers(), "");
  ASSERT_EQ(Run({"import", file, "--wait"}).exit_code, 0);
  EXPECT_EQ(answers(), before);
}

TEST_F(CommandLineTest, AMergeOfTwoNamesIsListedAndTakenBack) {
  constexpr std::string_view kSister =
      R"({"user_id":"kim","session_id":"s1","user_message":"My sister Ana lives in Porto."})"
      "\n";
  ASSERT_EQ(Run({"import", "-", "--wait"}, kSister).exit_code, 0);
  const CommandResult merges = Run({"merges", "--user", "kim"});
  ASSERT_EQ(merges.exit_code, 0) << merges.error;
  EXPECT_NE(merges.out.find("my sister = Ana"), std::string::npos) << merges.out;

  EXPECT_EQ(Run({"unmerge", "my sister", "--user", "kim", "--from", "Theo"}).exit_code, 4);
  const CommandResult parted =
      Run({"unmerge", "my sister", "--user", "kim", "--from", "Ana", "--json"});
  ASSERT_EQ(parted.exit_code, 0) << parted.error;
  EXPECT_EQ(ParseObject(parted.out).at("undone").to_number<int>(), 1);
  EXPECT_NE(Run({"merges", "--user", "kim"}).out.find("undone"), std::string::npos);
}

TEST_F(CommandLineTest, CommandsUseTheServerThatHoldsTheFolder) {
  ServerProcess server(folder_.path());
  ASSERT_TRUE(server.Running()) << server.Log();
  ASSERT_EQ(Run({"import", "-", "--wait"}, kTurns).exit_code, 0);
  EXPECT_NE(server.Call("GET", "/v1/users/kim/interactions")->body.find("Bergen"),
            std::string::npos);
  const CommandResult said = Run({"chat", "--user", "kim", "-m", "What am I allergic to?"});
  EXPECT_EQ(said.exit_code, 0) << said.error;
  EXPECT_NE(said.out.find("walnuts"), std::string::npos) << said.out;
  EXPECT_EQ(Run({"jobs"}).exit_code, 0);
  const CommandResult second = RunCommand({"serve", "--data", folder_.path()});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_NE(second.error.find(std::to_string(server.Pid())), std::string::npos) << second.error;
}

TEST_F(CommandLineTest, ServingBeyondLoopbackWithoutKeysIsRefused) {
  const CommandResult refused = Run({"serve", "--listen", "0.0.0.0:0"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_NE(refused.error.find("UMBRANET_API_KEYS"), std::string::npos) << refused.error;
}

TEST_F(CommandLineTest, AnUnknownJobOrMemoryIsExitFour) {
  EXPECT_EQ(Run({"jobs", "show", "no-such-job"}).exit_code, 4);
  EXPECT_EQ(Run({"forget", "--memory", "ep_none"}).exit_code, 4);
}

TEST_F(CommandLineTest, DoctorFindsAFreshFolderHealthyAndAForeignFileNot) {
  EXPECT_EQ(Run({"doctor"}).exit_code, 0);
  std::ofstream(folder_.path() + "/umbranet.db") << std::string(5000, 'x');
  const CommandResult ill = Run({"doctor", "--json"});
  EXPECT_EQ(ill.exit_code, 3);
  EXPECT_FALSE(ParseObject(ill.out).at("healthy").as_bool());
}

TEST_F(CommandLineTest, HealthAsksTheServerOfTheSettingsAndIsExitThreeWhenItIsGone) {
  ServerProcess server(folder_.path());
  ASSERT_TRUE(server.Running());
  // A container listens on every address; the check goes to loopback.
  const std::map<std::string, std::string> same = {
      {"UMBRANET_LISTEN", "0.0.0.0:" + std::to_string(server.Port())}};
  EXPECT_EQ(RunCommand({"health"}, {}, same).exit_code, 0);
  EXPECT_EQ(RunCommand({"health", "--alive"}, {}, same).exit_code, 0);
  const CommandResult json = RunCommand({"health", "--json"}, {}, same);
  EXPECT_EQ(ParseObject(json.out).at("status"), "ready");

  server.Kill();
  const CommandResult gone = RunCommand({"health"}, {}, same);
  EXPECT_EQ(gone.exit_code, 3);
  EXPECT_NE(gone.error.find(std::to_string(server.Port())), std::string::npos) << gone.error;
  EXPECT_EQ(RunCommand({"health"}, {}, {{"UMBRANET_LISTEN", "127.0.0.1:0"}}).exit_code, 2);
}

}  // namespace
}  // namespace umbranet
