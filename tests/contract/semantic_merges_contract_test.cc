// Goal: every semantic memory tells which names it made one and why, and takes it back for good
// when an owner says so, as ports/semantic_memory.h promises. Method: as in
// semantic_entities_contract_test.cc; the turns of a parting are reflected again in every order.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/semantic_contract.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SemanticMergesContract : public SemanticMemoryContract {
 protected:
  std::vector<EntityMerge> Merges(std::size_t limit = 100) {
    auto merges = memory().Merges(ana_, limit, Deadline::Never());
    EXPECT_TRUE(merges.ok());
    return std::move(merges).value();
  }

  std::size_t Unmerge(std::string_view name, std::string_view from = "") {
    const auto undone = memory().Unmerge(ana_, name, from, Deadline::Never());
    EXPECT_TRUE(undone.ok()) << undone.error().message;
    return *undone;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const Entity& entity : Graph(ana_).entities) {
      names.push_back(entity.name);
    }
    return names;
  }

  // "Liz" and "Elizabeth", with a fact each; the third turn says that they are one.
  std::vector<ReflectionPlan> TwoNames() {
    return {
        Turn(ana_, 0, {Says("Liz", Predicate::kLivesIn, "Porto", "Liz lives in Porto")}),
        Turn(ana_, 10, {Says("Elizabeth", Predicate::kLivesIn, "Bath", "Elizabeth is in Bath")}),
        Turn(ana_, 20, {},
             {{.name = "Elizabeth", .type = EntityType::kPerson, .aliases = {"Liz"}}})};
  }

  // The same turns as they are reflected anew.
  static std::vector<ReflectionPlan> Again(std::vector<ReflectionPlan> plans,
                                           std::uint32_t generation = 1) {
    for (ReflectionPlan& plan : plans) {
      plan = NextGeneration(std::move(plan), generation);
    }
    return plans;
  }
};

TEST_P(SemanticMergesContract, ALogTellsWhichTurnMadeTwoNamesOne) {
  const std::vector<ReflectionPlan> plans = TwoNames();
  Apply(memory(), plans);
  const std::vector<EntityMerge> merges = Merges();
  ASSERT_THAT(merges, SizeIs(1));
  EXPECT_EQ(merges[0].name, "Elizabeth");
  EXPECT_EQ(merges[0].other, "Liz");
  EXPECT_EQ(merges[0].interaction_id, plans[2].interaction_id);
  EXPECT_EQ(merges[0].occurred_at, At(20));
  EXPECT_EQ(merges[0].parted_at, std::nullopt);
  EXPECT_THAT(*memory().Merges(ben_, 10, Deadline::Never()), IsEmpty());
}

TEST_P(SemanticMergesContract, SayingItAgainIsNoSecondMerge) {
  Apply(memory(), TwoNames());
  Apply(
      memory(),
      {Turn(ana_, 30, {}, {{.name = "Liz", .type = EntityType::kOther, .aliases = {"Elizabeth"}}}),
       Turn(ana_, 40, {}, {{.name = "Bo", .type = EntityType::kOther, .aliases = {"Robert"}}})});
  const std::vector<EntityMerge> merges = Merges();
  ASSERT_THAT(merges, SizeIs(2));
  EXPECT_EQ(merges[0].other, "Robert");
  EXPECT_EQ(merges[1].occurred_at, At(20));
  EXPECT_THAT(Merges(1), SizeIs(1));
}

TEST_P(SemanticMergesContract, PartedNamesGetTheirFactsBack) {
  Apply(memory(), TwoNames());
  ASSERT_THAT(Names(), ElementsAre("Liz"));
  EXPECT_TRUE(FactSaying(ana_, "Liz lives in Porto").superseded_by.has_value());
  EXPECT_EQ(Unmerge("liz"), 1U);
  EXPECT_THAT(Names(), UnorderedElementsAre("Liz", "Elizabeth"));
  EXPECT_EQ(FactSaying(ana_, "Liz lives in Porto").superseded_by, std::nullopt);
  EXPECT_EQ(FactSaying(ana_, "Elizabeth is in Bath").subject, "Elizabeth");
  EXPECT_THAT(Texts(Find(ana_, "Liz")), ElementsAre("Liz lives in Porto"));
  const std::vector<EntityMerge> merges = Merges();
  ASSERT_THAT(merges, SizeIs(1));
  EXPECT_TRUE(merges[0].parted_at.has_value());
  EXPECT_EQ(Unmerge("Liz"), 0U);
}

TEST_P(SemanticMergesContract, APartingOutlivesReflectingItsTurnsAgain) {
  const std::vector<ReflectionPlan> plans = TwoNames();
  Apply(memory(), plans);
  EXPECT_EQ(Unmerge("Liz", "Elizabeth"), 1U);
  Apply(memory(), Again(plans));
  EXPECT_THAT(Names(), UnorderedElementsAre("Liz", "Elizabeth"));
  // Also when everything is dropped and worked out anew.
  ASSERT_TRUE(memory().EraseUser(ana_, Deadline::Never()).ok());
  Apply(memory(), Again({plans[2], plans[0], plans[1]}, 2));
  EXPECT_THAT(Names(), UnorderedElementsAre("Liz", "Elizabeth"));
  ASSERT_THAT(Merges(), SizeIs(1));
  EXPECT_TRUE(Merges()[0].parted_at.has_value());
}

TEST_P(SemanticMergesContract, ALaterTurnThatSaysSoUnitesAgain) {
  Apply(memory(), TwoNames());
  EXPECT_EQ(Unmerge("Liz"), 1U);
  const ReflectionPlan later =
      Turn(ana_, 50, {}, {{.name = "Liz", .type = EntityType::kOther, .aliases = {"Elizabeth"}}});
  Apply(memory(), {later});
  EXPECT_THAT(Names(), SizeIs(1));
  const std::vector<EntityMerge> merges = Merges();
  ASSERT_THAT(merges, SizeIs(1));
  EXPECT_EQ(merges[0].interaction_id, later.interaction_id);
  EXPECT_EQ(merges[0].parted_at, std::nullopt);
  EXPECT_EQ(Unmerge("Elizabeth"), 1U);
  EXPECT_THAT(Names(), SizeIs(2));
}

TEST_P(SemanticMergesContract, ADescriptionIsTakenBackFromItsPerson) {
  const std::vector<ReflectionPlan> plans = {
      Turn(ana_, 0, {Says("sister", Predicate::kHobby, "chess", "my sister plays chess")}),
      Turn(ana_, 10, {Says("Ines", Predicate::kLivesIn, "Porto", "my sister Ines is in Porto")},
           {{.name = "Ines", .type = EntityType::kPerson, .aliases = {"my sister"}}})};
  Apply(memory(), plans);
  ASSERT_EQ(FactSaying(ana_, "my sister plays chess").subject, "Ines");
  EXPECT_EQ(Unmerge("my sister"), 1U);
  EXPECT_EQ(FactSaying(ana_, "my sister plays chess").subject, "sister");
  EXPECT_THAT(Names(), UnorderedElementsAre("Ines", "sister"));
  EXPECT_THAT(Texts(Find(ana_, "Ines")), ElementsAre("my sister Ines is in Porto"));
  Apply(memory(), Again(plans));
  EXPECT_EQ(FactSaying(ana_, "my sister plays chess").subject, "sister");
}

TEST_P(SemanticMergesContract, ANameLeavesAloneWhenItIsPartedFromOne) {
  Apply(memory(), TwoNames());
  Apply(memory(), {Turn(ana_, 30, {Says("Lizzy", Predicate::kHobby, "golf", "Lizzy plays golf")},
                        {{.name = "Liz", .type = EntityType::kPerson, .aliases = {"Lizzy"}}})});
  ASSERT_THAT(Names(), SizeIs(1));
  EXPECT_EQ(Unmerge("Liz", "Elizabeth"), 1U);
  EXPECT_EQ(FactSaying(ana_, "Lizzy plays golf").subject_id,
            FactSaying(ana_, "Liz lives in Porto").subject_id);
  EXPECT_NE(FactSaying(ana_, "Lizzy plays golf").subject_id,
            FactSaying(ana_, "Elizabeth is in Bath").subject_id);
}

TEST_P(SemanticMergesContract, TheUserStaysTheUserWhenANameIsTakenBack) {
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto")},
                        {{.name = "user", .type = EntityType::kPerson, .aliases = {"Ada"}}}),
                   Turn(ana_, 10, {Says("Ada", Predicate::kHobby, "chess", "Ada plays chess")})});
  EXPECT_EQ(Unmerge("Ada"), 1U);
  EXPECT_EQ(FactSaying(ana_, "Ada plays chess").subject, "Ada");
  EXPECT_EQ(FactSaying(ana_, "the user lives in Porto").subject, kSelfEntity);
}

TEST_P(SemanticMergesContract, WhatWasNeverMergedCannotBeUndone) {
  Apply(memory(), TwoNames());
  EXPECT_EQ(Unmerge("Nobody"), 0U);
  EXPECT_EQ(Unmerge("Liz", "Nobody"), 0U);
  EXPECT_EQ(*memory().Unmerge(ben_, "Liz", "", Deadline::Never()), 0U);
  const auto unnamed = memory().Unmerge(ana_, "  ", "", Deadline::Never());
  ASSERT_FALSE(unnamed.ok());
  EXPECT_EQ(unnamed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(Names(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Implementations, SemanticMergesContract,
                         testing::ValuesIn(SemanticWorlds()), TierWorldName);

}  // namespace
}  // namespace umbranet
