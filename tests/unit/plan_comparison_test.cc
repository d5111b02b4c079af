// Goal: two plans of a turn are told apart by what they would leave in memory, and by nothing else.
// Method: one plan, and copies of it with one thing changed.
#include "umbranet/domain/plan_comparison.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

PlannedFact LivesIn(const std::string& place) {
  PlannedFact fact;
  fact.subject = "user";
  fact.predicate = Predicate::kLivesIn;
  fact.object = place;
  fact.text = "the user lives in " + place;
  return fact;
}

PlannedFact Likes(const std::string& thing) {
  PlannedFact fact = LivesIn(thing);
  fact.predicate = Predicate::kLikes;
  fact.text = "the user likes " + thing;
  return fact;
}

ReflectionPlan Plan() {
  ReflectionPlan plan;
  plan.job_id = "job";
  plan.extractor = "rules/1";
  plan.episodes = {{Role::kUser, "User", "I moved to Porto and like tea.", 0.5, {}}};
  plan.entities = {{"Porto", EntityType::kPlace, {}}, {"user", EntityType::kPerson, {"me", "I"}}};
  plan.facts = {LivesIn("Porto"), Likes("tea")};
  plan.rules = {{.text = "answer in metric units", .scope = "", .key = "units"}};
  return plan;
}

PlanComparison Compare(const ReflectionPlan& candidate) {
  return ComparePlans(Plan(), candidate);
}

TEST(PlanComparison, NeitherWhoMadeItNorForWhichJobMakesADifference) {
  ReflectionPlan other = Plan();
  other.job_id = "another";
  other.extractor = "model/m";
  other.fallback = "timeout";
  other.sequence = 9;
  std::swap(other.entities[1].aliases[0], other.entities[1].aliases[1]);
  other.facts[0].confidence += 1e-9;
  EXPECT_EQ(Compare(other), PlanComparison{});
}

TEST(PlanComparison, TheOrderAloneIsToldApart) {
  ReflectionPlan other = Plan();
  std::reverse(other.facts.begin(), other.facts.end());
  EXPECT_EQ(Compare(other), (PlanComparison{.difference = PlanDifference::kOrderOnly}));
}

TEST(PlanComparison, OtherWordsForTheSameAreWording) {
  ReflectionPlan other = Plan();
  other.facts[0].text = "the user moved to Porto";
  other.rules[0].confidence = 0.5;
  other.episodes[0].importance = 0.7;
  EXPECT_EQ(Compare(other), (PlanComparison{.difference = PlanDifference::kWording, .wording = 3}));
}

TEST(PlanComparison, WhatOnlyOneOfThemHasIsMissingOrExtra) {
  ReflectionPlan other = Plan();
  other.facts.pop_back();
  EXPECT_EQ(Compare(other), (PlanComparison{.difference = PlanDifference::kMissing, .missing = 1}));
  EXPECT_EQ(ComparePlans(other, Plan()),
            (PlanComparison{.difference = PlanDifference::kExtra, .extra = 1}));
  // Of something that there may be many of, another is not a contradiction.
  other.facts.push_back(Likes("coffee"));
  EXPECT_EQ(Compare(other),
            (PlanComparison{.difference = PlanDifference::kMissing, .extra = 1, .missing = 1}));
}

TEST(PlanComparison, OppositesAndOtherValuesOfOneSlotConflict) {
  ReflectionPlan other = Plan();
  other.facts[0] = LivesIn("Lyon");
  EXPECT_EQ(Compare(other),
            (PlanComparison{.difference = PlanDifference::kConflicting, .conflicting = 1}));
  other = Plan();
  other.facts[1].negated = true;
  EXPECT_EQ(Compare(other).difference, PlanDifference::kConflicting);
  other = Plan();
  other.rules[0].negative = true;
  EXPECT_EQ(Compare(other).difference, PlanDifference::kConflicting);
}

TEST(PlanComparison, ATurnIsOfTheGravestDifferenceInIt) {
  ReflectionPlan other = Plan();
  other.facts[0] = LivesIn("Lyon");
  other.rules.clear();
  other.entities.push_back({"Lyon", EntityType::kPlace, {}});
  const PlanComparison compared = Compare(other);
  EXPECT_EQ(compared.difference, PlanDifference::kConflicting);
  EXPECT_EQ(compared.missing, 1U);
  EXPECT_EQ(compared.extra, 1U);
  EXPECT_EQ(Compare(ReflectionPlan{}).difference, PlanDifference::kMissing);
}

TEST(PlanComparison, EveryDifferenceHasANameOfItsOwn) {
  for (const PlanDifference difference : kAllPlanDifferences) {
    EXPECT_EQ(ParsePlanDifference(PlanDifferenceName(difference)), difference);
  }
  EXPECT_FALSE(ParsePlanDifference("other").has_value());
}

}  // namespace
}  // namespace umbranet
