// Goal: a summary keeps what somebody would ask about later, in order, within its budget.
// Method: short invented conversations, and random ones for the bounds.
#include "umbranet/reflection/summary_text.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "umbranet/base/token_estimate.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Interaction Turn(std::string said, std::string answered = "", Origin origin = Origin::kRecorded) {
  Interaction turn;
  turn.occurred_at = FromUnixMillis(1'714'730'400'000);  // 2024-05-03
  turn.user_message = std::move(said);
  turn.assistant_response = std::move(answered);
  turn.origin = origin;
  return turn;
}

std::string Summary(const std::vector<Interaction>& turns, std::string_view previous = "",
                    std::size_t budget = 200) {
  return SummarizeTurns(previous, turns, budget);
}

TEST(SummaryText, KeepsFactsDatesNamesAndDecisionsInOrder) {
  const std::string summary =
      Summary({Turn("Hello there!", "Hi! How can I help?"),
               Turn("I moved to Lyon last March. Nice weather today, isn't it?"),
               Turn("My sister Ana starts at the bakery on 12 June."), Turn("Haha, okay."),
               Turn("We decided to book the small hall in Porto.")});
  EXPECT_EQ(summary,
            "2024-05-03 User: I moved to Lyon last March.\n"
            "2024-05-03 User: My sister Ana starts at the bakery on 12 June.\n"
            "2024-05-03 User: We decided to book the small hall in Porto.");
}

TEST(SummaryText, LeavesSmallTalkOut) {
  EXPECT_EQ(Summary({Turn("Hi!", "Hello!"), Turn("thanks, that was great"), Turn("lol ok bye")}),
            "");
}

TEST(SummaryText, FoldsThePreviousSummaryIn) {
  const std::string before = Summary({Turn("I moved to Lyon last March.")});
  const std::string after = Summary({Turn("My sister Ana lives in Porto.")}, before);
  EXPECT_EQ(after,
            "2024-05-03 User: I moved to Lyon last March.\n"
            "2024-05-03 User: My sister Ana lives in Porto.");
  EXPECT_EQ(Summary({}, after), after) << "folding nothing in changes nothing";
}

TEST(SummaryText, SaysARepeatedSentenceOnce) {
  const std::string summary =
      Summary({Turn("My sister Ana lives in Porto."), Turn("my sister Ana lives in Porto!")});
  EXPECT_EQ(summary.find('\n'), std::string::npos);
}

TEST(SummaryText, PrefersTheNewerOfEqualsWhenTheBudgetIsTight) {
  const std::string summary = Summary(
      {Turn("I work with Bea in Oslo now."), Turn("I work with Cleo in Rome now.")}, "", 14);
  EXPECT_THAT(summary, HasSubstr("Cleo"));
  EXPECT_THAT(summary, Not(HasSubstr("Bea")));
}

TEST(SummaryText, LeavesOutWhatTheServerQuotedFromMemory) {
  const std::string quoted = "On 3 May you told me: my sister Ana lives in Porto.";
  EXPECT_EQ(Summary({Turn("Where does she live?", quoted, Origin::kOfflineChat)}), "");
  EXPECT_THAT(Summary({Turn("So?", "We agreed to book Hotel Aurora in Porto on 12 June 2024.")}),
              HasSubstr("Assistant: We agreed"));
}

TEST(SummaryText, CutsEndlessSentences) {
  std::string endless = "I decided with Ana in Porto on 12 June";
  for (int i = 0; i < 200; ++i) {
    endless += " and then more";
  }
  const std::string summary = Summary({Turn(endless)});
  EXPECT_THAT(summary, HasSubstr("\xE2\x80\xA6"));
  EXPECT_LT(summary.size(), 300U);
}

RC_GTEST_PROP(SummaryTextProperty, StaysWithinItsBudgetAndIsUtf8, ()) {
  static const std::vector<std::string> kPieces = {"I moved to Lyon. ",
                                                   "My sister Ana works here. ",
                                                   "hello ",
                                                   "12 June\n",
                                                   "caf\xC3\xA9 ",
                                                   "\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x80\x82",
                                                   "We decided: yes! ",
                                                   "?",
                                                   ". ",
                                                   "\n"};
  std::vector<Interaction> turns;
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    std::string said;
    for (const auto& piece :
         *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kPieces))) {
      said += piece;
    }
    turns.push_back(Turn(said));
  }
  const auto budget = *rc::gen::inRange<std::size_t>(0, 300);
  const std::string summary = SummarizeTurns("", turns, budget);
  RC_ASSERT(EstimateTokens(summary) <= budget);
  RC_ASSERT(IsValidUtf8(summary));
}

}  // namespace
}  // namespace umbranet
