// Goal: every semantic memory knows who is who, and finds what is known about them, as
// ports/semantic_memory.h promises. Method: as in semantic_memory_contract_test.cc; where the order
// of turns must not matter, the same plans are applied in every order and the graphs compared.
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

class SemanticEntitiesContract : public SemanticMemoryContract {};

TEST_P(SemanticEntitiesContract, NamesThatDifferInWritingAreOneEntity) {
  Apply(memory(), {Turn(ana_, 0, {Says("The Café Zoé", Predicate::kOther, "good", "one")}),
                   Turn(ana_, 1, {Says("cafe zoe", Predicate::kOther, "cheap", "two")}),
                   Turn(ana_, 2, {Says("Café Zoé's", Predicate::kOther, "far", "three")})});
  const KnowledgeGraph graph = Graph(ana_);
  ASSERT_THAT(graph.entities, SizeIs(1));
  EXPECT_EQ(graph.entities.at(0).name, "The Café Zoé");
  EXPECT_THAT(graph.facts, SizeIs(3));
}

TEST_P(SemanticEntitiesContract, APersonNamedByRelationFirstAndByNameLaterIsOne) {
  InEveryOrder([&] {
    return std::vector{
        Turn(ana_, 0, {Says("sister", Predicate::kLivesIn, "Porto", "my sister lives in Porto")},
             {{.name = "sister", .type = EntityType::kPerson, .aliases = {}}}),
        Turn(ana_, 10, {Says("Ana", Predicate::kWorksAs, "pilot", "my sister Ana is a pilot")},
             {{.name = "Ana", .type = EntityType::kPerson, .aliases = {"my sister"}}}),
        Turn(ana_, 20, {Says("Ana", Predicate::kLivesIn, "Lyon", "Ana lives in Lyon")})};
  });
  const KnowledgeGraph graph = Graph(ana_);
  ASSERT_THAT(graph.entities, SizeIs(1));
  EXPECT_EQ(graph.entities.at(0).name, "Ana");
  EXPECT_THAT(graph.entities.at(0).aliases, ElementsAre("sister"));
  EXPECT_EQ(FactSaying(ana_, "my sister lives in Porto").superseded_by,
            FactSaying(ana_, "Ana lives in Lyon").memory_id);
  // Also found by the name that its text does not hold.
  EXPECT_THAT(Texts(Find(ana_, "Ana")),
              UnorderedElementsAre("my sister lives in Porto", "my sister Ana is a pilot",
                                   "Ana lives in Lyon"));
  EXPECT_THAT(Find(ana_, "sister").candidates, SizeIs(3));
}

TEST_P(SemanticEntitiesContract, TwoSistersDoNotBecomeOne) {
  InEveryOrder([&] {
    return std::vector{
        Turn(ana_, 0, {Says("sister", Predicate::kHobby, "chess", "my sister plays chess")}),
        Turn(ana_, 10, {Says("Ana", Predicate::kLivesIn, "Porto", "my sister Ana lives in Porto")},
             {{.name = "Ana", .type = EntityType::kPerson, .aliases = {"sister"}}}),
        Turn(ana_, 20, {Says("Eva", Predicate::kLivesIn, "Rome", "my sister Eva lives in Rome")},
             {{.name = "Eva", .type = EntityType::kPerson, .aliases = {"sister"}}}),
        Turn(ana_, 30, {Says("sister", Predicate::kHobby, "golf", "my sister plays golf")})};
  });
  EXPECT_THAT(Graph(ana_).entities, SizeIs(2));
  EXPECT_EQ(FactSaying(ana_, "my sister plays chess").subject, "Ana");
  EXPECT_EQ(FactSaying(ana_, "my sister plays golf").subject, "Eva");
  EXPECT_EQ(FactSaying(ana_, "my sister Ana lives in Porto").superseded_by, std::nullopt);
}

TEST_P(SemanticEntitiesContract, TwoNamesThatATurnCallsOneBecomeOneWithAllTheirFacts) {
  InEveryOrder([&] {
    PlannedFact knows = Says("Ben", Predicate::kRelation, "Liz", "Ben knows Liz");
    knows.object_is_entity = true;
    return std::vector{
        Turn(ana_, 0, {Says("Liz", Predicate::kLivesIn, "Porto", "Liz lives in Porto")}),
        Turn(ana_, 10, {Says("Elizabeth", Predicate::kLivesIn, "Bath", "Elizabeth lives in Bath")}),
        Turn(ana_, 20, {knows},
             {{.name = "Elizabeth", .type = EntityType::kPerson, .aliases = {"Liz"}}}),
        Turn(ana_, 30, {}, {{.name = "Liz", .type = EntityType::kOther, .aliases = {"Lizzy"}}})};
  });
  EXPECT_EQ(FactSaying(ana_, "Liz lives in Porto").superseded_by,
            FactSaying(ana_, "Elizabeth lives in Bath").memory_id);
  EXPECT_EQ(FactSaying(ana_, "Ben knows Liz").object_id,
            FactSaying(ana_, "Liz lives in Porto").subject_id);
  EXPECT_THAT(Find(ana_, "Lizzy").candidates, SizeIs(3));
}

TEST_P(SemanticEntitiesContract, TheUserStaysTheUserUnderAnyName) {
  InEveryOrder([&] {
    return std::vector{
        Turn(ana_, 0, {LivesIn("Porto")},
             {{.name = "user", .type = EntityType::kPerson, .aliases = {"Ada"}}}),
        Turn(ana_, 10, {Says("Ada", Predicate::kHobby, "chess", "Ada plays chess")})};
  });
  EXPECT_EQ(FactSaying(ana_, "Ada plays chess").subject, kSelfEntity);
  const KnowledgeGraph graph = Graph(ana_);
  ASSERT_THAT(graph.entities, SizeIs(1));
  EXPECT_THAT(graph.entities.at(0).aliases, ElementsAre("Ada"));
  // The word that stands for the user is no name to search for.
  EXPECT_THAT(Texts(Find(ana_, "user")), ElementsAre("the user lives in Porto"));
}

TEST_P(SemanticEntitiesContract, EntitiesAreOfTheirUserAlone) {
  Apply(memory(), {Turn(ana_, 0, {Says("Kim", Predicate::kHobby, "chess", "Kim plays chess")})});
  Apply(memory(), {Turn(ben_, 0, {Says("Kim", Predicate::kHobby, "golf", "Kim plays golf")})});
  EXPECT_THAT(Texts(Find(ana_, "Kim")), ElementsAre("Kim plays chess"));
  EXPECT_THAT(Texts(Find(ben_, "Kim")), ElementsAre("Kim plays golf"));
  EXPECT_NE(Graph(ana_).entities.at(0).entity_id, Graph(ben_).entities.at(0).entity_id);
}

TEST_P(SemanticEntitiesContract, KnownEntitiesComeMostRecentlyMentionedFirst) {
  Apply(memory(),
        {Turn(ana_, 0, {}, {{.name = "Ada", .type = EntityType::kPerson, .aliases = {}}}),
         Turn(ana_, 30, {}, {{.name = "Bo", .type = EntityType::kAnimal, .aliases = {}}}),
         Turn(ana_, 20, {}, {{.name = "Cy", .type = EntityType::kPerson, .aliases = {}}})});
  Apply(memory(),
        {Turn(ana_, 25, {}, {{.name = "ada", .type = EntityType::kOther, .aliases = {}}})});
  const auto names = [&](std::size_t limit) {
    std::vector<std::string> listed;
    const auto known = memory().KnownEntities(ana_, limit, Deadline::Never());
    EXPECT_TRUE(known.ok());
    for (const Entity& entity : *known) {
      listed.push_back(entity.name);
    }
    return listed;
  };
  EXPECT_THAT(names(10), ElementsAre("Bo", "Ada", "Cy"));
  EXPECT_THAT(names(2), ElementsAre("Bo", "Ada"));
  EXPECT_THAT(*memory().KnownEntities(ben_, 10, Deadline::Never()), IsEmpty());
}

TEST_P(SemanticEntitiesContract, FindCountsTermsOfTextAndNames) {
  PlannedFact fact = Says("Mira", Predicate::kHobby, "chess", "plays chess and more chess");
  Apply(memory(),
        {Turn(ana_, 0, {fact}, {{.name = "Mira", .type = EntityType::kPerson, .aliases = {}}}),
         Turn(ana_, 1, {LivesIn("Porto")})});
  const FactsFound found = Find(ana_, "Mira chess golf");
  ASSERT_THAT(found.candidates, SizeIs(1));
  EXPECT_THAT(found.candidates.at(0).term_counts, ElementsAre(1, 2, 0));
  EXPECT_EQ(found.candidates.at(0).length, AnalyzeTerms(fact.text).size());
  EXPECT_EQ(found.statistics.documents, 2U);
  EXPECT_THAT(found.statistics.document_frequency, ElementsAre(1, 1, 0));
  EXPECT_NEAR(found.statistics.length_mean,
              static_cast<double>(AnalyzeTerms(fact.text).size() +
                                  AnalyzeTerms("the user lives in Porto").size()) /
                  2,
              1e-9);
}

TEST_P(SemanticEntitiesContract, FindBringsTheSuccessorsOfWhatWasSuperseded) {
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto")}), Turn(ana_, 10, {LivesIn("Lyon")}),
                   Turn(ana_, 20, {LivesIn("Rome")})});
  EXPECT_THAT(Texts(Find(ana_, "Porto")),
              UnorderedElementsAre("the user lives in Porto", "the user lives in Lyon",
                                   "the user lives in Rome"));
  EXPECT_THAT(Texts(Find(ana_, "Porto", 1)), SizeIs(3));
  EXPECT_THAT(Texts(Find(ana_, "Rome")), ElementsAre("the user lives in Rome"));
}

TEST_P(SemanticEntitiesContract, FindKeepsToTheBestCandidates) {
  std::vector<PlannedFact> facts;
  for (int i = 0; i < 30; ++i) {
    facts.push_back(Likes("music of kind" + std::to_string(i)));
  }
  facts.push_back(Likes("music of the viola"));
  Apply(memory(), {Turn(ana_, 0, facts)});
  EXPECT_THAT(Find(ana_, "music viola", 5).candidates, SizeIs(5));
  EXPECT_THAT(Texts(Find(ana_, "music viola", 5)),
              testing::Contains("the user likes music of the viola"));
}

TEST_P(SemanticEntitiesContract, AsOfAnswersFromWhatWasTrueAndSaidByThen) {
  PlannedFact planned =
      Says("user", Predicate::kPlan, "move", "the user lives by the plan to move");
  planned.valid_from = At(500);
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto"), planned}), Turn(ana_, 10, {LivesIn("Porto")}),
                   Turn(ana_, 20, {LivesIn("Lyon")}), Turn(ana_, 30, {LivesIn("Rome")})});
  EXPECT_THAT(Find(ana_, "lives", 200, At(-1)).candidates, IsEmpty());
  const FactsFound early = Find(ana_, "lives", 200, At(5));
  ASSERT_THAT(Texts(early), ElementsAre("the user lives in Porto"));
  EXPECT_EQ(early.candidates.at(0).fact.superseded_by, std::nullopt);
  EXPECT_EQ(early.candidates.at(0).fact.valid_to, std::nullopt);
  EXPECT_EQ(early.candidates.at(0).fact.evidence, 1U);
  const FactsFound between = Find(ana_, "lives", 200, At(25));
  ASSERT_THAT(Texts(between),
              UnorderedElementsAre("the user lives in Porto", "the user lives in Lyon"));
  for (const FactCandidate& candidate : between.candidates) {
    EXPECT_EQ(candidate.fact.superseded_by.has_value(), candidate.fact.object == "Porto");
  }
  EXPECT_EQ(between.statistics.documents, 4U);
}

TEST_P(SemanticEntitiesContract, TermsThatNoAnalysisMakesFindNothingAndBreakNothing) {
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto")})});
  FactQuery query;
  query.user = ana_;
  query.terms = {"\"", "porto\" OR \"user", "*", "NEAR(", std::string("\0", 1)};
  const auto found = memory().Find(query, Deadline::Never());
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_THAT(found->candidates, IsEmpty());
}

TEST_P(SemanticEntitiesContract, NamesThatSayNothingAreLeftAside) {
  Apply(memory(), {Turn(ana_, 0,
                        {Says("  ", Predicate::kHobby, "chess", "nobody plays chess"),
                         Says("\xF0\x9F\xA6\x8A", Predicate::kHobby, "golf", "fox plays golf")},
                        {{.name = "", .type = EntityType::kPerson, .aliases = {" "}}})});
  EXPECT_THAT(TierContract::Texts(ListAll(memory(), ana_)), ElementsAre("fox plays golf"));
}

INSTANTIATE_TEST_SUITE_P(Implementations, SemanticEntitiesContract,
                         testing::ValuesIn(SemanticWorlds()), TierWorldName);

}  // namespace
}  // namespace umbranet
