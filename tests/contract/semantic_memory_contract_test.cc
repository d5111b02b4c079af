// Goal: every semantic memory keeps the promises of ports/semantic_memory.h and
// ports/memory_tier.h. Method: one suite, run against each implementation; a world of its own for
// each test (tier_world.h) accepts the turns and leases the jobs. Where the order of turns must not
// matter, the same plans are applied in every order and the graphs compared.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/domain/fact_contradictions.h"

#include "tests/contract/semantic_contract.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Of those that share a database with the ledger.
class SemanticMemoryFence : public SemanticMemoryContract {};

TEST_P(SemanticMemoryContract, AFactKeepsEverythingThatThePlanSaid) {
  world_->clock().Advance(Millis{5000});
  PlannedFact fact = Says("Mira", Predicate::kRelation, "Ana", "Mira's sister is Ana");
  fact.qualifier = "sister";
  fact.object_is_entity = true;
  fact.valid_from = At(-100);
  fact.confidence = 0.5;
  const ReflectionPlan plan =
      Turn(ana_, 3, {fact},
           {{.name = "Mira", .type = EntityType::kPerson, .aliases = {"Mimi"}},
            {.name = "Ana", .type = EntityType::kPerson, .aliases = {}}});
  Apply(memory(), {plan});
  const Fact kept = FactSaying(ana_, "Mira's sister is Ana");
  EXPECT_TRUE(kept.memory_id.starts_with(kFactPrefix));
  EXPECT_EQ(kept.user, ana_);
  EXPECT_EQ(kept.subject, "Mira");
  EXPECT_EQ(kept.predicate, Predicate::kRelation);
  EXPECT_EQ(kept.qualifier, "sister");
  EXPECT_EQ(kept.object, "Ana");
  EXPECT_FALSE(kept.negated);
  EXPECT_EQ(kept.valid_from, At(-100));
  EXPECT_EQ(kept.valid_to, std::nullopt);
  EXPECT_EQ(kept.superseded_by, std::nullopt);
  EXPECT_EQ(kept.occurred_at, At(3));
  EXPECT_EQ(kept.recorded_at, world_->clock().Now());
  EXPECT_EQ(kept.confidence, 0.5);
  EXPECT_EQ(kept.evidence, 1U);
  EXPECT_THAT(kept.sources, ElementsAre(SourceRef{plan.interaction_id, Role::kUser}));
  const KnowledgeGraph graph = Graph(ana_);
  ASSERT_THAT(graph.entities, SizeIs(2));
  for (const Entity& entity : graph.entities) {
    EXPECT_EQ(entity.type, EntityType::kPerson);
    EXPECT_EQ(entity.entity_id, entity.name == "Mira" ? kept.subject_id : kept.object_id);
    EXPECT_EQ(entity.aliases, entity.name == "Mira" ? std::vector<std::string>{"Mimi"}
                                                    : std::vector<std::string>{});
  }
}

TEST_P(SemanticMemoryContract, SayingTheSameAgainIsEvidence) {
  PlannedFact sure = Likes("The Jazz Club");
  sure.confidence = 0.9;
  sure.text = "the user loves the jazz club";
  Apply(memory(), {Turn(ana_, 0, {Likes("jazz club")}), Turn(ana_, 1, {sure})});
  const Fact fact = FactSaying(ana_, "the user likes jazz club");
  EXPECT_EQ(fact.evidence, 2U);
  EXPECT_EQ(fact.confidence, 0.9);
  EXPECT_EQ(fact.occurred_at, At(0));
  EXPECT_THAT(fact.sources, ElementsAre(Field(&SourceRef::interaction_id, "turn-1"),
                                        Field(&SourceRef::interaction_id, "turn-2")));
}

TEST_P(SemanticMemoryContract, OneTurnThatSaysItTwiceIsOneWitness) {
  Apply(memory(), {Turn(ana_, 0, {Likes("jazz"), Likes("Jazz")})});
  EXPECT_EQ(FactSaying(ana_, "the user likes jazz").evidence, 1U);
}

TEST_P(SemanticMemoryContract, AFunctionalFactGivesWayToTheNewerOneInEveryOrder) {
  InEveryOrder([&] {
    PlannedFact lyon = LivesIn("Lyon");
    lyon.valid_from = At(5);
    return std::vector{Turn(ana_, 0, {LivesIn("Porto")}), Turn(ana_, 10, {lyon}),
                       Turn(ana_, 20, {LivesIn("Rome")}), Turn(ana_, 30, {LivesIn("Porto")})};
  });
  const KnowledgeGraph graph = Graph(ana_);
  ASSERT_THAT(graph.facts, SizeIs(4));  // Newest first.
  const auto& facts = graph.facts;
  EXPECT_EQ(facts[3].object, "Porto");
  EXPECT_EQ(facts[3].valid_to, At(5));
  EXPECT_EQ(facts[3].superseded_by, facts[2].memory_id);
  EXPECT_EQ(facts[2].object, "Lyon");
  EXPECT_EQ(facts[2].valid_to, At(20));
  EXPECT_EQ(facts[2].superseded_by, facts[1].memory_id);
  EXPECT_EQ(facts[1].superseded_by, facts[0].memory_id);
  EXPECT_EQ(facts[0].object, "Porto");
  EXPECT_EQ(facts[0].valid_to, std::nullopt);
  EXPECT_EQ(facts[0].superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, ValuesOfOneTurnStandBesideEachOther) {
  Apply(memory(), {Turn(ana_, 0,
                        {Says("user", Predicate::kWorksAs, "baker", "is a baker"),
                         Says("user", Predicate::kWorksAs, "painter", "is a painter")})});
  EXPECT_EQ(FactSaying(ana_, "is a baker").superseded_by, std::nullopt);
  EXPECT_EQ(FactSaying(ana_, "is a painter").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, QualifiersAndSubjectsKeepFunctionalFactsApart) {
  PlannedFact color = Says("user", Predicate::kFavorite, "green", "favourite color green");
  color.qualifier = "color";
  PlannedFact food = Says("user", Predicate::kFavorite, "soup", "favourite food soup");
  food.qualifier = "food";
  Apply(memory(), {Turn(ana_, 0, {color, LivesIn("Porto")}), Turn(ana_, 1, {food}),
                   Turn(ana_, 2, {Says("Ben", Predicate::kLivesIn, "Rome", "Ben lives in Rome")})});
  for (const Fact& fact : Graph(ana_).facts) {
    EXPECT_EQ(fact.superseded_by, std::nullopt) << fact.text;
  }
}

TEST_P(SemanticMemoryContract, OtherFactsAddUpUnlessOneSupersedes) {
  const auto described = InEveryOrder([&] {
    PlannedFact only = Likes("tea");
    only.supersedes = true;
    return std::vector{Turn(ana_, 0, {Likes("coffee"), Likes("cocoa")}), Turn(ana_, 10, {only}),
                       Turn(ana_, 20, {Likes("mate")})};
  });
  const Fact tea = FactSaying(ana_, "the user likes tea");
  EXPECT_EQ(FactSaying(ana_, "the user likes coffee").superseded_by, tea.memory_id);
  EXPECT_EQ(FactSaying(ana_, "the user likes cocoa").valid_to, At(10));
  EXPECT_EQ(tea.superseded_by, std::nullopt);
  EXPECT_EQ(FactSaying(ana_, "the user likes mate").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, AFactMayNameTheOneValueThatItEnds) {
  InEveryOrder([&] {
    PlannedFact swap = Likes("tea");
    swap.supersedes = true;
    swap.ends_object = "the coffee";
    return std::vector{Turn(ana_, 0, {Likes("coffee")}), Turn(ana_, 5, {Likes("cocoa")}),
                       Turn(ana_, 10, {swap})};
  });
  EXPECT_EQ(FactSaying(ana_, "the user likes coffee").superseded_by,
            FactSaying(ana_, "the user likes tea").memory_id);
  EXPECT_EQ(FactSaying(ana_, "the user likes cocoa").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, ARetractionEndsAFactAndAddsNone) {
  InEveryOrder([&] {
    PlannedFact gone = Says("user", Predicate::kWorksAt, "bakery", "no longer at the bakery");
    gone.retracts = true;
    return std::vector{
        Turn(ana_, 0, {Says("user", Predicate::kWorksAt, "the bakery", "works at the bakery")}),
        Turn(ana_, 10, {gone}),
        Turn(ana_, 20, {Says("user", Predicate::kWorksAt, "mill", "works at the mill")})};
  });
  const Fact bakery = FactSaying(ana_, "works at the bakery");
  EXPECT_EQ(bakery.valid_to, At(10));
  EXPECT_EQ(bakery.superseded_by, std::nullopt);
  EXPECT_THAT(Graph(ana_).facts, SizeIs(2));
}

TEST_P(SemanticMemoryContract, ARetractionWithoutAValueEndsThemAll) {
  PlannedFact none = Says("user", Predicate::kOwns, "", "owns nothing any more");
  none.retracts = true;
  Apply(memory(), {Turn(ana_, 0,
                        {Says("user", Predicate::kOwns, "a car", "owns a car"),
                         Says("user", Predicate::kOwns, "a boat", "owns a boat")}),
                   Turn(ana_, 10, {none})});
  EXPECT_EQ(FactSaying(ana_, "owns a car").valid_to, At(10));
  EXPECT_EQ(FactSaying(ana_, "owns a boat").valid_to, At(10));
}

TEST_P(SemanticMemoryContract, ADenialSupersedesItsOppositeAndIsSupersededByIt) {
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 0, {Likes("olives")}), Turn(ana_, 10, {Likes("olives", true)}),
                       Turn(ana_, 20, {Likes("olives")}), Turn(ana_, 5, {Likes("capers")})};
  });
  std::vector<Fact> facts = Graph(ana_).facts;  // Newest first.
  std::erase_if(facts, [](const Fact& fact) { return fact.object == "capers"; });
  ASSERT_THAT(facts, SizeIs(3));
  EXPECT_FALSE(facts[0].negated);
  EXPECT_EQ(facts[0].superseded_by, std::nullopt);
  EXPECT_TRUE(facts[1].negated);
  EXPECT_EQ(facts[1].superseded_by, facts[0].memory_id);
  EXPECT_EQ(facts[2].superseded_by, facts[1].memory_id);
  EXPECT_EQ(FactSaying(ana_, "the user likes capers").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, WhatNoStatementSettlesIsKeptOnBothSidesAndMarked) {
  const ReflectionPlan loves =
      Turn(ana_, 1, {Says("user", Predicate::kLikes, "opera", "loves opera")});
  const ReflectionPlan hates =
      Turn(ana_, 2, {Says("user", Predicate::kDislikes, "opera", "hates opera")});
  Apply(memory(), {loves, hates});
  const std::vector<Fact> facts = Graph(ana_).facts;
  ASSERT_THAT(facts, SizeIs(2));
  const Contradictions found = FindContradictions(facts);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found.at(facts[0].memory_id), ElementsAre(facts[1].memory_id));
  EXPECT_THAT(found.at(facts[1].memory_id), ElementsAre(facts[0].memory_id));
  // Whoever takes one back has settled it.
  PlannedFact over = Says("user", Predicate::kLikes, "opera", "no longer loves opera");
  over.retracts = true;
  Apply(memory(), {Turn(ana_, 3, {over})});
  EXPECT_THAT(FindContradictions(Graph(ana_).facts), IsEmpty());
}

TEST_P(SemanticMemoryContract, WhatWasOverWhenItWasToldEndsNothing) {
  InEveryOrder([&] {
    PlannedFact once = LivesIn("Rome");
    once.text = "the user lived in Rome";
    once.valid_from = At(-200);
    once.valid_to = At(-100);
    return std::vector{Turn(ana_, 0, {LivesIn("Porto")}), Turn(ana_, 10, {once}),
                       Turn(ana_, 20, {LivesIn("Porto")})};
  });
  EXPECT_EQ(FactSaying(ana_, "the user lives in Porto").evidence, 2U);
  EXPECT_EQ(FactSaying(ana_, "the user lives in Porto").valid_to, std::nullopt);
  EXPECT_EQ(FactSaying(ana_, "the user lived in Rome").valid_to, At(-100));
  EXPECT_EQ(FactSaying(ana_, "the user lived in Rome").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, WhatIsAnnouncedForLaterEndsWhatIsAtItsOwnTime) {
  InEveryOrder([&] {
    PlannedFact later = LivesIn("Lyon");
    later.valid_from = At(1000);
    return std::vector{Turn(ana_, 0, {LivesIn("Porto")}), Turn(ana_, 10, {later}),
                       Turn(ana_, 20, {LivesIn("Porto")})};
  });
  const Fact porto = FactSaying(ana_, "the user lives in Porto");
  EXPECT_EQ(porto.valid_to, At(1000));
  EXPECT_EQ(porto.evidence, 2U);
  EXPECT_EQ(FactSaying(ana_, "the user lives in Lyon").superseded_by, std::nullopt);
}

TEST_P(SemanticMemoryContract, ApplyingAPlanAgainChangesNothing) {
  const ReflectionPlan plan =
      Turn(ana_, 0, {LivesIn("Porto"), Likes("tea")},
           {{.name = "Ana", .type = EntityType::kPerson, .aliases = {"sister"}}});
  Apply(memory(), {plan});
  const auto before = Describe(ana_);
  Apply(memory(), {plan});
  EXPECT_EQ(Describe(ana_), before);
  Apply(memory(), {NextGeneration(plan)});
  EXPECT_EQ(Describe(ana_), before);
}

TEST_P(SemanticMemoryContract, ListsFactsOldestFirstInPagesThatMeetWithoutGap) {
  Apply(memory(), {Turn(ana_, 20, {Likes("c"), Likes("d")}), Turn(ana_, 0, {Likes("a")}),
                   Turn(ana_, 10, {Likes("b")})});
  const auto whole = ListAll(memory(), ana_);
  EXPECT_THAT(TierContract::Texts(whole), ElementsAre("the user likes a", "the user likes b",
                                                      "the user likes c", "the user likes d"));
  for (const std::size_t page : {1U, 3U, 4U}) {
    EXPECT_EQ(TierContract::Texts(ListAll(memory(), ana_, page)), TierContract::Texts(whole));
  }
  EXPECT_EQ(memory().List(ana_, "nonsense", 2, Deadline::Never()).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_P(SemanticMemoryContract, AMemoryIsSeenOnlyByItsTenant) {
  PlannedFact fact = LivesIn("Porto");
  fact.valid_from = At(-5);
  const ReflectionPlan plan = Turn(ana_, 3, {fact});
  Apply(memory(), {plan});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto item = memory().Get("default", id, Deadline::Never());
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_EQ((*item)->text, "the user lives in Porto");
  EXPECT_EQ((*item)->tier, Tier::kSemantic);
  EXPECT_EQ((*item)->user, ana_);
  EXPECT_EQ((*item)->occurred_at, At(3));
  EXPECT_EQ((*item)->valid_from, At(-5));
  EXPECT_THAT((*item)->sources, ElementsAre(SourceRef{plan.interaction_id, Role::kUser}));
  EXPECT_FALSE(memory().Get("acme", id, Deadline::Never())->has_value());
  EXPECT_FALSE(
      memory().Update("acme", id, {.text = "x", .valid_to = {}}, Deadline::Never())->has_value());
  EXPECT_FALSE(*memory().Erase("acme", id, Deadline::Never()));
  EXPECT_FALSE(memory().Get("default", "fa_nothing", Deadline::Never())->has_value());
}

TEST_P(SemanticMemoryContract, AnIdStaysGoodWhenAnEarlierTurnArrivesLate) {
  const ReflectionPlan early = Turn(ana_, 0, {LivesIn("Porto")});
  const ReflectionPlan late = Turn(ana_, 10, {LivesIn("Porto")});
  Apply(memory(), {late});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  Apply(memory(), {early});
  const auto item = memory().Get("default", id, Deadline::Never());
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_THAT((*item)->sources, SizeIs(2));
  EXPECT_TRUE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
}

TEST_P(SemanticMemoryContract, AnOwnerMayRewordAFactAndEndIt) {
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto")})});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto changed = memory().Update(
      "default", id, {.text = "I lived in Gaia", .valid_to = At(7)}, Deadline::Never());
  ASSERT_TRUE(changed.ok() && changed->has_value());
  EXPECT_EQ((*changed)->text, "I lived in Gaia");
  EXPECT_EQ((*changed)->valid_to, At(7));
  EXPECT_THAT(Find(ana_, "Porto").candidates, IsEmpty());
  EXPECT_THAT(Texts(Find(ana_, "Gaia")), ElementsAre("I lived in Gaia"));
  // The owner's word stands above what turns say later.
  Apply(memory(), {Turn(ana_, 5, {LivesIn("Porto")}), Turn(ana_, 20, {LivesIn("Lyon")})});
  const Fact fact = FactSaying(ana_, "I lived in Gaia");
  EXPECT_EQ(fact.valid_to, At(7));
  EXPECT_EQ(fact.evidence, 2U);
  EXPECT_EQ(
      memory().Update("default", id, {.text = "", .valid_to = {}}, Deadline::Never()).error().code,
      ErrorCode::kInvalidArgument);
}

TEST_P(SemanticMemoryContract, AnErasedFactStaysAwayAndWhatItSupersededHoldsAgain) {
  const ReflectionPlan porto = Turn(ana_, 0, {LivesIn("Porto")});
  const ReflectionPlan lyon = Turn(ana_, 10, {LivesIn("Lyon")});
  Apply(memory(), {porto, lyon});
  const std::string id = FactSaying(ana_, "the user lives in Lyon").memory_id;
  EXPECT_TRUE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_FALSE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_THAT(Find(ana_, "Lyon").candidates, IsEmpty());
  EXPECT_EQ(FactSaying(ana_, "the user lives in Porto").valid_to, std::nullopt);
  Apply(memory(), {lyon});
  Apply(memory(), {NextGeneration(lyon)});
  EXPECT_THAT(ListAll(memory(), ana_), SizeIs(1));
  EXPECT_EQ(Find(ana_, "lives").statistics.documents, 1U);
  // Also when tiers are emptied to be worked out anew; but a new turn may say it again.
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 1U);
  Apply(memory(), {NextGeneration(porto, 2), NextGeneration(lyon, 2)});
  EXPECT_THAT(TierContract::Texts(ListAll(memory(), ana_)), ElementsAre("the user lives in Porto"));
  Apply(memory(), {Turn(ana_, 20, {LivesIn("Lyon")})});
  EXPECT_THAT(ListAll(memory(), ana_), SizeIs(2));
}

TEST_P(SemanticMemoryContract, ForgettingAUserLeavesNothingAndTouchesNobodyElse) {
  Apply(memory(), {Turn(ana_, 0, {LivesIn("Porto"), Likes("tea")},
                        {{.name = "Ada", .type = EntityType::kPerson, .aliases = {"sister"}}}),
                   Turn(ana_, 1, {LivesIn("Lyon")})});
  Apply(memory(), {Turn(ben_, 0, {LivesIn("Porto")})});
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 3U);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  EXPECT_THAT(Find(ana_, "Porto").candidates, IsEmpty());
  EXPECT_EQ(Find(ana_, "Porto").statistics.documents, 0U);
  EXPECT_THAT(Find(ana_, "Porto").statistics.document_frequency, ElementsAre(0));
  EXPECT_THAT(*memory().KnownEntities(ana_, 10, Deadline::Never()), IsEmpty());
  EXPECT_THAT(ListAll(memory(), ben_), SizeIs(1));
  EXPECT_THAT(Find(ben_, "Porto").candidates, SizeIs(1));
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 0U);
  Apply(memory(), {Turn(ana_, 5, {LivesIn("Rome")})});
  EXPECT_THAT(TierContract::Texts(ListAll(memory(), ana_)), ElementsAre("the user lives in Rome"));
}

TEST_P(SemanticMemoryContract, AWorkerWhoIsAtItWhenAUserIsForgottenBringsNothingBack) {
  const Deadline never = Deadline::Never();
  // The first turn: nothing is here yet that could be erased.
  const std::vector<ReflectionPlan> late = {Turn(ana_, 0, {LivesIn("Porto")})};
  const Lease held = world_->Claim(late);
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().ForgetUser(ana_, late.front().sequence, never), 0U);
  EXPECT_EQ(memory().Apply(late, held, never).error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  EXPECT_THAT(*memory().KnownEntities(ana_, 10, never), IsEmpty());
  // She may begin anew, and is forgotten again.
  const std::vector<ReflectionPlan> second = {Turn(ana_, 1, {LivesIn("Rome")})};
  Apply(memory(), second);
  Apply(memory(), {Turn(ben_, 1, {LivesIn("Rome")})});
  EXPECT_EQ(FactSaying(ana_, "the user lives in Rome").evidence, 1U);
  const std::vector<ReflectionPlan> third = {Turn(ana_, 2, {LivesIn("Lyon")})};
  const Lease again = world_->Claim(third);
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().ForgetUser(ana_, third.front().sequence, never), 1U);
  EXPECT_EQ(memory().Apply(third, again, never).error().code, ErrorCode::kAborted);
  EXPECT_THAT(Find(ana_, "Rome Lyon Porto").candidates, IsEmpty());
  EXPECT_THAT(ListAll(memory(), ben_), SizeIs(1));
  // What is worked out anew is of later turns, and a tombstone stays where it is.
  const std::vector<ReflectionPlan> fourth = {Turn(ana_, 3, {LivesIn("Oslo")})};
  Apply(memory(), fourth);
  EXPECT_EQ(*memory().EraseUser(ana_, never), 1U);
  Apply(memory(), {NextGeneration(fourth.front())});
  EXPECT_EQ(*memory().ForgetUser(ana_, 1, never), 1U);
  EXPECT_EQ(memory().Apply(third, again, never).error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
}

TEST_P(SemanticMemoryFence, AWorkerThatLostItsLeaseChangesNothing) {
  const ReflectionPlan plan = Turn(ana_, 0, {LivesIn("Porto")});
  const Lease lost = world_->Claim(std::vector{plan});
  world_->Release(lost);
  EXPECT_EQ(memory().Apply(std::vector{plan}, lost, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  EXPECT_THAT(*memory().KnownEntities(ana_, 10, Deadline::Never()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Implementations, SemanticMemoryContract,
                         testing::ValuesIn(SemanticWorlds()), TierWorldName);
// A graph on a server of its own has no lease to check.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SemanticMemoryFence);
INSTANTIATE_TEST_SUITE_P(Implementations, SemanticMemoryFence,
                         testing::ValuesIn(FencedSemanticWorlds()), TierWorldName);

}  // namespace
}  // namespace umbranet
