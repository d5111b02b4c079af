// Goal: an extractor is given what it makes use of, and is not kept waiting for anything else.
// Method: a scripted extractor records what it was asked over in-memory stores.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/reflection/known_facts.h"

#include "tests/unit/reflection_harness.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<Interaction>& turns) {
  std::vector<std::string> texts;
  for (const Interaction& turn : turns) {
    texts.push_back(turn.user_message);
  }
  return texts;
}

class ExtractionScopeTest : public ReflectionHarness {
 protected:
  void RunAll() {
    BatchProcessor processor = MakeProcessor();
    AttemptAll(processor);
  }
};

TEST_F(ExtractionScopeTest, SessionsAreWorkedOutApartUnlessTheyMayBeTogether) {
  Accept({Turn("a", "one", kAna, "s1"), Turn("b", "two", kAna, "s2")});
  RunAll();
  EXPECT_EQ(extractor_.Calls().size(), 2U);
  extractor_.SetScope({.sessions_together = true});
  Accept({Turn("c", "three", kAna, "s1"), Turn("d", "four", kAna, "s2")});
  RunAll();
  ASSERT_EQ(extractor_.Calls().size(), 3U);
  const ExtractionInput input = extractor_.Calls().back();
  EXPECT_THAT(Texts(input.turns), ElementsAre("three", "four"));
  // What came before is that of every session.
  EXPECT_THAT(Texts(input.preceding), ElementsAre("one", "two"));
  EXPECT_EQ(StatusOf("c").state, JobState::kDone);
  EXPECT_EQ(StatusOf("d").state, JobState::kDone);
}

TEST_F(ExtractionScopeTest, KnownFactsAreReadForWhoeverMakesUseOfThem) {
  Accept({Turn("a", "my bicycle is red"), Turn("b", "the weather is fine")});
  RunAll();
  EXPECT_THAT(extractor_.Calls().front().known_facts, IsEmpty());
  Accept({Turn("c", "somebody stole the bicycle")});
  RunAll();
  EXPECT_THAT(extractor_.Calls().back().known_facts, IsEmpty());
  extractor_.SetScope({.known_facts = true});
  Accept({Turn("d", "I got the bicycle back")});
  RunAll();
  const std::vector<Fact> facts = extractor_.Calls().back().known_facts;
  ASSERT_EQ(facts.size(), 2U);
  for (const Fact& fact : facts) {
    EXPECT_NE(fact.text.find("bicycle"), std::string::npos);
  }
}

TEST_F(ExtractionScopeTest, AJobSaysWhyItsPlanIsALesserOne) {
  extractor_.SetEditor(
      [](std::vector<ReflectionPlan>& plans) { plans.front().fallback = "timeout"; });
  Accept({Turn("a", "one"), Turn("b", "two")});
  RunAll();
  EXPECT_EQ(StatusOf("a").fallback, "timeout");
  EXPECT_EQ(StatusOf("b").fallback, "");
}

TEST_F(ExtractionScopeTest, ABatchIsGivenBackWhenItsExtractorIsStopped) {
  extractor_.SetScript([](const ExtractionInput&) -> std::optional<Error> {
    return Error{ErrorCode::kCancelled, "scripted: stopped"};
  });
  Accept({Turn("a", "one"), Turn("b", "two")});
  BatchProcessor processor = MakeProcessor();
  const auto batch = Claim();
  const BatchResult result = processor.Process(*batch, {}, Deadline::Never());
  EXPECT_EQ(result.ending, BatchResult::Ending::kInterrupted);
  EXPECT_THAT(result.failures, IsEmpty());
}

TEST_F(ExtractionScopeTest, FactsAreBoundedAndTheRarestWordsCountMost) {
  std::vector<Interaction> turns;
  for (int i = 0; i < 30; ++i) {
    turns.push_back(Turn("t" + std::to_string(i), "plain lamp number " + std::to_string(i)));
  }
  turns.push_back(Turn("x", "one accordion beside the lamp"));
  Accept(turns);
  RunAll();
  const std::vector<Interaction> asked = {Turn("q", "lamp and accordion")};
  const auto facts = FindKnownFacts(semantic_, kAna, asked, 5, Deadline::Never());
  ASSERT_TRUE(facts.ok());
  ASSERT_EQ(facts->size(), 5U);
  EXPECT_NE(facts->front().text.find("accordion"), std::string::npos);
}

}  // namespace
}  // namespace umbranet
