// Goal: turns come out of every supported file as the API takes them, the same ids each time, and
// bad entries are named. Method: small made-up files.
#include "umbranet/app/import_formats.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

std::string Field(const boost::json::object& turn, std::string_view name) {
  const auto* value = turn.if_contains(name);
  return value != nullptr ? std::string(value->as_string()) : "absent";
}

constexpr std::string_view kChatGptFile = R"([{"title": "t", "conversation_id": "c1",
  "current_node": "n4", "mapping": {
  "n0": {"message": null, "parent": null},
  "n1": {"message": {"author": {"role": "user"}, "create_time": 1700000000.5,
         "content": {"content_type": "text", "parts": ["I like tea"]}}, "parent": "n0"},
  "nX": {"message": {"author": {"role": "assistant"}, "content": {"parts": ["abandoned"]}},
         "parent": "n1"},
  "n2": {"message": {"author": {"role": "tool"}, "content": {"parts": ["noise"]}}, "parent": "n1"},
  "n3": {"message": {"author": {"role": "assistant"},
                     "content": {"parts": ["Noted", {"image": 1}]}},
         "parent": "n2"},
  "n4": {"message": {"author": {"role": "assistant"}, "content": {"parts": ["More"]}},
         "parent": "n3"}}}])";

TEST(ImportFormatsTest, JsonLinesAreReadAndBadLinesAreNamed) {
  const auto read = ReadTurns(
      "{\"user_id\": \"u\", \"user_message\": \"one\"}\n\nnot json\n{\"user_message\": \"two\"}\n"
      "{\"user_id\": \"u\"}\n",
      ImportFormat::kAuto, "");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->turns.size(), 1U);
  EXPECT_EQ(Field(read->turns[0], "user_message"), "one");
  ASSERT_EQ(read->problems.size(), 3U);
  EXPECT_EQ(read->problems[0].where, "line 3");
  EXPECT_EQ(read->problems[1].where, "line 4");
  EXPECT_NE(read->problems[1].what.find("--user"), std::string::npos);
  EXPECT_EQ(read->problems[2].where, "line 5");
}

TEST(ImportFormatsTest, TheSameFileGivesTheSameIdsAndRepeatedTurnsDifferentOnes) {
  const std::string file =
      "{\"user_id\":\"u\",\"user_message\":\"same\"}\n{\"user_id\":\"u\",\"user_message\":\"same\"}"
      "\n"
      "{\"user_id\":\"u\",\"user_message\":\"own\",\"interaction_id\":\"mine\"}\n";
  const auto first = ReadTurns(file, ImportFormat::kJsonLines, "");
  const auto second = ReadTurns(file, ImportFormat::kJsonLines, "");
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ(first->turns.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(boost::json::serialize(first->turns[i]), boost::json::serialize(second->turns[i]));
  }
  EXPECT_NE(Field(first->turns[0], "interaction_id"), Field(first->turns[1], "interaction_id"));
  EXPECT_EQ(Field(first->turns[2], "interaction_id"), "mine");
}

TEST(ImportFormatsTest, AChatGptExportGivesTheBranchThatTheUserLastSaw) {
  const auto read = ReadTurns(kChatGptFile, ImportFormat::kAuto, "me");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->format, ImportFormat::kChatGpt);
  ASSERT_EQ(read->turns.size(), 1U);
  const auto& turn = read->turns[0];
  EXPECT_EQ(Field(turn, "user_id"), "me");
  EXPECT_EQ(Field(turn, "session_id"), "c1");
  EXPECT_EQ(Field(turn, "user_message"), "I like tea");
  EXPECT_EQ(Field(turn, "assistant_response"), "Noted\n\nMore");
  EXPECT_EQ(Field(turn, "timestamp"), "2023-11-14T22:13:20.500Z");
}

TEST(ImportFormatsTest, AChatGptExportNeedsToBeToldWhoseItIs) {
  const auto read = ReadTurns(kChatGptFile, ImportFormat::kAuto, "");
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("--user"), std::string::npos);
}

TEST(ImportFormatsTest, ADamagedExportWithACycleEnds) {
  const auto read = ReadTurns(
      R"([{"current_node": "a", "mapping": {
        "a": {"message": {"author": {"role": "user"}, "content": {"parts": ["x"]}}, "parent": "b"},
        "b": {"message": null, "parent": "a"}}}, {"title": "no mapping"}, 7])",
      ImportFormat::kChatGpt, "me");
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->turns.empty());
  EXPECT_EQ(read->problems.size(), 2U);
}

TEST(ImportFormatsTest, AConversationFileKeepsSpeakersSessionsAndTimes) {
  const auto read = ReadTurns(
      R"({"user_id": "u", "turns": [{"id": "1", "session_id": "s", "speaker": "Kim",
          "timestamp": "2024-01-02T03:04:05Z", "user_message": "hi", "assistant_response": ""},
          {"id": "2"}]})",
      ImportFormat::kAuto, "");
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->turns.size(), 1U);
  EXPECT_EQ(Field(read->turns[0], "speaker"), "Kim");
  EXPECT_EQ(Field(read->turns[0], "session_id"), "s");
  EXPECT_EQ(Field(read->turns[0], "timestamp"), "2024-01-02T03:04:05Z");
  EXPECT_EQ(read->problems.size(), 1U);
}

TEST(ImportFormatsTest, BytesOfNoKnownFormAreRefusedWithTheFormsThatAre) {
  for (const std::string_view bytes : {"", "hello", "{\"a\": 1}", "\xff\xfe\x00"}) {
    const auto read = ReadTurns(bytes, ImportFormat::kAuto, "u");
    ASSERT_FALSE(read.ok()) << bytes;
    EXPECT_NE(read.error().message.find("JSON lines"), std::string::npos);
  }
}

TEST(ImportFormats, TheTurnsOfAnExportAreReadAndNothingElse) {
  const auto read = ReadTurns(
      R"({"type":"interaction","user_id":"kim","interaction_id":"a","session_id":"s",)"
      R"("speaker":"User","timestamp":"2024-05-03T10:00:00Z","accepted_at":"2024-05-03T10:00:01Z",)"
      R"("user_message":"My sister lives in Porto.","assistant_response":"Noted.",)"
      R"("priority":"normal","metadata":"{\"a\":1}","origin":"chat","reflection":"reflected"})"
      "\n"
      R"({"type":"interaction","user_id":"kim","interaction_id":"b","user_message":"Where?",)"
      R"("assistant_response":"You told me: in Porto.","metadata":"{}","origin":"offline_chat"})"
      "\n"
      R"({"type":"entity","name":"Porto"})"
      "\n"
      R"({"type":"semantic","memory_id":"fa_1","text":"my sister lives in Porto"})"
      "\n",
      ImportFormat::kAuto, "");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE(read->problems.empty());
  ASSERT_EQ(read->turns.size(), 2U);
  const boost::json::object& first = read.value().turns[0];
  EXPECT_EQ(first.at("interaction_id").as_string(), "a");
  EXPECT_EQ(first.at("metadata").as_object().at("a").as_int64(), 1);
  for (const char* unknown : {"type", "accepted_at", "origin", "reflection"}) {
    EXPECT_FALSE(first.contains(unknown)) << unknown;
  }
  EXPECT_FALSE(read->turns[1].contains("assistant_response")) << "it quoted what was remembered";
}

}  // namespace
}  // namespace umbranet
