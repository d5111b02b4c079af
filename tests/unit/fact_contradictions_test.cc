// Goal: facts that cannot both hold, and that no statement has settled, are marked on both sides,
// and nothing else is.
// Method: facts of hand-made users.
#include "umbranet/domain/fact_contradictions.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Fact Of(std::string id, Predicate predicate, std::string object) {
  Fact fact;
  fact.memory_id = std::move(id);
  fact.subject_id = "e1";
  fact.predicate = predicate;
  fact.object = std::move(object);
  return fact;
}

// What the fact with this id contradicts.
std::vector<std::string> Against(const std::string& id, const std::vector<Fact>& facts) {
  const Contradictions found = FindContradictions(facts);
  const auto against = found.find(id);
  return against == found.end() ? std::vector<std::string>{} : against->second;
}

TEST(FactContradictions, LovingAndHatingTheSameAreMarkedOnBothSides) {
  const std::vector<Fact> facts = {Of("a", Predicate::kLikes, "opera"),
                                   Of("b", Predicate::kLikes, "jazz"),
                                   Of("c", Predicate::kDislikes, "the Opera")};
  EXPECT_THAT(Against("a", facts), ElementsAre("c"));
  EXPECT_THAT(Against("b", facts), IsEmpty());
  EXPECT_THAT(Against("c", facts), ElementsAre("a"));
}

TEST(FactContradictions, ADeniedDislikeStandsOnTheSideOfLikes) {
  Fact denied = Of("c", Predicate::kDislikes, "opera");
  denied.negated = true;
  EXPECT_THAT(Against("c", {Of("a", Predicate::kFavorite, "opera"), denied}), IsEmpty());
  EXPECT_THAT(Against("c", {Of("a", Predicate::kDislikes, "opera"), denied}), ElementsAre("a"));
}

TEST(FactContradictions, WhatHasEndedContradictsNothing) {
  Fact superseded = Of("a", Predicate::kLikes, "opera");
  superseded.superseded_by = "x";
  Fact over = Of("b", Predicate::kLikes, "opera");
  over.valid_to = FromUnixMillis(1);
  EXPECT_THAT(Against("c", {superseded, over, Of("c", Predicate::kDislikes, "opera")}), IsEmpty());
}

TEST(FactContradictions, AnotherPersonsTasteIsTheirOwn) {
  Fact other = Of("b", Predicate::kDislikes, "opera");
  other.subject_id = "e2";
  EXPECT_THAT(Against("a", {Of("a", Predicate::kLikes, "opera"), other}), IsEmpty());
}

TEST(FactContradictions, NobodyHasTwoAgesButManyHaveTwoJobs) {
  EXPECT_THAT(Against("a", {Of("a", Predicate::kAge, "34"), Of("b", Predicate::kAge, "43")}),
              ElementsAre("b"));
  EXPECT_THAT(
      Against("a", {Of("a", Predicate::kWorksAs, "nurse"), Of("b", Predicate::kWorksAs, "poet")}),
      IsEmpty());
}

TEST(FactContradictions, TheListOfEachIsBounded) {
  std::vector<Fact> facts = {Of("a", Predicate::kLikes, "opera")};
  for (std::size_t i = 0; i < 2 * kContradictionsMax; ++i) {
    facts.push_back(Of("d" + std::to_string(i), Predicate::kDislikes, "opera"));
  }
  EXPECT_EQ(Against("a", facts).size(), kContradictionsMax);
}

}  // namespace
}  // namespace umbranet
