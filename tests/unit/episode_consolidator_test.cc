// Goal: old episodes are summed up by one call each group, when there is nothing else to do and the
// tenant may pay, and whatever goes wrong changes nothing. Method: the twins of tier 2 and of the
// store beside it, a scripted model, and whether there is work as a test says.
#include "umbranet/reflection/episode_consolidator.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/in_memory_episode_consolidation.h"
#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/scripted_language_model.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();
const UserKey kUser{"acme", "mira"};
constexpr int kEpisodes = 4;
const std::string kGoodAnswer =
    R"({"sentences": [{"text": "Mira spoke of tea.", "from": ["e1", "e2"]}]})";

class EpisodeConsolidatorTest : public ::testing::Test {
 protected:
  EpisodeConsolidatorTest() {
    options_.policy.age = std::chrono::hours(1);
    options_.policy.episodes_min = kEpisodes;
    options_.policy.group.episodes_min = 2;
    options_.is_idle = [this](Deadline) -> Result<bool> {
      ++looks_;
      return is_idle_.load();
    };
    for (int i = 0; i < kEpisodes; ++i) {
      Say("Mira spoke of tea at length on the occasion number " + std::to_string(i));
    }
    clock_.Advance(std::chrono::hours(2));
  }

  void Say(const std::string& text) {
    ReflectionPlan plan;
    plan.user = kUser;
    plan.interaction_id = "t" + std::to_string(++turns_);
    plan.job_id = "job" + std::to_string(turns_);
    plan.session_id = "s";
    plan.sequence = turns_;
    plan.occurred_at = clock_.Now();
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = text, .event_times = {}});
    ASSERT_TRUE(episodic_.Apply(std::vector{plan}, {}, kNever).ok());
  }

  EpisodeConsolidator& consolidator() {
    if (!consolidator_) {
      consolidator_.emplace(clock_, model_, store_, log_, options_);
    }
    return *consolidator_;
  }

  ConsolidationOutcome One() {
    auto outcome = consolidator().ConsolidateOne({});
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return std::move(outcome).value_or(ConsolidationOutcome::kBusy);
  }

  std::vector<std::string> Kept() {
    std::vector<std::string> texts;
    const ConsolidatedPage page = store_.List(kUser, "", 100, kNever).value();
    for (const ConsolidatedEpisode& episode : page.episodes) {
      texts.push_back(episode.text);
    }
    return texts;
  }

  ManualClock clock_;
  InMemoryEpisodicMemory episodic_;
  InMemoryEpisodeConsolidation store_{episodic_, clock_};
  ScriptedLanguageModel model_;
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  EpisodeConsolidator::Options options_;
  std::atomic<bool> is_idle_ = true;
  std::atomic<int> looks_ = 0;
  int turns_ = 0;
  std::optional<EpisodeConsolidator> consolidator_;
};

TEST_F(EpisodeConsolidatorTest, KeepsWhatTheModelWroteInOneCallOnTheTenantsAccount) {
  model_.Enqueue({.pieces = {kGoodAnswer}});
  EXPECT_EQ(One(), ConsolidationOutcome::kConsolidated);
  EXPECT_THAT(Kept(), ElementsAre("Mira spoke of tea."));
  const auto requests = model_.Requests();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].account.tenant, "acme");
  EXPECT_EQ(requests[0].account.purpose, "consolidation");
  EXPECT_THAT(requests[0].messages[1].content, HasSubstr("occasion number 3"));
  EXPECT_EQ(One(), ConsolidationOutcome::kNothingToDo);
  EXPECT_THAT(model_.Requests(), SizeIs(1));
}

TEST_F(EpisodeConsolidatorTest, AsksNobodyWhileThereIsWork) {
  is_idle_ = false;
  EXPECT_EQ(One(), ConsolidationOutcome::kBusy);
  EXPECT_THAT(model_.Requests(), IsEmpty());
}

TEST_F(EpisodeConsolidatorTest, TakesALedgerThatCannotBeAskedForWork) {
  options_.is_idle = [](Deadline) -> Result<bool> { return Unavailable("ledger: away"); };
  EXPECT_EQ(One(), ConsolidationOutcome::kBusy);
}

TEST_F(EpisodeConsolidatorTest, GivesWayToWorkThatComesWhileTheModelIsAsked) {
  options_.look_for_work = Millis{1};
  model_.Enqueue({.hangs = true});
  const std::jthread work([this] {
    model_.AwaitHangs(1);
    is_idle_ = false;
  });
  EXPECT_EQ(One(), ConsolidationOutcome::kInterrupted);
  EXPECT_THAT(Kept(), IsEmpty());
  is_idle_ = true;
  model_.Enqueue({.pieces = {kGoodAnswer}});
  EXPECT_EQ(One(), ConsolidationOutcome::kConsolidated) << "the claim was given back";
}

TEST_F(EpisodeConsolidatorTest, AnAnswerThatIsBrokenOffForWorkIsNotHeldAgainstItsEpisodes) {
  options_.look_for_work = Millis{1};
  model_.Enqueue({.pieces = {R"({"sentences": )"}, .hangs = true});
  const std::jthread work([this] {
    model_.AwaitHangs(1);
    is_idle_ = false;
  });
  EXPECT_EQ(One(), ConsolidationOutcome::kInterrupted);
  is_idle_ = true;
  model_.Enqueue({.pieces = {kGoodAnswer}});
  EXPECT_EQ(One(), ConsolidationOutcome::kConsolidated);
}

TEST_F(EpisodeConsolidatorTest, AnAnswerThatIsNotWhatItMustBeChangesNothingAndIsNotAskedForAgain) {
  model_.Enqueue({.pieces = {R"({"sentences": [{"text": "Mira", "from": ["e9"]}]})"}});
  EXPECT_EQ(One(), ConsolidationOutcome::kRefused);
  EXPECT_THAT(Kept(), IsEmpty());
  EXPECT_EQ(One(), ConsolidationOutcome::kNothingToDo);
  clock_.Advance(options_.refused_rest);
  model_.Enqueue({.pieces = {kGoodAnswer}});
  EXPECT_EQ(One(), ConsolidationOutcome::kConsolidated);
}

TEST_F(EpisodeConsolidatorTest, AnAnswerThatWasCutOffIsNone) {
  model_.Enqueue({.pieces = {kGoodAnswer}, .finish_reason = "length"});
  EXPECT_EQ(One(), ConsolidationOutcome::kRefused);
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(EpisodeConsolidatorTest, PassesATenantOverWhoseBudgetIsSpent) {
  bool may_spend = false;
  options_.may_spend = [&may_spend](std::string_view tenant) {
    EXPECT_EQ(tenant, "acme");
    return may_spend;
  };
  EXPECT_EQ(One(), ConsolidationOutcome::kNoBudget);
  EXPECT_EQ(One(), ConsolidationOutcome::kNothingToDo);
  EXPECT_THAT(model_.Requests(), IsEmpty());
  may_spend = true;
  clock_.Advance(options_.no_budget_rest);
  model_.Enqueue({.pieces = {kGoodAnswer}});
  EXPECT_EQ(One(), ConsolidationOutcome::kConsolidated);
}

TEST_F(EpisodeConsolidatorTest, AModelThatIsAwayLeavesTheGroupForTheNextTime) {
  options_.call_budget = Millis{0};
  const auto failed = consolidator().ConsolidateOne({});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kDeadlineExceeded);
  const auto claim = store_.Claim(options_.policy, kNever);
  ASSERT_TRUE(claim.ok());
  EXPECT_TRUE(claim->has_value());
}

TEST_F(EpisodeConsolidatorTest, AModelThatRefusesAGroupForGoodIsNotAskedAboutItAgain) {
  model_.Enqueue({.error = Error{ErrorCode::kBadGateway, "model: it will not"}});
  EXPECT_FALSE(consolidator().ConsolidateOne({}).ok());
  EXPECT_EQ(One(), ConsolidationOutcome::kNothingToDo);
}

TEST_F(EpisodeConsolidatorTest, WhatWasForgottenWhileTheModelWroteIsNotKept) {
  model_.Enqueue({.pieces = {kGoodAnswer}});
  options_.may_spend = [this](std::string_view) {
    EXPECT_TRUE(episodic_.EraseUser(kUser, kNever).ok());
    EXPECT_TRUE(store_.EraseUser(kUser, kNever).ok());
    return true;
  };
  EXPECT_EQ(One(), ConsolidationOutcome::kVoid);
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(EpisodeConsolidatorTest, StoppingEndsTheCallThatIsUnderWay) {
  options_.while_busy = Millis{1};
  model_.Enqueue({.hangs = true});
  consolidator().Start();
  consolidator().Start();
  model_.AwaitHangs(1);
  consolidator().Stop();
  consolidator().Stop();
  EXPECT_THAT(Kept(), IsEmpty());
  EXPECT_TRUE(store_.Claim(options_.policy, kNever)->has_value()) << "the claim was given back";
}

}  // namespace
}  // namespace umbranet
