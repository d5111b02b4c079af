// Goal: every store of consolidated episodes keeps the promises of ports/episode_consolidation.h.
// Method: one suite, run against each implementation; a world of its own for each test
// (tier_world.h) whose turns are reflected by hand, and a clock that is turned until they are old.
// Proven by deliberate faults, each of which one test or more noticed: a source's trigger left out,
// a claim, its time or a source's text not checked, a claim not ended or not given rest, what was
// undone or put off not left alone, what is forgotten kept, what is consolidated chosen again, age,
// as_of, order and cursor ignored.
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const Deadline kNever = Deadline::Never();

class EpisodeConsolidationContract : public TierContract {
 protected:
  static constexpr int kOldMinutes = 100'000;  // The clock, when turns are said to be old.

  EpisodeConsolidation& store() { return *world_->consolidation(); }

  EpisodicMemory& episodic() { return world_->episodic(); }

  // Whoever has four episodes of an hour ago, four at a time.
  static ConsolidationPolicy Policy() {
    ConsolidationPolicy policy;
    policy.age = std::chrono::hours(1);
    policy.episodes_min = 4;
    policy.group = {.episodes_min = 2, .episodes_max = 4};
    policy.claim = std::chrono::minutes(10);
    policy.look_again = std::chrono::minutes(30);
    return policy;
  }

  ReflectionPlan Say(const UserKey& user, int minute, const std::string& text,
                     const std::string& session = "s") {
    ReflectionPlan plan = NewPlan(user, minute, "", session);
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = text, .event_times = {}});
    Apply(episodic(), {plan});
    return plan;
  }

  // "tea 0", "tea 1" ... a minute apart.
  void SayMany(const UserKey& user, int count, const std::string& word = "tea",
               int from_minute = 0) {
    for (int i = 0; i < count; ++i) {
      Say(user, from_minute + i, word + " " + std::to_string(i));
    }
  }

  void GrowOld() { world_->clock().Advance(std::chrono::minutes(kOldMinutes)); }

  std::optional<ConsolidationClaim> TryClaim(const ConsolidationPolicy& policy) {
    auto claim = store().Claim(policy, kNever);
    EXPECT_TRUE(claim.ok()) << claim.error().message;
    return claim.ok() ? *std::move(claim) : std::nullopt;
  }

  ConsolidationClaim Claim(const ConsolidationPolicy& policy = Policy()) {
    auto claim = TryClaim(policy);
    EXPECT_TRUE(claim.has_value());
    return claim.value_or(ConsolidationClaim{});
  }

  ConsolidatedEpisode Save(const ConsolidationClaim& claim, const std::string& text) {
    auto saved = store().Save(claim, text, "scripted", kNever);
    EXPECT_TRUE(saved.ok()) << saved.error().message;
    return saved.ok() ? *std::move(saved) : ConsolidatedEpisode{};
  }

  ErrorCode SaveFails(const ConsolidationClaim& claim) {
    const auto saved = store().Save(claim, "too late", "scripted", kNever);
    EXPECT_FALSE(saved.ok());
    return saved.ok() ? ErrorCode::kInternal : saved.error().code;
  }

  static std::vector<std::string> TextsOf(const ConsolidationClaim& claim) {
    std::vector<std::string> texts;
    for (const OldEpisode& episode : claim.episodes) {
      texts.push_back(episode.text);
    }
    return texts;
  }

  std::vector<ConsolidatedEpisode> ListOf(const UserKey& user, std::size_t limit = 100) {
    std::vector<ConsolidatedEpisode> all;
    std::string cursor;
    do {
      auto page = store().List(user, cursor, limit, kNever);
      EXPECT_TRUE(page.ok()) << page.error().message;
      if (!page.ok()) {
        break;
      }
      EXPECT_LE(page->episodes.size(), limit);
      all.insert(all.end(), page->episodes.begin(), page->episodes.end());
      cursor = page->next_cursor;
    } while (!cursor.empty() && all.size() < 1'000);
    return all;
  }

  static std::vector<std::string> TextsOf(const std::vector<ConsolidatedEpisode>& episodes) {
    std::vector<std::string> texts;
    for (const ConsolidatedEpisode& episode : episodes) {
      texts.push_back(episode.text);
    }
    return texts;
  }

  std::vector<std::string> Find(const UserKey& user, const std::string& words,
                                std::size_t limit = 20,
                                std::optional<Timestamp> as_of = std::nullopt) {
    auto found = store().Find(
        {.user = user, .terms = AnalyzeTerms(words), .limit = limit, .as_of = as_of}, kNever);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? TextsOf(*found) : std::vector<std::string>();
  }

  std::vector<std::string> IdsOf(const UserKey& user) {
    std::vector<std::string> ids;
    for (const MemoryItem& item : ListAll(episodic(), user)) {
      ids.push_back(item.memory_id);
    }
    return ids;
  }

  std::map<std::string, std::string> ConsolidatedIn(const UserKey& user) {
    auto consolidated = store().ConsolidatedIn(user, IdsOf(user), kNever);
    EXPECT_TRUE(consolidated.ok()) << consolidated.error().message;
    return std::move(consolidated).value();
  }
};

TEST_P(EpisodeConsolidationContract, NobodyIsClaimedWhoHasTooFewOldEpisodes) {
  SayMany(ana_, 3);
  GrowOld();
  Say(ana_, kOldMinutes, "tea 3, which is new");
  EXPECT_FALSE(TryClaim(Policy()).has_value());
}

TEST_P(EpisodeConsolidationContract, AClaimHasTheOldestGroupWithAllThatWasSaid) {
  const ReflectionPlan first = Say(ana_, 0, "tea 0", "kitchen");
  Say(ana_, 1, "something else", "garden");
  Say(ana_, 2, "tea 2", "kitchen");
  Say(ana_, 3, "tea 3", "kitchen");
  GrowOld();
  const ConsolidationClaim claim = Claim();
  EXPECT_EQ(claim.user, ana_);
  EXPECT_THAT(TextsOf(claim), ElementsAre("tea 0", "tea 2", "tea 3"));
  const OldEpisode& episode = claim.episodes.at(0);
  EXPECT_EQ(episode.memory_id, MakeEpisodeId(ana_, first.interaction_id, Role::kUser, 0));
  EXPECT_EQ(episode.interaction_id, first.interaction_id);
  EXPECT_EQ(episode.role, Role::kUser);
  EXPECT_EQ(episode.session_id, "kitchen");
  EXPECT_EQ(episode.speaker, "User");
  EXPECT_EQ(episode.occurred_at, At(0));
}

TEST_P(EpisodeConsolidationContract, WhatIsSavedIsThereWithItsSources) {
  SayMany(ana_, 6);
  GrowOld();
  const ConsolidationClaim claim = Claim();
  const std::string text = std::string(
                               "they spoke of t\xC3\xA9"
                               "a") +
                           '\0' + " again";
  const ConsolidatedEpisode saved = Save(claim, text);
  EXPECT_TRUE(IsConsolidatedId(saved.memory_id));
  EXPECT_EQ(saved.user, ana_);
  EXPECT_EQ(saved.session_id, "s");
  EXPECT_EQ(saved.text, text);
  EXPECT_EQ(saved.from, At(0));
  EXPECT_EQ(saved.until, At(3));
  EXPECT_EQ(saved.model, "scripted");
  EXPECT_EQ(saved.made_at, world_->clock().Now());
  ASSERT_THAT(saved.sources, SizeIs(4));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(saved.sources[i].memory_id, claim.episodes[i].memory_id);
    EXPECT_EQ(saved.sources[i].source.interaction_id, claim.episodes[i].interaction_id);
  }
  EXPECT_THAT(ListOf(ana_), ElementsAre(saved));
  const auto got = store().Get("default", saved.memory_id, kNever);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, saved);
  EXPECT_FALSE(store().Get("other", saved.memory_id, kNever)->has_value());
  EXPECT_THAT(ListOf(ben_), IsEmpty());
}

TEST_P(EpisodeConsolidationContract, TheOriginalsStayAndSayWhatTheyAreConsolidatedIn) {
  SayMany(ana_, 5);
  GrowOld();
  const auto before = ListAll(episodic(), ana_);
  const ConsolidatedEpisode saved = Save(Claim(), "they spoke of tea");
  const auto after = ListAll(episodic(), ana_);
  EXPECT_EQ(Texts(after), Texts(before));
  const auto found = episodic().Find({.user = ana_, .terms = {"tea"}}, kNever);
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found->candidates, SizeIs(5));
  EXPECT_EQ(found->statistics.documents, 5U);
  EXPECT_THAT(ConsolidatedIn(ana_),
              UnorderedElementsAre(Pair(before[0].memory_id, saved.memory_id),
                                   Pair(before[1].memory_id, saved.memory_id),
                                   Pair(before[2].memory_id, saved.memory_id),
                                   Pair(before[3].memory_id, saved.memory_id)));
  const auto of_other = store().ConsolidatedIn(ben_, IdsOf(ana_), kNever);
  EXPECT_THAT(of_other.value(), IsEmpty());
}

TEST_P(EpisodeConsolidationContract, WhatIsConsolidatedIsNotClaimedAgain) {
  SayMany(ana_, 8);
  GrowOld();
  Save(Claim(), "the first four");
  const ConsolidationClaim second = Claim();
  EXPECT_THAT(TextsOf(second), ElementsAre("tea 4", "tea 5", "tea 6", "tea 7"));
  Save(second, "the last four");
  EXPECT_FALSE(TryClaim(Policy()).has_value());
  EXPECT_THAT(TextsOf(ListOf(ana_)), ElementsAre("the first four", "the last four"));
}

TEST_P(EpisodeConsolidationContract, AUserIsClaimedOnceAtATime) {
  SayMany(ana_, 8);
  SayMany(ben_, 4);
  GrowOld();
  const ConsolidationClaim one = Claim();
  const ConsolidationClaim other = Claim();
  EXPECT_NE(one.user, other.user);
  EXPECT_FALSE(TryClaim(Policy()).has_value());
}

TEST_P(EpisodeConsolidationContract, OfManyWhoClaimAtOnceOneGetsTheUser) {
  SayMany(ana_, 4);
  GrowOld();
  constexpr std::size_t kClaimers = 6;
  std::latch together(kClaimers);
  std::atomic<int> claimed = 0;
  {
    std::vector<std::jthread> claimers;
    for (std::size_t i = 0; i < kClaimers; ++i) {
      claimers.emplace_back([&] {
        together.arrive_and_wait();
        claimed += TryClaim(Policy()).has_value() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(claimed, 1);
}

TEST_P(EpisodeConsolidationContract, AClaimWhoseHolderDiedIsTakenOverWhenItsTimeHasRunOut) {
  SayMany(ana_, 4);
  GrowOld();
  const ConsolidationClaim dead = Claim();
  world_->clock().Advance(Policy().claim - Millis{1});
  EXPECT_FALSE(TryClaim(Policy()).has_value());
  world_->clock().Advance(Millis{1});
  const ConsolidationClaim heir = Claim();
  EXPECT_EQ(TextsOf(heir), TextsOf(dead));
  EXPECT_EQ(SaveFails(dead), ErrorCode::kAborted);
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  Save(heir, "they spoke of tea");
  EXPECT_THAT(ListOf(ana_), SizeIs(1));
}

TEST_P(EpisodeConsolidationContract, SavingTwiceKeepsOne) {
  SayMany(ana_, 4);
  GrowOld();
  const ConsolidationClaim claim = Claim();
  Save(claim, "they spoke of tea");
  EXPECT_EQ(SaveFails(claim), ErrorCode::kAborted);
  EXPECT_THAT(TextsOf(ListOf(ana_)), ElementsAre("they spoke of tea"));
}

TEST_P(EpisodeConsolidationContract, WhatIsPutOffIsLeftAloneForAsLong) {
  SayMany(ana_, 8);
  GrowOld();
  const ConsolidationClaim claim = Claim();
  const ConsolidationRest rest{.user = std::chrono::minutes(5), .episodes = std::chrono::hours(2)};
  ASSERT_TRUE(store().PutOff(claim, rest, kNever).ok());
  EXPECT_EQ(SaveFails(claim), ErrorCode::kAborted);
  EXPECT_FALSE(TryClaim(Policy()).has_value());
  world_->clock().Advance(std::chrono::minutes(5));
  const ConsolidationClaim next = Claim();
  EXPECT_THAT(TextsOf(next), ElementsAre("tea 4", "tea 5", "tea 6", "tea 7"));
  ASSERT_TRUE(store().PutOff(next, {}, kNever).ok());
  world_->clock().Advance(std::chrono::hours(2));
  EXPECT_THAT(TextsOf(Claim()), ElementsAre("tea 0", "tea 1", "tea 2", "tea 3"));
  EXPECT_TRUE(store().PutOff(claim, rest, kNever).ok()) << "a void claim is no error";
}

TEST_P(EpisodeConsolidationContract, WhatIsPutOffForNothingCanBeClaimedAtOnce) {
  SayMany(ana_, 4);
  GrowOld();
  ASSERT_TRUE(store().PutOff(Claim(), {}, kNever).ok());
  EXPECT_THAT(TextsOf(Claim()), SizeIs(4));
}

TEST_P(EpisodeConsolidationContract, WhoHasTooFewIsLookedAtLater) {
  SayMany(ana_, 4);
  world_->clock().Advance(std::chrono::minutes(61));
  EXPECT_FALSE(TryClaim(Policy()).has_value());
  world_->clock().Advance(std::chrono::minutes(20));
  EXPECT_FALSE(TryClaim(Policy()).has_value());
  world_->clock().Advance(std::chrono::minutes(10));
  EXPECT_THAT(TextsOf(Claim()), SizeIs(4));
}

TEST_P(EpisodeConsolidationContract, ErasingASourceTakesItAwayWithItsWords) {
  SayMany(ana_, 8);
  GrowOld();
  const ConsolidatedEpisode first = Save(Claim(), "marzipan and tea");
  Save(Claim(), "more tea");
  ASSERT_TRUE(episodic().Erase("default", first.sources[1].memory_id, kNever).value());
  EXPECT_THAT(TextsOf(ListOf(ana_)), ElementsAre("more tea"));
  EXPECT_FALSE(store().Get("default", first.memory_id, kNever)->has_value());
  EXPECT_THAT(Find(ana_, "marzipan"), IsEmpty());
  EXPECT_THAT(ConsolidatedIn(ana_), SizeIs(4));
}

TEST_P(EpisodeConsolidationContract, ChangingASourceTakesItAway) {
  SayMany(ana_, 4);
  GrowOld();
  const ConsolidatedEpisode saved = Save(Claim(), "they spoke of tea");
  ASSERT_TRUE(
      episodic()
          .Update("default", saved.sources[0].memory_id, {.text = "coffee", .valid_to = {}}, kNever)
          .value());
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_THAT(ConsolidatedIn(ana_), IsEmpty());
  EXPECT_THAT(TextsOf(Claim()), ElementsAre("coffee", "tea 1", "tea 2", "tea 3"));
}

TEST_P(EpisodeConsolidationContract, NothingIsSavedOfWhatWasErasedOrChangedMeanwhile) {
  SayMany(ana_, 4);
  SayMany(ben_, 4);
  GrowOld();
  const ConsolidationClaim one = Claim();
  const ConsolidationClaim other = Claim();
  ASSERT_TRUE(episodic().Erase("default", one.episodes[3].memory_id, kNever).value());
  ASSERT_TRUE(episodic()
                  .Update("default", other.episodes[2].memory_id,
                          {.text = "coffee", .valid_to = {}}, kNever)
                  .value());
  EXPECT_EQ(SaveFails(one), ErrorCode::kAborted);
  EXPECT_EQ(SaveFails(other), ErrorCode::kAborted);
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_THAT(ListOf(ben_), IsEmpty());
}

TEST_P(EpisodeConsolidationContract, ErasingAUsersEpisodesLeavesNothingToConsolidate) {
  SayMany(ana_, 4);
  SayMany(ben_, 4);
  GrowOld();
  Save(Claim(), "of one");
  Save(Claim(), "of the other");
  ASSERT_TRUE(episodic().EraseUser(ana_, kNever).ok());
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_THAT(ListOf(ben_), SizeIs(1));
}

TEST_P(EpisodeConsolidationContract, AClaimOnAUserWhoIsForgottenIsVoid) {
  SayMany(ana_, 8);
  GrowOld();
  Save(Claim(), "they spoke of tea");
  const ConsolidationClaim claim = Claim();
  EXPECT_EQ(store().EraseUser(ana_, kNever).value(), 1U);
  EXPECT_EQ(SaveFails(claim), ErrorCode::kAborted);
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_EQ(store().EraseUser(ana_, kNever).value(), 0U);
  EXPECT_EQ(store().EraseUser({"default", "nobody"}, kNever).value(), 0U);
}

TEST_P(EpisodeConsolidationContract, NoClaimIsTakenForOneBeforeTheUserWasForgotten) {
  SayMany(ana_, 4);
  GrowOld();
  const ConsolidationClaim before = Claim();
  ASSERT_TRUE(store().EraseUser(ana_, kNever).ok());
  const ConsolidationClaim after = Claim();
  EXPECT_NE(before.token, after.token);
  EXPECT_EQ(SaveFails(before), ErrorCode::kAborted);
}

TEST_P(EpisodeConsolidationContract, WhatIsUndoneIsAsBeforeAndNotMadeAgain) {
  SayMany(ana_, 8);
  GrowOld();
  const auto before = ListAll(episodic(), ana_);
  const ConsolidatedEpisode saved = Save(Claim(), "they spoke of tea");
  EXPECT_FALSE(store().Undo("other", saved.memory_id, kNever).value());
  EXPECT_TRUE(store().Undo("default", saved.memory_id, kNever).value());
  EXPECT_FALSE(store().Undo("default", saved.memory_id, kNever).value());
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_THAT(Find(ana_, "spoke"), IsEmpty());
  EXPECT_THAT(ConsolidatedIn(ana_), IsEmpty());
  EXPECT_EQ(Texts(ListAll(episodic(), ana_)), Texts(before));
  EXPECT_THAT(TextsOf(Claim()), ElementsAre("tea 4", "tea 5", "tea 6", "tea 7"));
  world_->clock().Advance(std::chrono::hours{24 * 365});
  EXPECT_THAT(TextsOf(Claim()), ElementsAre("tea 4", "tea 5", "tea 6", "tea 7"));
}

TEST_P(EpisodeConsolidationContract, AllOfAUsersCanBeUndone) {
  SayMany(ana_, 8);
  SayMany(ben_, 4);
  GrowOld();
  for (int i = 0; i < 3; ++i) {
    Save(Claim(), "they spoke of tea");
  }
  EXPECT_EQ(store().UndoAll(ana_, kNever).value(), 2U);
  EXPECT_EQ(store().UndoAll(ana_, kNever).value(), 0U);
  EXPECT_THAT(ListOf(ana_), IsEmpty());
  EXPECT_THAT(ListOf(ben_), SizeIs(1));
  EXPECT_FALSE(TryClaim(Policy()).has_value());
}

TEST_P(EpisodeConsolidationContract, WhatWasUndoneMayBeMadeAgainAfterTheUserWasForgotten) {
  SayMany(ana_, 4);
  GrowOld();
  const ConsolidatedEpisode saved = Save(Claim(), "they spoke of tea");
  ASSERT_TRUE(store().Undo("default", saved.memory_id, kNever).value());
  ASSERT_TRUE(store().EraseUser(ana_, kNever).ok());
  EXPECT_THAT(TextsOf(Claim()), SizeIs(4));
}

TEST_P(EpisodeConsolidationContract, FindsByTheWordsThatItHoldsMostOf) {
  SayMany(ana_, 12);
  SayMany(ben_, 4);
  GrowOld();
  for (const char* text : {"Mira baked rye bread", "Mira walked along rivers",
                           "the bread of the rivers", "of somebody else: rivers"}) {
    Save(Claim(), text);
  }
  // Who was claimed when is the store's affair.
  const std::vector<std::string> all = Find(ana_, "Mira bread rivers");
  const std::vector<std::string> others = Find(ben_, "Mira bread rivers");
  EXPECT_THAT(all, SizeIs(3));
  EXPECT_THAT(others, SizeIs(1));
  EXPECT_THAT(Find(ana_, "submarine"), IsEmpty());
  EXPECT_THAT(Find(ana_, ""), IsEmpty());
  const std::vector<std::string> best = Find(ana_, "Mira bread rivers", 2);
  EXPECT_THAT(best, ElementsAre(all[0], all[1]));
}

TEST_P(EpisodeConsolidationContract, TheOneWithMoreOfTheWordsComesFirstThenTheLaterOne) {
  SayMany(ana_, 12);
  GrowOld();
  Save(Claim(), "Mira baked rye bread");
  Save(Claim(), "a river");
  Save(Claim(), "bread");
  EXPECT_THAT(Find(ana_, "bread"), ElementsAre("bread", "Mira baked rye bread"));
  EXPECT_THAT(Find(ana_, "breads of rye"), ElementsAre("Mira baked rye bread", "bread"));
}

TEST_P(EpisodeConsolidationContract, WhatHadNotAllHappenedByThenIsNotFound) {
  SayMany(ana_, 4);
  GrowOld();
  Save(Claim(), "they spoke of tea");
  EXPECT_THAT(Find(ana_, "tea", 20, At(2)), IsEmpty());
  EXPECT_THAT(Find(ana_, "tea", 20, At(3)), SizeIs(1));
}

TEST_P(EpisodeConsolidationContract, ListsPageByPageFromTheOldestOn) {
  SayMany(ana_, 12);
  GrowOld();
  for (const char* text : {"one", "two", "three"}) {
    Save(Claim(), text);
  }
  EXPECT_THAT(TextsOf(ListOf(ana_, 1)), ElementsAre("one", "two", "three"));
  EXPECT_THAT(TextsOf(ListOf(ana_, 2)), ElementsAre("one", "two", "three"));
  const auto bad = store().List(ana_, "nonsense", 10, kNever);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Implementations, EpisodeConsolidationContract,
                         testing::ValuesIn(EpisodicWorlds()), TierWorldName);

}  // namespace
}  // namespace umbranet
