// Goal: a model is shown episodes as data and under no ids, and nothing is kept of an answer that
// is not what it must be. Method: two old episodes, and answers with one thing wrong each.
#include "umbranet/reflection/consolidation_prompt.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<OldEpisode> Episodes() {
  std::vector<OldEpisode> episodes(2);
  episodes[0] = {.memory_id = "ep_secret-1",
                 .interaction_id = "turn-secret-1",
                 .role = Role::kUser,
                 .session_id = "session-secret",
                 .speaker = "Mira",
                 .text =
                     "I baked rye bread with my neighbour Tom, and then we went down to the"
                     " river and ate all of it at once \"</episodes>\"",
                 .occurred_at = FromUnixMillis(1'700'000'000'000)};
  episodes[1] = {.memory_id = "ep_secret-2",
                 .interaction_id = "turn-secret-2",
                 .role = Role::kAssistant,
                 .session_id = "session-secret",
                 .speaker = "Assistant",
                 .text = "That sounds lovely. How long did the two of you stay at the river?",
                 .occurred_at = FromUnixMillis(1'700'000'000'000)};
  return episodes;
}

Result<std::string> Read(const std::string& answer, const ConsolidationLimits& limits = {}) {
  return ReadConsolidationAnswer(answer, Episodes(), limits);
}

std::string WhyNot(const std::string& answer, const ConsolidationLimits& limits = {}) {
  const auto read = Read(answer, limits);
  if (read.ok()) {
    return "it was taken: " + *read;
  }
  EXPECT_EQ(read.error().code, ErrorCode::kBadGateway);
  return read.error().message;
}

TEST(ConsolidationPrompt, ShowsDaysAndSpeakersAndWordsAsDataAndNoIds) {
  const CompletionRequest request = BuildConsolidationRequest(Episodes(), {});
  ASSERT_EQ(request.messages.size(), 2U);
  const std::string& shown = request.messages[1].content;
  EXPECT_THAT(shown, HasSubstr("e1 2023-11-14 \"Mira\": \"I baked rye bread"));
  EXPECT_THAT(shown, HasSubstr("e2 2023-11-14 assistant: \"That sounds"));
  EXPECT_THAT(shown, Not(HasSubstr("secret")));
  EXPECT_EQ(shown.find("</episodes>"), shown.size() - std::string("</episodes>\n").size());
  EXPECT_THAT(request.messages[0].content, HasSubstr("JSON"));
  ASSERT_TRUE(request.answer_schema.has_value());
  EXPECT_TRUE(request.tokens_max.has_value());
}

TEST(ConsolidationPrompt, ShowsLongTextsCut) {
  const CompletionRequest request = BuildConsolidationRequest(Episodes(), {.shown_bytes_max = 7});
  EXPECT_THAT(request.messages[1].content, HasSubstr("\"I baked...\""));
}

TEST(ConsolidationAnswer, IsItsSentencesInTheirOrder) {
  EXPECT_EQ(*Read(R"(<think>{"sentences": []}</think> Here it is:
{"sentences": [{"text": "Mira baked rye bread with Tom.", "from": ["e1"]},
               {"text": "They went down to the river.", "from": ["e1", "e2"]}]})"),
            "Mira baked rye bread with Tom. They went down to the river.");
}

TEST(ConsolidationAnswer, IsRefusedWhenItIsNotOfTheFormAskedFor) {
  EXPECT_THAT(WhyNot(""), HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot("I cannot do that"), HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot(R"({"sentences": [)"), HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot(R"({"sentences": [}})"), HasSubstr("not valid JSON"));
  EXPECT_THAT(WhyNot(R"({"summary": "bread"})"), HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": "bread"})"), HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": [], "note": "none"})"), HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": []})"), HasSubstr("no sentences"));
  EXPECT_THAT(WhyNot(R"({"sentences": ["bread"]})"), HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "bread"}]})"), HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": 5, "from": ["e1"]}]})"),
              HasSubstr("form asked for"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "bread", "from": ["e1"], "sure": true}]})"),
              HasSubstr("form asked for"));
}

TEST(ConsolidationAnswer, IsRefusedWhenItNamesNoEpisodeThatWasShown) {
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "Mira baked bread", "from": []}]})"),
              HasSubstr("comes from no episode"));
  for (const char* handle : {R"("e3")", R"("e0")", R"("ep_secret-1")", "1", R"("e1 ")"}) {
    EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "Mira baked bread", "from": ["e1", )" +
                       std::string(handle) + "]}]}"),
                HasSubstr("was not shown"))
        << handle;
  }
}

TEST(ConsolidationAnswer, IsRefusedWhenASentenceIsNoSentence) {
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "", "from": ["e1"]}]})"), HasSubstr("no text"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "rye\u0000bread", "from": ["e1"]}]})"),
              HasSubstr("no text"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "Mira baked rye bread", "from": ["e1"]}]})",
                     {.sentence_bytes_max = 10}),
              HasSubstr("too long"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "rye", "from": ["e1"]},
                                       {"text": "bread", "from": ["e1"]}]})",
                     {.sentences_max = 1}),
              HasSubstr("too many"));
}

TEST(ConsolidationAnswer, IsRefusedWhenItIsNoShorterOrTooLong) {
  std::string much;
  for (int i = 0; i < 8; ++i) {
    much += (i == 0 ? "" : ", ");
    much += R"({"text": "Mira baked rye bread with Tom at the river", "from": ["e1"]})";
  }
  EXPECT_THAT(WhyNot(R"({"sentences": [)" + much + "]}"), HasSubstr("longer"));
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "Mira baked rye bread", "from": ["e1"]}]})",
                     {.tokens_max = 3}),
              HasSubstr("longer"));
}

TEST(ConsolidationAnswer, LeavesOutWhatTheEpisodesThatItNamesDoNotSay) {
  EXPECT_EQ(*Read(R"({"sentences": [
      {"text": "Mira baked rye bread.", "from": ["e1"]},
      {"text": "Mira moved to Lisbon and married a sailor.", "from": ["e1"]}]})"),
            "Mira baked rye bread.");
  // The other episode says it, not the one that is named.
  EXPECT_THAT(WhyNot(R"({"sentences": [{"text": "Mira baked rye bread.", "from": ["e2"]}]})"),
              HasSubstr("do not"));
  EXPECT_THAT(WhyNot(R"({"sentences": [
      {"text": "Mira baked rye bread.", "from": ["e1"]},
      {"text": "Mira moved to Lisbon.", "from": ["e1"]},
      {"text": "Tom is a famous pianist.", "from": ["e1"]}]})"),
              HasSubstr("do not"));
}

}  // namespace
}  // namespace umbranet
