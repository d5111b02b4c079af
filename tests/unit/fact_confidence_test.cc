// Goal: a fact's confidence tells whether its message was there to say so. What is told by itself
// counts as stated, what is one thing of many, mentioned beside something else or said by everybody
// counts for less, and no fact is lost by it.
// Method: messages of one and of several facts, read by the fact finder.
#include "umbranet/extraction/fact_confidence.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/domain/stated_fact.h"
#include "umbranet/extraction/fact_finder.h"

namespace umbranet {
namespace {

// Of the fact with this object; -1 when there is none.
double ConfidenceOf(std::string_view text, std::string_view object) {
  const WordStream message(text);
  const auto times = FindTimeExpressions(text, FromUnixMillis(1686738600000));
  const EntityResolver nobody;
  const FactsRead found = FindFacts(FactContext{message, kSelfEntity, {}, times, nobody});
  const auto fact =
      std::find_if(found.facts.begin(), found.facts.end(),
                   [object](const PlannedFact& each) { return each.object == object; });
  return fact == found.facts.end() ? -1 : fact->confidence;
}

TEST(FactConfidence, WhatIsToldByItselfCountsAsStated) {
  EXPECT_GE(ConfidenceOf("I work at a bakery.", "bakery"), kStatedConfidence);
  EXPECT_GE(ConfidenceOf("I live in Porto.", "Porto"), kStatedConfidence);
  EXPECT_GE(ConfidenceOf("I love sushi.", "sushi"), kStatedConfidence);
  EXPECT_GE(ConfidenceOf("I have two brothers.", "two brothers"), kStatedConfidence);
  EXPECT_GE(ConfidenceOf("My name is Theo.", "Theo"), kStatedConfidence);
}

TEST(FactConfidence, FallsWithEverythingElseThatTheMessageTells) {
  const double alone = ConfidenceOf("I love sushi.", "sushi");
  const double of_two = ConfidenceOf("I love sushi and my dog is asleep.", "sushi");
  const double of_three = ConfidenceOf("I love sushi, chess and jazz.", "sushi");
  EXPECT_GT(alone, of_two);
  EXPECT_GT(of_two, of_three);
  EXPECT_LT(of_three, kStatedConfidence);
  EXPECT_GT(of_three, 0);
}

TEST(FactConfidence, WhatComesLastOfSeveralIsMeantMoreThanWhatLeadsToIt) {
  const std::string_view text = "I like sushi but I prefer ramen.";
  EXPECT_LT(ConfidenceOf(text, "sushi"), ConfidenceOf(text, "ramen"));
}

TEST(FactConfidence, AJobIsSurerThanATasteAndATasteSurerThanACommonplace) {
  const double job = ConfidenceOf("I work at a bakery.", "bakery");
  const double taste = ConfidenceOf("I love sushi.", "sushi");
  const double commonplace = ConfidenceOf("I love music.", "music");
  EXPECT_GT(job, taste);
  EXPECT_GT(taste, commonplace);
}

TEST(FactConfidence, AnEventOfADayTakesNothingFromWhatIsToldBesideIt) {
  PlannedFact home;
  home.predicate = Predicate::kLivesIn;
  PlannedFact race;
  race.predicate = Predicate::kEvent;
  std::vector<PlannedFact> alone = {home};
  std::vector<PlannedFact> both = {race, home};
  JudgeConfidence(alone);
  JudgeConfidence(both);
  EXPECT_EQ(both.at(1).confidence, alone.at(0).confidence);
}

TEST(FactConfidence, IsAProbabilityForEveryKindOfFact) {
  for (int kind = 0; kind <= static_cast<int>(Predicate::kOther); ++kind) {
    PlannedFact fact;
    fact.predicate = static_cast<Predicate>(kind);
    fact.object = "reading";
    std::vector<PlannedFact> facts(5, fact);
    JudgeConfidence(facts);
    for (const PlannedFact& each : facts) {
      EXPECT_GT(each.confidence, 0.05);
      EXPECT_LT(each.confidence, 0.95);
    }
  }
}

}  // namespace
}  // namespace umbranet
