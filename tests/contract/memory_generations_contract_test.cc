// Goal: every store that has generations of a user's memory keeps the promises of
// ports/memory_generations.h, and MemoryRebuild fills one. Method: one suite, run against each
// implementation; a world of its own for each test (tier_world.h) whose turns are reflected by hand
// or by a scripted extractor.
//
// Deliberate faults that it has caught, each made in sqlite_memory_generations.cc or
// memory_rebuild.cc and taken back:
//   - a swap leaves leases alone                AWorkerWhoHoldsTheMemoryBeforeChangesNothing
//   - what was half done is not done over       ATurnThatWasHalfReflectedStartsOverInTheNewMemory
//   - turns that are lacking stay lacking       ATurnThatTheNewMemoryLacksIsReflectedAgain
//   - partings are not taken along              PartedNamesStayApart
//   - what is discarded stays on the disk       DiscardLeavesWhatIsInForceAlone
//   - a plan for want of budget is taken in     ItWaitsWhereTheBudgetIsSpent
//   - two requests work on one memory           OneRequestAtATimeWorksOnAUsersMemory
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/reflection/memory_rebuild.h"
#include "umbranet/telemetry/structured_log.h"

#include "tests/contract/tier_world.h"
#include "tests/doubles/scripted_extractor.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const Deadline kNever = Deadline::Never();

class MemoryGenerationsContract : public TierContract {
 protected:
  MemoryGenerations& generations() { return *world_->generations(); }

  // What one turn said, as an extractor of either kind would have it.
  ReflectionPlan Said(ReflectionPlan plan, const std::string& text) {
    PlannedEpisode episode;
    episode.text = text;
    plan.episodes = {episode};
    PlannedEntity entity;
    entity.name = std::string(kSelfEntity);
    plan.entities = {entity};
    PlannedFact fact;
    fact.subject = std::string(kSelfEntity);
    fact.predicate = Predicate::kOther;
    fact.object = text;
    fact.text = text + ", in a fact";
    plan.facts = {fact};
    PlannedRule rule;
    rule.key = text;
    rule.text = text + ", as a rule";
    plan.rules = {rule};
    return plan;
  }

  // A new turn, reflected as a worker does it: what is in force takes it in.
  ReflectionPlan Reflect(const UserKey& user, int minute, const std::string& text) {
    ReflectionPlan plan = Said(NewPlan(user, minute), text);
    ReflectReady({plan});
    return plan;
  }

  // Applies the plans under the lease of their jobs, which are ready, and settles.
  void ReflectReady(const std::vector<ReflectionPlan>& plans) {
    const auto batch = world_->ledger()->Claim({.jobs_max = 100, .worker = "test"}, kNever);
    ASSERT_TRUE(batch.ok() && batch->has_value());
    std::vector<TierProgress> progress;
    for (const ReflectionPlan& plan : plans) {
      progress.push_back({plan.job_id, kAllReflectedTiers});
    }
    for (MemoryTier* tier : Tiers()) {
      const Status applied = tier->Apply(plans, (*batch)->lease, kNever);
      ASSERT_TRUE(applied.ok()) << applied.error().message;
    }
    ASSERT_TRUE(world_->ledger()->MarkTiersDone((*batch)->lease, progress, kNever).ok());
    ASSERT_TRUE(world_->ledger()->Settle((*batch)->lease, {}, kNever).ok());
  }

  std::vector<MemoryTier*> Tiers() {
    return {&world_->episodic(), &world_->semantic(), &world_->procedural()};
  }

  std::vector<MemoryTier*> ShadowTiers() {
    const MemoryGenerations::Tiers shadow = generations().shadow();
    return {&shadow.episodic, &shadow.semantic, &shadow.procedural};
  }

  void Begin(const UserKey& user, const std::string& extractor = "better/1") {
    const Status begun = generations().Begin(user, extractor, kNever);
    ASSERT_TRUE(begun.ok()) << begun.error().message;
  }

  // Takes the plan into the shadow as that of its turn.
  void TakeIn(const ReflectionPlan& plan) {
    for (MemoryTier* tier : ShadowTiers()) {
      const Status applied = tier->Apply(std::vector{plan}, Lease{}, kNever);
      ASSERT_TRUE(applied.ok()) << applied.error().message;
    }
    ASSERT_TRUE(generations().Took(plan.user, plan.sequence, 1, 0, kNever).ok());
  }

  std::uint64_t Swap(const UserKey& user, IncomingGeneration incoming) {
    const auto swapped = generations().Swap(user, incoming, kNever);
    EXPECT_TRUE(swapped.ok()) << swapped.error().message;
    return swapped.ok() ? *swapped : 0;
  }

  // The texts of all tiers in force.
  std::vector<std::string> InForce(const UserKey& user) {
    std::vector<std::string> all;
    for (MemoryTier* tier : Tiers()) {
      for (const std::string& text : Texts(ListAll(*tier, user))) {
        all.push_back(text);
      }
    }
    return all;
  }

  std::string EpisodeIdOf(const UserKey& user) {
    return ListAll(world_->episodic(), user).at(0).memory_id;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, MemoryGenerationsContract, testing::ValuesIn(GenerationWorlds()),
                         TierWorldName);

TEST_P(MemoryGenerationsContract, AShadowIsSeenByNobodyBeforeItIsInForce) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  EXPECT_THAT(InForce(ana_), ElementsAre("tea", "tea, in a fact", "tea, as a rule"));
  const auto found = world_->episodic().Find({.user = ana_, .terms = {"green"}}, kNever);
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found->candidates, IsEmpty());
  EXPECT_THAT(Texts(ListAll(generations().shadow().episodic, ana_)), ElementsAre("green tea"));
}

TEST_P(MemoryGenerationsContract, ASwapPutsAllTiersInForceAndBackTakesItBack) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Reflect(ben_, 1, "ale");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 0U);
  EXPECT_THAT(InForce(ana_),
              ElementsAre("green tea", "green tea, in a fact", "green tea, as a rule"));
  const auto found = world_->episodic().Find({.user = ana_, .terms = {"green"}}, kNever);
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found->candidates, SizeIs(1));
  const auto facts =
      world_->semantic().Find({.user = ana_, .terms = {"green"}, .as_of = std::nullopt}, kNever);
  ASSERT_TRUE(facts.ok());
  EXPECT_THAT(facts->candidates, SizeIs(1));

  EXPECT_EQ(Swap(ana_, IncomingGeneration::kFormer), 0U);
  EXPECT_THAT(InForce(ana_), ElementsAre("tea", "tea, in a fact", "tea, as a rule"));
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 0U);
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("green tea"));
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ben_)), ElementsAre("ale"));
}

TEST_P(MemoryGenerationsContract, WithoutASecondGenerationThereIsNothingToSwap) {
  Reflect(ana_, 1, "tea");
  for (const auto incoming : {IncomingGeneration::kShadow, IncomingGeneration::kFormer}) {
    const auto swapped = generations().Swap(ana_, incoming, kNever);
    ASSERT_FALSE(swapped.ok());
    EXPECT_EQ(swapped.error().code, ErrorCode::kFailedPrecondition);
  }
}

TEST_P(MemoryGenerationsContract, TheTurnsThatAShadowLacksAreToldOldestFirst) {
  const ReflectionPlan first = Reflect(ana_, 2, "tea");
  const ReflectionPlan second = Reflect(ana_, 1, "cake");
  Begin(ana_);
  auto lacking = generations().Lacking(ana_, 10, kNever);
  ASSERT_TRUE(lacking.ok());
  ASSERT_THAT(*lacking, SizeIs(2));
  EXPECT_EQ(lacking->at(0).sequence, first.sequence);
  EXPECT_EQ(lacking->at(0).job_id, first.job_id);
  TakeIn(Said(first, "green tea"));
  lacking = generations().Lacking(ana_, 10, kNever);
  ASSERT_TRUE(lacking.ok());
  ASSERT_THAT(*lacking, SizeIs(1));
  EXPECT_EQ(lacking->at(0).sequence, second.sequence);
  const auto read = generations().Read(ana_, kNever);
  ASSERT_TRUE(read.ok() && read->shadow.has_value());
  EXPECT_EQ(read->shadow->turns, 1U);
  EXPECT_EQ(read->shadow->lacking, 1U);
  EXPECT_FALSE(read->former.has_value());
}

TEST_P(MemoryGenerationsContract, BeginGoesOnWithTheSameExtractorAndRefusesAnother) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  Begin(ana_);
  EXPECT_THAT(ListAll(generations().shadow().episodic, ana_), SizeIs(1));
  const Status other = generations().Begin(ana_, "worse/1", kNever);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kFailedPrecondition);
}

TEST_P(MemoryGenerationsContract, ATurnThatTheNewMemoryLacksIsReflectedAgain) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  const ReflectionPlan meanwhile = Reflect(ana_, 2, "cake");
  const ReflectionPlan waiting = Said(NewPlan(ana_, 3), "rain");
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 1U);

  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("green tea"));
  const auto unreflected = world_->journal()->Unreflected(ana_, 10, kNever);
  ASSERT_TRUE(unreflected.ok());
  EXPECT_THAT(*unreflected, UnorderedElementsAre(meanwhile.sequence, waiting.sequence));
  ReflectReady({NextGeneration(meanwhile), waiting});
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("green tea", "cake", "rain"));
  const auto freshness = world_->journal()->ReadFreshness(ana_, kNever);
  ASSERT_TRUE(freshness.ok());
  EXPECT_EQ(freshness->reflected, 3U);
  EXPECT_EQ(freshness->pending, 0U);

  // And the same on the way back: what was reflected since is not lost either.
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kFormer), 1U);
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("tea", "cake"));
  ReflectReady({NextGeneration(waiting)});
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("tea", "cake", "rain"));
}

TEST_P(MemoryGenerationsContract, ATurnThatTheShadowHasIsNotTakenInTwice) {
  const ReflectionPlan waiting = Said(NewPlan(ana_, 1), "tea");
  Begin(ana_);
  TakeIn(Said(waiting, "green tea"));
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 0U);
  ReflectReady({waiting});
  EXPECT_THAT(InForce(ana_),
              ElementsAre("green tea", "green tea, in a fact", "green tea, as a rule"));
}

TEST_P(MemoryGenerationsContract, AWorkerWhoHoldsTheMemoryBeforeChangesNothing) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  const ReflectionPlan late = Said(NewPlan(ana_, 2), "cake");
  const auto batch = world_->ledger()->Claim({.worker = "test"}, kNever);
  ASSERT_TRUE(batch.ok() && batch->has_value());
  ASSERT_TRUE(world_->episodic().Apply(std::vector{late}, (*batch)->lease, kNever).ok());
  Swap(ana_, IncomingGeneration::kShadow);

  for (MemoryTier* tier : Tiers()) {
    if (dynamic_cast<SemanticMemory*>(tier) == nullptr || world_->fences_facts()) {
      const Status applied = tier->Apply(std::vector{late}, (*batch)->lease, kNever);
      ASSERT_FALSE(applied.ok());
      EXPECT_EQ(applied.error().code, ErrorCode::kAborted);
    }
  }
  ReflectReady({late});
  EXPECT_THAT(InForce(ana_),
              ElementsAre("green tea", "cake", "green tea, in a fact", "cake, in a fact",
                          "green tea, as a rule", "cake, as a rule"));
}

TEST_P(MemoryGenerationsContract, WhatWasErasedIsSoInEveryGeneration) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  const ReflectionPlan other = Reflect(ana_, 2, "cake");
  Begin(ana_);
  TakeIn(plan);
  for (MemoryTier* tier : Tiers()) {
    for (const MemoryItem& item : ListAll(*tier, ana_)) {
      const auto erased = tier->Erase(ana_.tenant, item.memory_id, kNever);
      ASSERT_TRUE(erased.ok());
      EXPECT_TRUE(*erased);
    }
  }
  TakeIn(other);
  Swap(ana_, IncomingGeneration::kShadow);
  EXPECT_THAT(InForce(ana_), IsEmpty());
  Swap(ana_, IncomingGeneration::kFormer);
  EXPECT_THAT(InForce(ana_), IsEmpty());
}

TEST_P(MemoryGenerationsContract, WhatWasChangedBeforehandIsChangedInTheShadow) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  for (MemoryTier* tier : Tiers()) {
    const MemoryItem item = ListAll(*tier, ana_).at(0);
    ASSERT_TRUE(tier->Update(ana_.tenant, item.memory_id,
                             {.text = "coffee", .valid_to = std::nullopt}, kNever)
                    .ok());
  }
  Begin(ana_);
  TakeIn(plan);
  Swap(ana_, IncomingGeneration::kShadow);
  EXPECT_THAT(InForce(ana_), ElementsAre("coffee", "coffee", "coffee"));
}

TEST_P(MemoryGenerationsContract, WhatIsChangedMeanwhileIsChangedInEveryGeneration) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(plan);
  for (MemoryTier* tier : Tiers()) {
    const MemoryItem item = ListAll(*tier, ana_).at(0);
    ASSERT_TRUE(tier->Update(ana_.tenant, item.memory_id,
                             {.text = "coffee", .valid_to = std::nullopt}, kNever)
                    .ok());
  }
  Swap(ana_, IncomingGeneration::kShadow);
  EXPECT_THAT(InForce(ana_), ElementsAre("coffee", "coffee", "coffee"));
  const auto found = world_->episodic().Find({.user = ana_, .terms = {"coffe"}}, kNever);
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found->candidates, SizeIs(1));
}

TEST_P(MemoryGenerationsContract, PartedNamesStayApart) {
  ReflectionPlan plan = NewPlan(ana_, 1);
  PlannedEntity entity;
  entity.name = "Robert";
  entity.aliases = {"Bob"};
  plan.entities = {entity};
  ReflectReady({plan});
  const auto parted = world_->semantic().Unmerge(ana_, "Bob", "Robert", kNever);
  ASSERT_TRUE(parted.ok());
  ASSERT_EQ(*parted, 1U);
  Begin(ana_);
  TakeIn(plan);
  Swap(ana_, IncomingGeneration::kShadow);
  const auto entities = world_->semantic().KnownEntities(ana_, 10, kNever);
  ASSERT_TRUE(entities.ok());
  EXPECT_THAT(*entities, SizeIs(2));
}

TEST_P(MemoryGenerationsContract, AForgottenUsersRebuildBringsNothingBack) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(plan);
  Swap(ana_, IncomingGeneration::kShadow);
  Begin(ana_);
  world_->ForgetTurns(ana_);
  for (MemoryTier* tier : Tiers()) {
    const auto erased = tier->EraseUser(ana_, kNever);
    ASSERT_TRUE(erased.ok());
    EXPECT_EQ(*erased, 1U);
  }
  for (MemoryTier* tier : ShadowTiers()) {
    const Status applied = tier->Apply(std::vector{plan}, Lease{}, kNever);
    ASSERT_FALSE(applied.ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kAborted);
  }
  EXPECT_EQ(generations().Took(ana_, 1, 1, 0, kNever).error().code, ErrorCode::kAborted);
  EXPECT_EQ(generations().Lacking(ana_, 1, kNever).error().code, ErrorCode::kAborted);
  EXPECT_FALSE(generations().Swap(ana_, IncomingGeneration::kFormer, kNever).ok());
  EXPECT_THAT(InForce(ana_), IsEmpty());
  // Who comes again begins with nothing and has a memory.
  Reflect(ana_, 5, "rain");
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("rain"));
}

TEST_P(MemoryGenerationsContract, DiscardLeavesWhatIsInForceAlone) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  Swap(ana_, IncomingGeneration::kShadow);
  Begin(ana_, "best/1");
  TakeIn(Said(plan, "black tea"));
  const auto discarded = generations().Discard(ana_, kNever);
  ASSERT_TRUE(discarded.ok());
  EXPECT_EQ(*discarded, 2U);
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("green tea"));
  EXPECT_FALSE(generations().Swap(ana_, IncomingGeneration::kFormer, kNever).ok());
  // And there is room for the next.
  Begin(ana_, "worse/1");
  TakeIn(Said(plan, "water"));
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 0U);
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("water"));
}

// What a worker has done of a turn is done in the memory that was in force then.
TEST_P(MemoryGenerationsContract, ATurnThatWasHalfReflectedStartsOverInTheNewMemory) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  Begin(ana_);
  TakeIn(Said(plan, "green tea"));
  const ReflectionPlan half = Said(NewPlan(ana_, 2), "cake");
  const auto batch = world_->ledger()->Claim({.jobs_max = 100, .worker = "test"}, kNever);
  ASSERT_TRUE(batch.ok() && batch->has_value());
  ASSERT_TRUE(world_->episodic().Apply(std::vector{half}, (*batch)->lease, kNever).ok());
  const std::vector<TierProgress> progress{{half.job_id, TierBit(Tier::kEpisodic)}};
  ASSERT_TRUE(world_->ledger()->MarkTiersDone((*batch)->lease, progress, kNever).ok());
  Swap(ana_, IncomingGeneration::kShadow);
  const auto again = world_->ledger()->Claim({.jobs_max = 100, .worker = "other"}, kNever);
  ASSERT_TRUE(again.ok() && again->has_value());
  ASSERT_THAT((*again)->jobs, SizeIs(1));
  EXPECT_EQ((*again)->jobs[0].job.job_id, half.job_id);
  EXPECT_EQ((*again)->jobs[0].tiers_done, 0);
}

TEST_P(MemoryGenerationsContract, AVectorOfTheSameWordsIsHandedOn) {
  const ReflectionPlan plan = Reflect(ana_, 1, "tea");
  const std::vector<EpisodeVector> vectors = {{EpisodeIdOf(ana_), Embedding(8, 0.5F)}};
  ASSERT_TRUE(world_->episodic().SaveVectors("space", vectors, kNever).ok());
  Begin(ana_);
  TakeIn(plan);
  const auto before = world_->episodic().Unembedded("space", "", 10, kNever);
  ASSERT_TRUE(before.ok());
  EXPECT_THAT(before->episodes, IsEmpty());
  Swap(ana_, IncomingGeneration::kShadow);
  const auto after = world_->episodic().Unembedded("space", "", 10, kNever);
  ASSERT_TRUE(after.ok());
  EXPECT_THAT(after->episodes, IsEmpty());
}

// --- MemoryRebuild
// ---------------------------------------------------------------------------------

TEST_P(MemoryGenerationsContract, EachHasItsOwnConsolidatedEpisodesAndWhatIsUndoneIsSoInAll) {
  if (world_->consolidation() == nullptr) {
    GTEST_SKIP() << "the twin of consolidated episodes knows one generation";
  }
  EpisodeConsolidation& store = *world_->consolidation();
  ConsolidationPolicy policy;
  policy.age = std::chrono::hours(1);
  policy.episodes_min = 2;
  policy.group.episodes_min = 2;
  const auto consolidate = [&](std::string_view text) {
    const auto claim = store.Claim(policy, kNever).value();
    EXPECT_TRUE(claim.has_value());
    return store.Save(claim.value_or(ConsolidationClaim{}), text, "scripted", kNever)
        .value_or(ConsolidatedEpisode{});
  };
  const auto in_force = [&] {
    std::vector<std::string> texts;
    const ConsolidatedPage page = store.List(ana_, "", 10, kNever).value();
    for (const ConsolidatedEpisode& episode : page.episodes) {
      texts.push_back(episode.text);
    }
    return texts;
  };
  const ReflectionPlan first = Reflect(ana_, 1, "tea");
  const ReflectionPlan second = Reflect(ana_, 2, "more tea");
  world_->clock().Advance(std::chrono::hours(2));
  const ConsolidatedEpisode before = consolidate("of the first");
  Begin(ana_);
  TakeIn(first);
  TakeIn(second);
  EXPECT_THAT(in_force(), ElementsAre("of the first"));
  Swap(ana_, IncomingGeneration::kShadow);
  EXPECT_THAT(in_force(), IsEmpty());
  const ConsolidatedEpisode after = consolidate("of the second");
  EXPECT_EQ(after.memory_id, before.memory_id) << "the same sources, the same name";
  EXPECT_THAT(in_force(), ElementsAre("of the second"));
  EXPECT_EQ(store.Get("default", after.memory_id, kNever).value()->text, "of the second");
  Swap(ana_, IncomingGeneration::kFormer);
  EXPECT_THAT(in_force(), ElementsAre("of the first"));
  EXPECT_TRUE(store.Undo("default", before.memory_id, kNever).value());
  EXPECT_THAT(in_force(), IsEmpty());
  Swap(ana_, IncomingGeneration::kShadow);
  EXPECT_THAT(in_force(), IsEmpty());
  EXPECT_FALSE(store.Claim(policy, kNever).value().has_value());
}

class MemoryRebuildTest : public MemoryGenerationsContract {
 protected:
  void SetUp() override {
    MemoryGenerationsContract::SetUp();
    log_ = std::make_unique<StructuredLog>(world_->clock(),
                                           StructuredLog::Options{.level = LogLevel::kError});
    rebuild_ = std::make_unique<MemoryRebuild>(
        MemoryRebuild::Stores{*world_->journal(), generations(), world_->episodic(),
                              world_->semantic(), world_->procedural()},
        *log_, MemoryRebuild::Options{.batch_turns = 2, .wait_for = {"budget"}});
  }

  RebuildStep Advance(const UserKey& user, std::size_t turns_max = 100) {
    const auto step = rebuild_->Advance(user, extractor_, turns_max, kNever);
    EXPECT_TRUE(step.ok()) << step.error().message;
    return step.ok() ? *step : RebuildStep();
  }

  std::unique_ptr<StructuredLog> log_;
  std::unique_ptr<MemoryRebuild> rebuild_;
  ScriptedExtractor extractor_;
};

INSTANTIATE_TEST_SUITE_P(Stores, MemoryRebuildTest, testing::ValuesIn(GenerationWorlds()),
                         TierWorldName);

TEST_P(MemoryRebuildTest, TheShadowIsWorkedOutFromTheJournalAndTheDifferenceIsTold) {
  Reflect(ana_, 1, "tea");
  Reflect(ana_, 2, "cake");
  Reflect(ana_, 3, "rain");
  EXPECT_EQ(Advance(ana_, 2).taken, 2U);
  EXPECT_EQ(Advance(ana_).taken, 1U);
  EXPECT_EQ(Advance(ana_).taken, 0U);
  const auto differences = rebuild_->Compare(ana_, 2, kNever);
  ASSERT_TRUE(differences.ok());
  const MemoryDifference& episodes = differences->at(Tier::kEpisodic);
  EXPECT_EQ(episodes.before, 3U);
  EXPECT_EQ(episodes.after, 3U);
  EXPECT_EQ(episodes.changed, 3U);  // Every turn said "hello" to the journal.
  ASSERT_THAT(episodes.changed_items, SizeIs(2));
  EXPECT_EQ(episodes.changed_items[0].before.text, "tea");
  EXPECT_EQ(episodes.changed_items[0].after.text, "hello");
  EXPECT_EQ(differences->at(Tier::kProcedural).gone, 3U);
  EXPECT_EQ(Swap(ana_, IncomingGeneration::kShadow), 0U);
  EXPECT_THAT(Texts(ListAll(world_->episodic(), ana_)), ElementsAre("hello", "hello", "hello"));
}

TEST_P(MemoryRebuildTest, AStepThatWasBrokenOffIsTakenAgainWithoutAskingForWhatIsThere) {
  Reflect(ana_, 1, "tea");
  Reflect(ana_, 2, "cake");
  Reflect(ana_, 3, "rain");
  const auto calls = std::make_shared<int>(0);
  extractor_.SetScript([calls](const ExtractionInput&) -> std::optional<Error> {
    return ++*calls == 2 ? std::optional(Unavailable("model: away")) : std::nullopt;
  });
  const auto failed = rebuild_->Advance(ana_, extractor_, 100, kNever);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Advance(ana_).taken, 1U);
  EXPECT_THAT(ListAll(generations().shadow().episodic, ana_), SizeIs(3));
  EXPECT_THAT(extractor_.Calls(), SizeIs(3));
}

TEST_P(MemoryRebuildTest, ItWaitsWhereTheBudgetIsSpent) {
  Reflect(ana_, 1, "tea");
  extractor_.SetEditor([](std::vector<ReflectionPlan>& plans) { plans[0].fallback = "budget"; });
  const RebuildStep step = Advance(ana_);
  EXPECT_EQ(step.taken, 0U);
  EXPECT_EQ(step.stopped, "budget");
  EXPECT_THAT(ListAll(generations().shadow().episodic, ana_), IsEmpty());
  extractor_.SetEditor([](std::vector<ReflectionPlan>& plans) { plans[0].fallback = "timeout"; });
  const RebuildStep next = Advance(ana_);
  EXPECT_EQ(next.taken, 1U);
  EXPECT_EQ(next.fallbacks, 1U);
}

TEST_P(MemoryRebuildTest, OneRequestAtATimeWorksOnAUsersMemory) {
  Reflect(ana_, 1, "tea");
  Reflect(ben_, 1, "ale");
  std::vector<ErrorCode> refused;
  extractor_.SetScript([&](const ExtractionInput&) -> std::optional<Error> {
    ScriptedExtractor another;
    const auto beside = rebuild_->Advance(ana_, another, 100, kNever);
    refused.push_back(beside.ok() ? ErrorCode::kInternal : beside.error().code);
    EXPECT_TRUE(rebuild_->Advance(ben_, another, 100, kNever).ok()) << "another user is";
    return std::nullopt;
  });
  EXPECT_EQ(Advance(ana_).taken, 1U);
  EXPECT_THAT(refused, ElementsAre(ErrorCode::kFailedPrecondition));
  extractor_.SetScript(nullptr);
  EXPECT_EQ(Advance(ana_).taken, 0U) << "the place is free again";
}

TEST_P(MemoryRebuildTest, WhatTheShadowKnowsIsShownAndNotWhatIsInForce) {
  Reflect(ana_, 1, "tea");
  Reflect(ana_, 2, "cake");
  Reflect(ana_, 3, "rain");
  Advance(ana_);
  const std::vector<ExtractionInput> calls = extractor_.Calls();
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_THAT(calls[0].known_rules, IsEmpty());
  EXPECT_THAT(calls[0].known_entities, IsEmpty());
  EXPECT_FALSE(calls[1].known_entities.empty());
  EXPECT_THAT(calls[1].preceding, SizeIs(2));
}

TEST_P(MemoryRebuildTest, AUserWhoIsForgottenInTheMiddleLeavesNothing) {
  Reflect(ana_, 1, "tea");
  extractor_.SetScript([this](const ExtractionInput&) -> std::optional<Error> {
    world_->ForgetTurns(ana_);
    for (MemoryTier* tier : Tiers()) {
      EXPECT_TRUE(tier->EraseUser(ana_, kNever).ok());
    }
    return std::nullopt;
  });
  const auto step = rebuild_->Advance(ana_, extractor_, 100, kNever);
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListAll(generations().shadow().episodic, ana_), IsEmpty());
  EXPECT_THAT(InForce(ana_), IsEmpty());
}

}  // namespace
}  // namespace umbranet
