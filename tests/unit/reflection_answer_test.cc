// Goal: whatever a model answers, what is read of it has the form asked for, and the rest is
// refused. Method: answers as they should be, and each kind of bad one.
#include "umbranet/extraction/reflection_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFact =
    R"({"subject":"Ana","subject_type":"person","predicate":"lives_in","qualifier":"",)"
    R"("object":"Porto","object_type":"place","negated":false,"ended":false,)"
    R"("text":"Ana lives in Porto","from":"2024-05-02","to":"","replaces":["f1"],)"
    R"("certainty":0.9,"quote":"she moved to Porto"})";
constexpr const char* kRule =
    R"({"kind":"instruction","text":"answer briefly","scope":"","negative":false,)"
    R"("withdraws":false,"strength":1,"quote":"answer briefly"})";

std::string TurnJson(const std::string& facts, const std::string& rules = "",
                     const std::string& keep = "true") {
  return R"({"keep":)" + keep + R"(,"skip_reason":"","summary":"Ana moved.","importance":0.6,)" +
         R"("dates":[{"from":"2024-05-02","to":"2024-05-03"}],)" +
         R"("entities":[{"name":"Ana","type":"person","aliases":["my sister"]}],"facts":[)" +
         facts + R"(],"rules":[)" + rules + "]}";
}

ReflectionAnswer Read(const std::string& text, std::size_t turns = 1,
                      AnswerParts parts = kAllAnswerParts) {
  return ReadReflectionAnswer(text, turns, parts);
}

TEST(ReflectionAnswer, IsReadTurnByTurn) {
  const ReflectionAnswer answer =
      Read(R"({"t1":)" + TurnJson(kFact, kRule) + R"(,"t2":)" + TurnJson("") + "}", 2);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.items_refused, 0U);
  ASSERT_TRUE(answer.turns[0] && answer.turns[1]);
  const TurnDraft& draft = *answer.turns[0];
  EXPECT_EQ(draft.summary, "Ana moved.");
  EXPECT_EQ(draft.importance, 0.6);
  ASSERT_EQ(draft.dates.size(), 1U);
  EXPECT_EQ(draft.dates[0].end - draft.dates[0].start, std::chrono::hours(48));
  ASSERT_EQ(draft.facts.size(), 1U);
  EXPECT_EQ(draft.facts[0].predicate, Predicate::kLivesIn);
  EXPECT_EQ(draft.facts[0].object_type, EntityType::kPlace);
  EXPECT_EQ(draft.facts[0].from->start, *ParseTimestamp("2024-05-02T00:00:00Z"));
  EXPECT_FALSE(draft.facts[0].to);
  EXPECT_EQ(draft.facts[0].replaces, std::vector<std::string>{"f1"});
  ASSERT_EQ(draft.rules.size(), 1U);
  EXPECT_EQ(draft.rules[0].text, "answer briefly");
  EXPECT_TRUE(answer.turns[1]->facts.empty());
}

TEST(ReflectionAnswer, IsFoundBehindThinkingAndWithinFences) {
  const std::string good = R"({"t1":)" + TurnJson("") + "}";
  for (const std::string& text :
       {"<think>{\"t1\": maybe}</think>" + good, "reasoning without a start</think>\n" + good,
        "```json\n" + good + "\n```", "Here you are:\n```\n" + good + "\n```\nAnything else?"}) {
    EXPECT_EQ(Read(text).problem, "") << text;
  }
  EXPECT_EQ(FindAnswerObject("<think>" + good), "");
}

struct BadAnswer {
  const char* what;
  std::string text;
  const char* problem;
};

TEST(ReflectionAnswer, OfEachBadKindSaysWhatIsWrong) {
  const std::string schema =
      R"({"type":"object","properties":{"t1":{"$ref":"#/$defs/turn"}},"required":["t1"]})";
  const std::vector<BadAnswer> answers = {
      {"empty", "", "no JSON object"},
      {"prose", "I am sorry, I cannot help with that.", "no JSON object"},
      {"malformed", "{not json}", "not valid JSON"},
      {"truncated", R"({"t1":{"keep":true,"summary":"Ana mo)", "no JSON object"},
      {"cut within", R"({"t1":{"keep":true,"dates":[{}],"summary":"Ana mo)", "not valid JSON"},
      {"the schema itself", schema, "missing or not of the form asked for: t1"},
      {"a turn that does not exist", R"({"t9":)" + TurnJson("") + "}", "t1"},
      {"an invented user", R"({"user_id":"somebody","facts":[]})", "t1"},
      {"a list", R"([{"t1":{}}])", "t1"},
      {"null", R"({"t1":null})", "t1"},
      {"a member of the wrong type", R"({"t1":)" + TurnJson("", "", "\"yes\"") + "}", "t1"},
      {"deeper than anything", std::string(5'000, '{') + std::string(5'000, '}'), "not valid JSON"},
  };
  for (const BadAnswer& bad : answers) {
    const ReflectionAnswer answer = Read(bad.text);
    EXPECT_FALSE(answer.Usable()) << bad.what;
    EXPECT_THAT(answer.problem, HasSubstr(bad.problem)) << bad.what;
  }
}

TEST(ReflectionAnswer, DecidesNothingAboutATurnThatIsToGoWithoutAReason) {
  const ReflectionAnswer answer = Read(R"({"t1":)" + TurnJson("", "", "false") + "}");
  EXPECT_FALSE(answer.Usable());
  EXPECT_EQ(answer.problem, "");
}

TEST(ReflectionAnswer, LeavesOutItemsThatAreNoneAndCountsThem) {
  std::string off_list(kFact);
  off_list.replace(off_list.find("lives_in"), 8, "hacks_in");
  const std::string bare = R"({"subject":"Ana"})";
  const ReflectionAnswer answer =
      Read(R"({"t1":)" + TurnJson(off_list + "," + bare + "," + kFact, bare) + "}");
  ASSERT_TRUE(answer.turns[0]);
  EXPECT_EQ(answer.turns[0]->facts.size(), 1U);
  EXPECT_TRUE(answer.turns[0]->rules.empty());
  EXPECT_EQ(answer.items_refused, 3U);
  EXPECT_EQ(answer.problem, "");
}

TEST(ReflectionAnswer, UsesTheTurnsThatAreAnsweredWhenOthersAreNot) {
  const ReflectionAnswer answer = Read(R"({"t2":)" + TurnJson("") + "}", 3);
  EXPECT_TRUE(answer.Usable());
  EXPECT_FALSE(answer.turns[0] || answer.turns[2]);
  EXPECT_THAT(answer.problem, HasSubstr("t1, t3"));
}

TEST(ReflectionAnswer, HoldsOnlyThePartsAskedFor) {
  const ReflectionAnswer answer =
      Read(R"({"t1":{"rules":[)" + std::string(kRule) + "]}}", 1, kRulePart);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.turns[0]->rules.size(), 1U);
  EXPECT_TRUE(answer.turns[0]->keep);
}

TEST(ReflectionAnswer, BoundsListsAndTexts) {
  std::string facts;
  for (int i = 0; i < 200; ++i) {
    facts += (i == 0 ? "" : ",") + std::string(kFact);
  }
  std::string turn = TurnJson(facts);
  turn.replace(turn.find("Ana moved."), 10, std::string(100'000, 'x'));
  const ReflectionAnswer answer = Read(R"({"t1":)" + turn + "}");
  ASSERT_TRUE(answer.turns[0]);
  EXPECT_LE(answer.turns[0]->facts.size(), 32U);
  EXPECT_LE(answer.turns[0]->summary.size(), 400U);
}

TEST(ReadDay, ReadsDaysMonthsYearsAndTimesAndNothingElse) {
  const auto start = [](const char* text) { return FormatTimestamp(ReadDay(text)->start); };
  EXPECT_EQ(start("2024"), "2024-01-01T00:00:00Z");
  EXPECT_EQ(start("2024-02"), "2024-02-01T00:00:00Z");
  EXPECT_EQ(start("2024-02-29"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(start("2024-02-29T10:00:00+01:00"), "2024-02-29T09:00:00Z");
  EXPECT_EQ(FormatTimestamp(ReadDay("2023-12")->end), "2024-01-01T00:00:00Z");
  for (const char* text : {"", "soon", "2023-02-29", "2023-13-01", "1200", "9999-01-01", "24-1-1",
                           "2024-5-3", "20240503", "-024", "2024-05-03T99:00:00Z"}) {
    EXPECT_FALSE(ReadDay(text)) << text;
  }
}

}  // namespace
}  // namespace umbranet
