// Goal: standing instructions and preferences are recognised in ordinary speech, scoped, found
// again under the same key, and taken back; requests of the moment, questions and other people's
// wishes are not taken for rules. Method: tables of sentences. A case names the kind, the sign and
// the scope that must come out.
#include "umbranet/extraction/rule_statements.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

std::vector<PlannedRule> RulesOf(std::string_view text, const std::vector<Rule>& known = {}) {
  return FindRules(WordStream(text), known);
}

Rule Known(std::string_view text, bool negative = false) {
  Rule rule;
  rule.text = std::string(text);
  rule.key = RuleKey(text);
  rule.negative = negative;
  return rule;
}

struct RuleCase {
  std::string_view text;
  RuleKind kind;
  bool negative;
  std::string_view scope;
};

std::string PrintToString(const RuleCase& c) {
  return std::string(c.text);
}

class StatedRules : public testing::TestWithParam<RuleCase> {};

TEST_P(StatedRules, AreRecognisedWithKindSignAndScope) {
  const RuleCase& c = GetParam();
  const auto rules = RulesOf(c.text);
  ASSERT_EQ(rules.size(), 1U) << c.text;
  EXPECT_EQ(rules[0].kind, c.kind);
  EXPECT_EQ(rules[0].negative, c.negative);
  EXPECT_EQ(rules[0].scope, c.scope);
  EXPECT_FALSE(rules[0].withdraws);
  EXPECT_FALSE(rules[0].key.empty());
}

constexpr auto kI = RuleKind::kInstruction;
constexpr auto kP = RuleKind::kPreference;

constexpr RuleCase kRules[] = {
    {"Always answer in metric units.", kI, false, ""},
    {"Never call me Bob!", kI, true, ""},
    {"Please never use emojis.", kI, true, ""},
    {"From now on, reply in Spanish.", kI, false, ""},
    {"From now on please keep it short.", kI, false, ""},
    {"Going forward, include the sources.", kI, false, ""},
    {"Call me Theo.", kI, false, ""},
    {"Don't ever suggest seafood.", kI, true, ""},
    {"Please don't use emojis in your replies.", kI, true, ""},
    {"Stop apologizing.", kI, true, ""},
    {"Keep your answers brief.", kI, false, ""},
    {"Please make sure to show both currencies.", kI, false, ""},
    {"Remember to always cite a page.", kI, false, ""},
    {"You should always double-check the totals.", kI, false, ""},
    {"I want you to always ask before you book.", kI, false, ""},
    {"Whenever I ask about travel, list trains first.", kI, false, "travel"},
    {"When I ask for recipes, give amounts in grams.", kI, false, "recipes"},
    {"Always add a summary when I ask about contracts.", kI, false, "contracts"},
    {"If I ask about wine, never recommend white.", kI, true, "wine"},
    {"In code, use tabs.", kI, false, "code"},
    {"For emails, always keep a formal tone.", kI, false, "emails"},
    {"I prefer window seats.", kP, false, ""},
    {"I would rather take the train.", kP, false, ""},
    {"I can't stand loud restaurants.", kP, true, ""},
    {"I'm allergic to peanuts.", kP, true, ""},
    {"I really dislike horror films.", kP, true, ""},
    {"I avoid dairy.", kP, true, ""},
    {"I only eat halal meat.", kP, false, ""},
    {"We never fly at night.", kP, true, ""},
    {"I don't eat pork.", kP, true, ""},
    {"I'm not a fan of jazz.", kP, true, ""},
    {"I\xE2\x80\x99m not interested in team sports.", kP, true, ""},
    {"I have a strong aversion to crowds.", kP, true, ""},
    {"I have a severe nut allergy.", kP, true, ""},
    {"I find long lectures boring.", kP, true, ""},
    {"I refuse to take taxis.", kP, true, ""},
    {"I'm a strict vegetarian.", kP, false, ""},
    {"I prefer quiet hotels, can you suggest one?", kP, false, ""},
    {"\"I strictly adhere to a kosher diet.\"", kP, false, ""},
};
INSTANTIATE_TEST_SUITE_P(Sentences, StatedRules, testing::ValuesIn(kRules));

class NoRules : public testing::TestWithParam<std::string_view> {};

TEST_P(NoRules, ComeOutOfOtherSpeech) {
  const auto rules = RulesOf(GetParam());
  EXPECT_TRUE(rules.empty()) << rules.front().text;
}

constexpr std::string_view kOther[] = {
    "Do you prefer tea or coffee?",
    "What should I avoid in Lima?",
    "If I disliked it I would say so.",
    "She said I avoid her.",
    "Can you always reach them by phone?",
    "Write a poem about rain.",
    "Use this file and print the result.",
    "I'll stick with the blue one.",
    "I have never read it.",
    "Never mind.",
    "Always a pleasure!",
    "Let me know if you need anything.",
    "I don't know what to cook.",
    "I don't want to wait.",
    "I had to reject the offer.",
    "Thanks, that is perfect.",
    "```\nnever use(this)\n```",
    "The sign read \"always keep the gate closed at night\".",
    "",
};
INSTANTIATE_TEST_SUITE_P(Sentences, NoRules, testing::ValuesIn(kOther));

TEST(RuleStatements, SayingTheSameAgainFindsTheSameKey) {
  EXPECT_EQ(RuleKey("Always answer in metric units."), RuleKey("please answer in metric units"));
  EXPECT_EQ(RuleKey("I prefer window seats"), RuleKey("I really prefer a window seat"));
  EXPECT_NE(RuleKey("I prefer window seats"), RuleKey("I prefer aisle seats"));
}

TEST(RuleStatements, APreferenceEndsWhereTheRequestBegins) {
  const auto rules =
      RulesOf("I'm off to Oslo, and I prefer small hotels near the water, can you find me one?");
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].text, "I prefer small hotels near the water");
}

TEST(RuleStatements, OneMessageMayStateSeveral) {
  const auto rules = RulesOf("I'm allergic to nuts. Also, never suggest cruises. I love the sea.");
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].kind, kP);
  EXPECT_EQ(rules[1].kind, kI);
}

TEST(RuleStatements, ForgettingARuleWithdrawsIt) {
  for (const std::string_view text :
       {"You can forget about metric units.", "You no longer need to use metric units.",
        "Please stop using metric units.", "No need to use metric units anymore."}) {
    const auto rules = RulesOf(text, {Known("always use metric units")});
    ASSERT_EQ(rules.size(), 1U) << text;
    EXPECT_TRUE(rules[0].withdraws) << text;
    EXPECT_NE(rules[0].key.find("metric"), std::string::npos) << text;
  }
}

TEST(RuleStatements, AllowingAgainWhatWasRefusedWithdrawsIt) {
  Rule known = Known("I avoid loud restaurants", true);
  known.kind = kP;
  for (const std::string_view text :
       {"I no longer avoid loud restaurants.", "I'm fine with loud restaurants now.",
        "I don't mind loud restaurants anymore.", "I take back what I said about restaurants."}) {
    const auto rules = RulesOf(text, {known});
    ASSERT_EQ(rules.size(), 1U) << text;
    EXPECT_TRUE(rules[0].withdraws) << text;
  }
  EXPECT_TRUE(RulesOf("I'm fine with loud restaurants.").empty());
}

TEST(RuleStatements, ANewChoiceTakesThePlaceOfTheOldOne) {
  Rule known = Known("I prefer window seats");
  known.kind = kP;
  for (const std::string_view text :
       {"I now prefer aisle seats.", "These days I prefer aisle seats.",
        "I prefer aisle seats instead of window seats."}) {
    const auto rules = RulesOf(text, {known});
    ASSERT_EQ(rules.size(), 2U) << text;
    EXPECT_TRUE(rules[0].withdraws) << text;
    EXPECT_EQ(rules[0].key, known.key) << text;
    EXPECT_FALSE(rules[1].withdraws) << text;
  }
  EXPECT_EQ(RulesOf("I prefer aisle seats.", {known}).size(), 1U);
  EXPECT_EQ(RulesOf("I now prefer green tea.", {known}).size(), 1U);
}

TEST(RuleStatements, GivingSomethingUpIsAPreferenceAgainstIt) {
  const auto rules = RulesOf("I no longer eat meat.");
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_TRUE(rules[0].negative);
  EXPECT_FALSE(rules[0].withdraws);
}

TEST(RuleStatements, StoppingWhatWasNeverAskedForIsAnInstruction) {
  const auto rules = RulesOf("Stop using emojis.");
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_FALSE(rules[0].withdraws);
  EXPECT_TRUE(rules[0].negative);
}

TEST(RuleStatements, ForgettingSomethingElseWithdrawsNothing) {
  EXPECT_TRUE(RulesOf("I always forget about the time.", {Known("use metric units")}).empty());
  EXPECT_TRUE(RulesOf("No need to hurry.", {Known("use metric units")}).empty());
}

TEST(RuleStatements, ALongHostileTextEndsInTime) {
  std::string text;
  while (text.size() < 200'000) {
    text += "when i ask i prefer and i always never please , ";
  }
  EXPECT_LE(RulesOf(text).size(), 8U);
}

}  // namespace
}  // namespace umbranet
