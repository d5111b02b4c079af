// Goal: every episodic memory keeps the promises of ports/episodic_memory.h and
// ports/memory_tier.h. Method: one suite, run against each implementation; a world of its own for
// each test (tier_world.h) accepts the turns and leases the jobs. Terms are made by AnalyzeTerms,
// as recall makes them.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class EpisodicMemoryContract : public TierContract {
 protected:
  EpisodicMemory& memory() { return world_->episodic(); }

  ReflectionPlan Turn(const UserKey& user, int minute, const std::string& said,
                      const std::string& answered = "", const std::string& session = "s") {
    ReflectionPlan plan = NewPlan(user, minute, "", session);
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = said, .event_times = {}});
    if (!answered.empty()) {
      plan.episodes.push_back(
          {.role = Role::kAssistant, .speaker = "Assistant", .text = answered, .event_times = {}});
    }
    return plan;
  }

  EpisodesFound Find(const UserKey& user, const std::string& words,
                     std::size_t candidates_max = 400,
                     std::optional<Timestamp> as_of = std::nullopt) {
    EpisodeQuery query;
    query.user = user;
    query.candidates_max = candidates_max;
    query.as_of = as_of;
    for (const std::string& term : AnalyzeTerms(words)) {
      if (std::find(query.terms.begin(), query.terms.end(), term) == query.terms.end()) {
        query.terms.push_back(term);
      }
    }
    auto found = memory().Find(query, Deadline::Never());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return std::move(found).value();
  }

  static std::vector<std::string> Matched(const EpisodesFound& found) {
    std::vector<std::string> texts;
    for (const EpisodeCandidate& candidate : found.candidates) {
      if (candidate.matched) {
        texts.push_back(candidate.episode->text);
      }
    }
    return texts;
  }

  static std::vector<std::string> Neighbours(const EpisodesFound& found) {
    std::vector<std::string> texts;
    for (const EpisodeCandidate& candidate : found.candidates) {
      if (!candidate.matched) {
        texts.push_back(candidate.episode->text);
      }
    }
    return texts;
  }

  static const EpisodeCandidate& Only(const EpisodesFound& found) {
    EXPECT_THAT(found.candidates, SizeIs(1));
    return found.candidates.at(0);
  }
};

// Of those that share a database with the ledger.
class EpisodicMemoryFence : public EpisodicMemoryContract {};

TEST_P(EpisodicMemoryContract, AnEpisodeKeepsEverythingThatThePlanSaid) {
  ReflectionPlan plan = NewPlan(ana_, 5, "turn-a", "kitchen");
  const TimeRange tomorrow{At(1440), At(2880)};
  plan.episodes.push_back({.role = Role::kUser,
                           .speaker = "Mira",
                           .text = "I baked rye bread",
                           .importance = 0.75,
                           .event_times = {tomorrow, tomorrow}});
  Apply(memory(), {plan});
  const EpisodesFound found = Find(ana_, "bread");
  const Episode& episode = *Only(found).episode;
  EXPECT_TRUE(episode.memory_id.starts_with(kEpisodePrefix));
  EXPECT_EQ(episode.user, ana_);
  EXPECT_EQ(episode.interaction_id, "turn-a");
  EXPECT_EQ(episode.role, Role::kUser);
  EXPECT_EQ(episode.session_id, "kitchen");
  EXPECT_EQ(episode.speaker, "Mira");
  EXPECT_EQ(episode.text, "I baked rye bread");
  EXPECT_EQ(episode.occurred_at, At(5));
  EXPECT_EQ(episode.sequence, plan.sequence);
  EXPECT_EQ(episode.importance, 0.75);
  EXPECT_THAT(episode.event_times, ElementsAre(tomorrow, tomorrow));
}

TEST_P(EpisodicMemoryContract, FindsByStemsSpeakerAndDate) {
  ReflectionPlan plan = NewPlan(ana_, 0);
  plan.episodes.push_back({.role = Role::kUser,
                           .speaker = "Mira",
                           .text = "We walked along rivers",
                           .event_times = {}});
  Apply(memory(), {plan});
  EXPECT_THAT(Find(ana_, "walking river").candidates, SizeIs(1));
  EXPECT_THAT(Find(ana_, "Mira").candidates, SizeIs(1));
  EXPECT_THAT(Find(ana_, "Friday").candidates, SizeIs(1));
  EXPECT_THAT(Find(ana_, "May 2024").candidates, SizeIs(1));
  EXPECT_THAT(Find(ana_, "Monday mountain").candidates, IsEmpty());
}

TEST_P(EpisodicMemoryContract, CountsTermsAndLengthOfADocument) {
  Apply(memory(), {Turn(ana_, 0, "Tea, green tea, and never coffee")});
  const EpisodesFound found = Find(ana_, "coffee tea milk");
  const EpisodeCandidate& candidate = Only(found);
  EXPECT_THAT(candidate.term_counts, ElementsAre(1, 2, 0));
  // tea, green, tea, (never,) coffee; the speaker; weekday, day, month and year.
  const auto length = AnalyzeTerms("Tea, green tea, and never coffee").size() +
                      AnalyzeName("User").size() + DateTerms(At(0)).size();
  EXPECT_EQ(candidate.length, length);
}

TEST_P(EpisodicMemoryContract, StatisticsAreTheUsersOwnAndApartForEachRole) {
  Apply(memory(), {Turn(ana_, 0, "the red kite flew", "kites fly well"),
                   Turn(ana_, 1, "a red balloon"), Turn(ana_, 2, "a blue sky")});
  Apply(memory(), {Turn(ben_, 0, "red red red")});
  const EpisodesFound found = Find(ana_, "red kite");
  EXPECT_EQ(found.statistics.documents, 3U);
  EXPECT_THAT(found.statistics.document_frequency, ElementsAre(2, 1));
  EXPECT_EQ(found.assistant_statistics.documents, 1U);
  EXPECT_THAT(found.assistant_statistics.document_frequency, ElementsAre(0, 1));
  double length_sum = 0;
  for (const EpisodeCandidate& candidate : found.candidates) {
    length_sum += candidate.episode->role == Role::kUser ? candidate.length : 0;
  }
  EXPECT_NEAR(found.statistics.length_mean, length_sum / 3, 1e-9);
}

TEST_P(EpisodicMemoryContract, NobodyFindsWhatAnotherUserOrTenantSaid) {
  const UserKey other_tenant{"acme", ana_.user_id};
  Apply(memory(), {Turn(ana_, 0, "my locker code is quartz")});
  EXPECT_THAT(Find(ben_, "quartz").candidates, IsEmpty());
  EXPECT_THAT(Find(other_tenant, "quartz").candidates, IsEmpty());
  EXPECT_THAT(Find(ana_, "quartz").candidates, SizeIs(1));
}

TEST_P(EpisodicMemoryContract, UsersWithAwkwardNamesAreKeptApart) {
  const std::vector<UserKey> users = {{"default", "a.b/c d"},
                                      {"default", "../../etc"},
                                      {"default", "' OR 1=1 --"},
                                      {"default", "\xF0\x9F\xA6\x8A"},
                                      {"default", "A.B/C D"}};
  for (std::size_t i = 0; i < users.size(); ++i) {
    Apply(memory(), {Turn(users[i], 0, "secret number" + std::to_string(i))});
  }
  for (std::size_t i = 0; i < users.size(); ++i) {
    EXPECT_THAT(Matched(Find(users[i], "secret")),
                ElementsAre("secret number" + std::to_string(i)));
  }
}

TEST_P(EpisodicMemoryContract, TermsThatNoAnalysisMakesFindNothingAndBreakNothing) {
  Apply(memory(), {Turn(ana_, 0, "plain words")});
  EpisodeQuery query;
  query.user = ana_;
  query.terms = {"",      "\"",    "plain\" OR \"words", "*",
                 "word*", "NEAR(", std::string("\0", 1), "^plain"};
  const auto found = memory().Find(query, Deadline::Never());
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_THAT(found->candidates, IsEmpty());
}

TEST_P(EpisodicMemoryContract, AQueryWithoutTermsFindsNothing) {
  Apply(memory(), {Turn(ana_, 0, "plain words")});
  EXPECT_THAT(Find(ana_, "").candidates, IsEmpty());
  EXPECT_EQ(Find(ana_, "").statistics.documents, 1U);
}

TEST_P(EpisodicMemoryContract, BringsTheOtherHalfOneTurnBeforeAndTwoAfter) {
  Apply(memory(), {Turn(ana_, 0, "zero"), Turn(ana_, 1, "one", "one answer"),
                   Turn(ana_, 2, "a lighthouse", "indeed"), Turn(ana_, 3, "three", "three answer"),
                   Turn(ana_, 4, "four"), Turn(ana_, 5, "five")});
  const EpisodesFound found = Find(ana_, "lighthouse");
  EXPECT_THAT(Matched(found), ElementsAre("a lighthouse"));
  EXPECT_THAT(Neighbours(found),
              UnorderedElementsAre("one", "one answer", "indeed", "three", "three answer", "four"));
}

TEST_P(EpisodicMemoryContract, NeighboursAreOfTheSameSessionAndStandOnce) {
  Apply(memory(), {Turn(ana_, 0, "harbour at dawn", "", "x"), Turn(ana_, 1, "elsewhere", "", "y"),
                   Turn(ana_, 2, "harbour at noon", "", "x"), Turn(ana_, 3, "after", "", "x"),
                   Turn(ana_, 4, "harbour at night", "", "x"), Turn(ana_, 5, "last", "", "x"),
                   Turn(ana_, 6, "beyond", "", "x"), Turn(ana_, 7, "far", "", "x")});
  const EpisodesFound found = Find(ana_, "harbour");
  EXPECT_THAT(Matched(found),
              UnorderedElementsAre("harbour at dawn", "harbour at noon", "harbour at night"));
  EXPECT_THAT(Neighbours(found), UnorderedElementsAre("after", "last", "beyond"));
}

TEST_P(EpisodicMemoryContract, KeepsToTheBestCandidatesAndAThirdOfAssistants) {
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 12; ++i) {
    // Sessions of their own, so that no neighbours come along.
    plans.push_back(Turn(ana_, i, i == 7 ? "comet comet" : "a comet and a number of other things",
                         i == 3 ? "comet comet" : "the comet is one of many things in the sky",
                         "session" + std::to_string(i)));
  }
  Apply(memory(), plans);
  const EpisodesFound found = Find(ana_, "comet", 6);
  std::size_t assistants = 0;
  std::set<std::string> matched;
  for (const EpisodeCandidate& candidate : found.candidates) {
    if (candidate.matched) {
      assistants += candidate.episode->role == Role::kAssistant ? 1U : 0U;
      matched.insert(candidate.episode->memory_id);
    }
  }
  EXPECT_THAT(matched, SizeIs(6));
  EXPECT_EQ(assistants, 2U);
  EXPECT_THAT(Matched(found), Contains("comet comet").Times(2));
  EXPECT_EQ(found.statistics.documents, 12U);
}

TEST_P(EpisodicMemoryContract, AsOfLeavesOutWhatHappenedLater) {
  Apply(memory(), {Turn(ana_, 10, "the first ferry"), Turn(ana_, 20, "the second ferry"),
                   Turn(ana_, 30, "the third ferry")});
  EXPECT_THAT(Matched(Find(ana_, "ferry", 400, At(20))),
              UnorderedElementsAre("the first ferry", "the second ferry"));
  EXPECT_THAT(Find(ana_, "ferry", 400, At(9)).candidates, IsEmpty());
}

TEST_P(EpisodicMemoryContract, ApplyingAPlanAgainChangesNothing) {
  const ReflectionPlan plan = Turn(ana_, 0, "a wooden boat", "a fine boat");
  Apply(memory(), {plan});
  Apply(memory(), {plan});
  Apply(memory(), {NextGeneration(plan)});
  EXPECT_THAT(Texts(ListAll(memory(), ana_)), ElementsAre("a wooden boat", "a fine boat"));
  EXPECT_EQ(Find(ana_, "boat").statistics.documents, 1U);
}

TEST_P(EpisodicMemoryFence, ABatchIsAppliedInOneGoAndAFailedOneNotAtAll) {
  const ReflectionPlan first = Turn(ana_, 0, "kept apart");
  const ReflectionPlan second = Turn(ana_, 1, "kept together");
  const Lease lease = world_->Claim(std::vector{first, second});
  const ReflectionPlan stranger = NextGeneration(second, 9);  // Never leased.
  const Status refused = memory().Apply(std::vector{first, stranger}, lease, Deadline::Never());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  EXPECT_TRUE(memory().Apply(std::vector{first, second}, lease, Deadline::Never()).ok());
  EXPECT_THAT(ListAll(memory(), ana_), SizeIs(2));
}

TEST_P(EpisodicMemoryFence, AWorkerThatLostItsLeaseChangesNothing) {
  const ReflectionPlan plan = Turn(ana_, 0, "late words");
  const Lease lost = world_->Claim(std::vector{plan});
  world_->Release(lost);
  EXPECT_EQ(memory().Apply(std::vector{plan}, lost, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  const Lease held = world_->Claim(std::vector{plan});
  world_->ForgetTurns(ana_);
  EXPECT_EQ(memory().Apply(std::vector{plan}, held, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
}

TEST_P(EpisodicMemoryContract, TheOrderOfApplicationDoesNotShow) {
  const auto apply = [&](bool backwards) {
    world_ = GetParam().make();
    turns_ = 0;
    std::vector<ReflectionPlan> plans;
    for (int i = 0; i < 5; ++i) {
      plans.push_back(Turn(ana_, 10 - i, "word" + std::to_string(i) + " river", "reply"));
    }
    if (backwards) {
      std::reverse(plans.begin(), plans.end());
    }
    for (const ReflectionPlan& plan : plans) {
      Apply(memory(), {plan});
    }
    std::vector<std::string> seen;
    for (const MemoryItem& item : ListAll(memory(), ana_)) {
      seen.push_back(item.memory_id + item.text);
    }
    for (const EpisodeCandidate& candidate : Find(ana_, "word2").candidates) {
      seen.push_back(candidate.episode->text);
    }
    std::sort(seen.begin() + 10, seen.end());
    return seen;
  };
  EXPECT_EQ(apply(false), apply(true));
}

TEST_P(EpisodicMemoryContract, ListsOldestFirstInPagesThatMeetWithoutGap) {
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 7; ++i) {
    plans.push_back(
        Turn(ana_, 100 - 10 * (i / 2), "n" + std::to_string(i), "m" + std::to_string(i)));
  }
  Apply(memory(), plans);
  Apply(memory(), {Turn(ben_, 0, "not hers")});
  const auto whole = ListAll(memory(), ana_);
  EXPECT_THAT(Texts(whole), ElementsAre("n6", "m6", "n4", "m4", "n5", "m5", "n2", "m2", "n3", "m3",
                                        "n0", "m0", "n1", "m1"));
  for (const std::size_t page : {1U, 3U, 14U}) {
    EXPECT_EQ(Texts(ListAll(memory(), ana_, page)), Texts(whole)) << page;
  }
}

TEST_P(EpisodicMemoryContract, ACursorSurvivesTheErasureOfItsItem) {
  Apply(memory(), {Turn(ana_, 0, "a"), Turn(ana_, 1, "b"), Turn(ana_, 2, "c")});
  const auto first = memory().List(ana_, "", 2, Deadline::Never());
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(*memory().Erase("default", first->items.at(1).memory_id, Deadline::Never()));
  const auto second = memory().List(ana_, first->next_cursor, 2, Deadline::Never());
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(Texts(second->items), ElementsAre("c"));
  EXPECT_EQ(second->next_cursor, "");
}

TEST_P(EpisodicMemoryContract, ABadCursorIsTheCallersMistake) {
  for (const std::string cursor : {"x", "1.2", "1.2.3.", "9999999999999999999999.1.1.ep_x"}) {
    const auto listed = memory().List(ana_, cursor, 2, Deadline::Never());
    ASSERT_FALSE(listed.ok()) << cursor;
    EXPECT_EQ(listed.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_P(EpisodicMemoryContract, AMemoryIsSeenOnlyByItsTenant) {
  const ReflectionPlan plan = Turn(ana_, 3, "a green door");
  Apply(memory(), {plan});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto item = memory().Get("default", id, Deadline::Never());
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_EQ((*item)->text, "a green door");
  EXPECT_EQ((*item)->user, ana_);
  EXPECT_EQ((*item)->tier, Tier::kEpisodic);
  EXPECT_EQ((*item)->occurred_at, At(3));
  EXPECT_THAT((*item)->sources, ElementsAre(SourceRef{plan.interaction_id, Role::kUser}));
  EXPECT_FALSE(memory().Get("acme", id, Deadline::Never())->has_value());
  EXPECT_FALSE(
      memory().Update("acme", id, {.text = "x", .valid_to = {}}, Deadline::Never())->has_value());
  EXPECT_FALSE(*memory().Erase("acme", id, Deadline::Never()));
  EXPECT_FALSE(memory().Get("default", "ep_nothing", Deadline::Never())->has_value());
}

TEST_P(EpisodicMemoryContract, AnEditedEpisodeIsFoundByItsNewWordsAlone) {
  const ReflectionPlan plan = Turn(ana_, 0, "a grey elephant");
  Apply(memory(), {plan});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto changed = memory().Update(
      "default", id, {.text = "a pink flamingo bird", .valid_to = {}}, Deadline::Never());
  ASSERT_TRUE(changed.ok() && changed->has_value());
  EXPECT_EQ((*changed)->text, "a pink flamingo bird");
  EXPECT_THAT(Find(ana_, "elephant").candidates, IsEmpty());
  EXPECT_THAT(Find(ana_, "elephant").statistics.document_frequency, ElementsAre(0));
  EXPECT_THAT(Matched(Find(ana_, "flamingo")), ElementsAre("a pink flamingo bird"));
  EXPECT_EQ(Find(ana_, "flamingo").statistics.length_mean, Only(Find(ana_, "flamingo")).length);
  Apply(memory(), {NextGeneration(plan)});
  EXPECT_THAT(Texts(ListAll(memory(), ana_)), ElementsAre("a pink flamingo bird"));
}

TEST_P(EpisodicMemoryContract, RefusesEditsThatMakeNoSense) {
  Apply(memory(), {Turn(ana_, 0, "x marks it")});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  EXPECT_EQ(memory()
                .Update("default", id, {.text = {}, .valid_to = At(1)}, Deadline::Never())
                .error()
                .code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      memory().Update("default", id, {.text = "", .valid_to = {}}, Deadline::Never()).error().code,
      ErrorCode::kInvalidArgument);
}

TEST_P(EpisodicMemoryContract, AnErasedEpisodeStaysAwayWhenItsTurnIsAppliedAgain) {
  const ReflectionPlan plan = Turn(ana_, 0, "an old quarrel", "I am sorry");
  Apply(memory(), {plan});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  EXPECT_TRUE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_FALSE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_FALSE(memory().Get("default", id, Deadline::Never())->has_value());
  EXPECT_THAT(Find(ana_, "quarrel").candidates, IsEmpty());
  EXPECT_EQ(Find(ana_, "quarrel").statistics.documents, 0U);
  Apply(memory(), {plan});
  Apply(memory(), {NextGeneration(plan)});
  EXPECT_THAT(Texts(ListAll(memory(), ana_)), ElementsAre("I am sorry"));
  // Also when tiers are emptied to be worked out anew.
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 1U);
  Apply(memory(), {NextGeneration(plan, 2)});
  EXPECT_THAT(Texts(ListAll(memory(), ana_)), ElementsAre("I am sorry"));
}

TEST_P(EpisodicMemoryContract, ForgettingAUserLeavesNothingAndTouchesNobodyElse) {
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 250; ++i) {
    plans.push_back(Turn(ana_, i, "zebra crossing", i % 2 == 0 ? "zebra answer" : ""));
  }
  Apply(memory(), plans);
  Apply(memory(), {Turn(ben_, 0, "zebra")});
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 375U);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  const EpisodesFound found = Find(ana_, "zebra");
  EXPECT_THAT(found.candidates, IsEmpty());
  EXPECT_EQ(found.statistics.documents, 0U);
  EXPECT_THAT(found.statistics.document_frequency, ElementsAre(0));
  EXPECT_THAT(Matched(Find(ben_, "zebra")), ElementsAre("zebra"));
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 0U);
}

TEST_P(EpisodicMemoryContract, AForgottenUserStartsAfresh) {
  const ReflectionPlan before = Turn(ana_, 0, "a marble");
  Apply(memory(), {before});
  world_->ForgetTurns(ana_);
  ASSERT_TRUE(memory().EraseUser(ana_, Deadline::Never()).ok());
  Apply(memory(), {Turn(ana_, 5, "a marble again")});
  EXPECT_THAT(Texts(ListAll(memory(), ana_)), ElementsAre("a marble again"));
  EXPECT_EQ(Find(ana_, "marble").statistics.documents, 1U);
}

TEST_P(EpisodicMemoryContract, AVeryLongTextIsFoundByItsBeginning) {
  std::string text = "aardvark";
  for (int i = 0; i < 30'000; ++i) {
    text += " w" + std::to_string(i);
  }
  text += " zygote";
  Apply(memory(), {Turn(ana_, 0, text)});
  EXPECT_THAT(Find(ana_, "aardvark").candidates, SizeIs(1));
  EXPECT_THAT(Find(ana_, "zygote").candidates, IsEmpty());
  EXPECT_LE(Only(Find(ana_, "aardvark")).length, 4000U);
  EXPECT_EQ(Only(Find(ana_, "aardvark")).episode->text, text);
}

TEST_P(EpisodicMemoryContract, TermsThatAreEverywhereDoNotHideTheRareOne) {
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 40; ++i) {
    plans.push_back(Turn(ana_, i, i == 17 ? "work work on the unicorn" : "work as on every day"));
  }
  Apply(memory(), plans);
  EXPECT_THAT(Matched(Find(ana_, "work unicorn", 3)), Contains("work work on the unicorn"));
}

INSTANTIATE_TEST_SUITE_P(Implementations, EpisodicMemoryContract,
                         testing::ValuesIn(EpisodicWorlds()), TierWorldName);
INSTANTIATE_TEST_SUITE_P(Implementations, EpisodicMemoryFence, testing::ValuesIn(FencedWorlds()),
                         TierWorldName);

}  // namespace
}  // namespace umbranet
