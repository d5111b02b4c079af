// Goal: every procedural memory keeps the promises of ports/procedural_memory.h and
// ports/memory_tier.h. Method: one suite, run against each implementation; a world of its own for
// each test (tier_world.h) accepts the turns and leases the jobs. Where the order of turns must not
// matter, the same plans are applied in every order.
#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ProceduralMemoryContract : public TierContract {
 protected:
  ProceduralMemory& memory() { return world_->procedural(); }

  static PlannedRule Says(const std::string& key, const std::string& text, bool negative = false) {
    PlannedRule rule;
    rule.key = key;
    rule.text = text;
    rule.negative = negative;
    return rule;
  }

  static PlannedRule Withdraws(const std::string& key) {
    PlannedRule rule = Says(key, "never mind");
    rule.withdraws = true;
    return rule;
  }

  ReflectionPlan Turn(const UserKey& user, int minute, std::vector<PlannedRule> rules) {
    ReflectionPlan plan = NewPlan(user, minute);
    plan.rules = std::move(rules);
    return plan;
  }

  std::vector<Rule> Active(const UserKey& user, std::optional<Timestamp> as_of = std::nullopt,
                           std::size_t limit = 100) {
    auto active = memory().Active(user, as_of, limit, Deadline::Never());
    EXPECT_TRUE(active.ok());
    return std::move(active).value();
  }

  static std::vector<std::string> TextsOf(const std::vector<Rule>& rules) {
    std::vector<std::string> texts;
    for (const Rule& rule : rules) {
      texts.push_back(rule.text);
    }
    return texts;
  }

  std::vector<std::string> Describe(const UserKey& user) {
    std::vector<std::string> lines;
    for (const MemoryItem& item : ListAll(memory(), user)) {
      std::string line = item.memory_id + " " + item.text + " " +
                         FormatTimestamp(item.occurred_at) + " " +
                         (item.valid_to.has_value() ? FormatTimestamp(*item.valid_to) : "-") + " " +
                         item.superseded_by.value_or("-");
      for (const SourceRef& source : item.sources) {
        line += " " + source.interaction_id;
      }
      lines.push_back(std::move(line));
    }
    for (const Rule& rule : Active(user)) {
      lines.push_back(rule.memory_id + " " + rule.text + " " + std::to_string(rule.evidence));
    }
    return lines;
  }

  void InEveryOrder(const std::function<std::vector<ReflectionPlan>()>& make) {
    std::vector<std::size_t> order(make().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::optional<std::vector<std::string>> first;
    do {
      world_ = GetParam().make();
      world_->clock().Advance(std::chrono::hours(24));
      turns_ = 0;
      const std::vector<ReflectionPlan> plans = make();
      for (const std::size_t index : order) {
        Apply(memory(), {plans[index]});
      }
      std::vector<std::string> described = Describe(ana_);
      if (!first.has_value()) {
        first = std::move(described);
      } else {
        EXPECT_EQ(described, *first) << "in the order " << testing::PrintToString(order);
      }
    } while (std::next_permutation(order.begin(), order.end()));
  }

  void SetUp() override {
    TierContract::SetUp();
    if (IsSkipped()) {
      return;
    }
    world_->clock().Advance(std::chrono::hours(24));
  }
};

// Of those that share a database with the ledger.
class ProceduralMemoryFence : public ProceduralMemoryContract {};

TEST_P(ProceduralMemoryContract, ARuleKeepsEverythingThatThePlanSaid) {
  PlannedRule rule = Says("color green", "never use green", true);
  rule.kind = RuleKind::kPreference;
  rule.scope = "charts";
  rule.confidence = 0.6;
  const ReflectionPlan plan = Turn(ana_, 4, {rule});
  Apply(memory(), {plan});
  const std::vector<Rule> active = Active(ana_);
  ASSERT_THAT(active, SizeIs(1));
  const Rule& kept = active.at(0);
  EXPECT_TRUE(kept.memory_id.starts_with(kRulePrefix));
  EXPECT_EQ(kept.user, ana_);
  EXPECT_EQ(kept.kind, RuleKind::kPreference);
  EXPECT_EQ(kept.text, "never use green");
  EXPECT_EQ(kept.scope, "charts");
  EXPECT_EQ(kept.key, "color green");
  EXPECT_TRUE(kept.negative);
  EXPECT_EQ(kept.confidence, 0.6);
  EXPECT_EQ(kept.evidence, 1U);
  EXPECT_EQ(kept.occurred_at, At(4));
  EXPECT_EQ(kept.recorded_at, world_->clock().Now());
  EXPECT_EQ(kept.withdrawn_at, std::nullopt);
  EXPECT_EQ(kept.superseded_by, std::nullopt);
  EXPECT_THAT(kept.sources, ElementsAre(SourceRef{plan.interaction_id, Role::kUser}));
}

TEST_P(ProceduralMemoryContract, SayingItAgainIsEvidenceAndTheNewestWordingStands) {
  PlannedRule firm = Says("metric unit", "always answer in metric units");
  firm.confidence = 0.95;
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 0, {Says("metric unit", "use metric units")}),
                       Turn(ana_, 10, {firm}),
                       Turn(ana_, 20, {Says("metric unit", "metric please")})};
  });
  const std::vector<Rule> active = Active(ana_);
  ASSERT_THAT(active, SizeIs(1));
  EXPECT_EQ(active[0].text, "metric please");
  EXPECT_EQ(active[0].evidence, 3U);
  EXPECT_EQ(active[0].confidence, 0.95);
  EXPECT_EQ(active[0].occurred_at, At(20));
}

TEST_P(ProceduralMemoryContract, SayingTheSameInOtherWordsIsEvidenceInEveryOrder) {
  InEveryOrder([&] {
    return std::vector{
        Turn(ana_, 0, {Says("gram recipe weight", "recipes with weights in grams")}),
        Turn(ana_, 10, {Says("bake gram recipe weight", "for baking too: weights in grams")}),
        Turn(ana_, 20, {Says("gram recipe weight", "no grams", true)}),
        Turn(ana_, 30, {Says("cup recipe spoon", "recipes in cups and spoons")})};
  });
  const auto items = ListAll(memory(), ana_);
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_EQ(items[0].text, "for baking too: weights in grams");
  EXPECT_THAT(items[0].sources, SizeIs(2));
  EXPECT_EQ(items[0].superseded_by, items[1].memory_id);
}

TEST_P(ProceduralMemoryContract, AContradictionSupersedesInEveryOrder) {
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 0, {Says("emoji", "use emoji")}),
                       Turn(ana_, 10, {Says("emoji", "no emoji", true)}),
                       Turn(ana_, 20, {Says("emoji", "emoji are fine again")})};
  });
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("emoji are fine again"));
  const auto items = ListAll(memory(), ana_);
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_EQ(items[0].valid_to, At(10));
  EXPECT_EQ(items[0].superseded_by, items[1].memory_id);
  EXPECT_EQ(items[1].superseded_by, items[2].memory_id);
}

TEST_P(ProceduralMemoryContract, AWithdrawalEndsTheRuleWithItsKey) {
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 0, {Says("short answer", "keep answers short")}),
                       Turn(ana_, 5, {Says("short answer code", "short answers about code")}),
                       Turn(ana_, 10, {Withdraws("short answer")})};
  });
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("short answers about code"));
  const auto items = ListAll(memory(), ana_);
  EXPECT_EQ(items.at(0).valid_to, At(10));
  EXPECT_EQ(items.at(0).superseded_by, std::nullopt);
  EXPECT_THAT(items, SizeIs(2));
}

TEST_P(ProceduralMemoryContract, AWithdrawalInOtherWordsEndsTheNearestRule) {
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 0, {Says("answer in french language", "answer in French")}),
                       Turn(ana_, 5, {Says("answer short", "keep it short")}),
                       Turn(ana_, 10, {Withdraws("french language")}),
                       Turn(ana_, 15, {Says("weather", "tell the weather")})};
  });
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("tell the weather", "keep it short"));
}

TEST_P(ProceduralMemoryContract, AWithdrawalThatMeansNothingKnownDoesNothing) {
  Apply(memory(), {Turn(ana_, 0, {Says("metric unit", "use metric units")}),
                   Turn(ana_, 10, {Withdraws("emoji")})});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("use metric units"));
}

TEST_P(ProceduralMemoryContract, AWithdrawalEndsOnlyWhatIsOlder) {
  InEveryOrder([&] {
    return std::vector{Turn(ana_, 10, {Withdraws("emoji")}),
                       Turn(ana_, 20, {Says("emoji", "use emoji")})};
  });
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("use emoji"));
}

TEST_P(ProceduralMemoryContract, ARuleMayComeBackAfterItsWithdrawal) {
  Apply(memory(),
        {Turn(ana_, 0, {Says("emoji", "use emoji")}), Turn(ana_, 10, {Withdraws("emoji")}),
         Turn(ana_, 20, {Says("emoji", "emoji again")})});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("emoji again"));
  EXPECT_THAT(ListAll(memory(), ana_), SizeIs(2));
}

TEST_P(ProceduralMemoryContract, ActiveComesMostRecentFirstWithinItsLimit) {
  Apply(memory(),
        {Turn(ana_, 20, {Says("b", "b rule")}), Turn(ana_, 0, {Says("a", "a rule")}),
         Turn(ana_, 10, {Says("c", "c rule")}), Turn(ana_, 30, {Says("a", "a rule anew")})});
  Apply(memory(), {Turn(ben_, 0, {Says("x", "not hers")})});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("a rule anew", "b rule", "c rule"));
  EXPECT_THAT(TextsOf(Active(ana_, std::nullopt, 2)), ElementsAre("a rule anew", "b rule"));
  EXPECT_THAT(Active(ana_, std::nullopt, 0), IsEmpty());
}

TEST_P(ProceduralMemoryContract, AsOfGivesTheRulesOfThatTime) {
  Apply(memory(),
        {Turn(ana_, 0, {Says("emoji", "use emoji")}),
         Turn(ana_, 10, {Says("emoji", "no emoji", true)}), Turn(ana_, 20, {Withdraws("emoji")})});
  EXPECT_THAT(Active(ana_, At(-1)), IsEmpty());
  EXPECT_THAT(TextsOf(Active(ana_, At(5))), ElementsAre("use emoji"));
  EXPECT_THAT(TextsOf(Active(ana_, At(10))), ElementsAre("no emoji"));
  EXPECT_THAT(Active(ana_, At(25)), IsEmpty());
  EXPECT_THAT(Active(ana_), IsEmpty());
}

TEST_P(ProceduralMemoryContract, ApplyingAPlanAgainChangesNothing) {
  const ReflectionPlan plan = Turn(ana_, 0, {Says("emoji", "use emoji"), Withdraws("weather")});
  Apply(memory(), {plan});
  const auto before = Describe(ana_);
  Apply(memory(), {plan});
  Apply(memory(), {NextGeneration(plan)});
  EXPECT_EQ(Describe(ana_), before);
}

TEST_P(ProceduralMemoryContract, ListsOldestFirstInPagesThatMeetWithoutGap) {
  Apply(memory(), {Turn(ana_, 20, {Says("c", "rule c"), Says("d", "rule d")}),
                   Turn(ana_, 0, {Says("a", "rule a")}), Turn(ana_, 10, {Says("b", "rule b")}),
                   Turn(ana_, 30, {Withdraws("a")})});
  const auto whole = ListAll(memory(), ana_);
  EXPECT_THAT(Texts(whole), ElementsAre("rule a", "rule b", "rule c", "rule d"));
  EXPECT_EQ(whole.at(0).valid_to, At(30));
  for (const std::size_t page : {1U, 3U, 4U}) {
    EXPECT_EQ(Texts(ListAll(memory(), ana_, page)), Texts(whole));
  }
  EXPECT_EQ(memory().List(ana_, "nonsense", 2, Deadline::Never()).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_P(ProceduralMemoryContract, AMemoryIsSeenOnlyByItsTenant) {
  const ReflectionPlan plan = Turn(ana_, 3, {Says("emoji", "use emoji")});
  Apply(memory(), {plan});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto item = memory().Get("default", id, Deadline::Never());
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_EQ((*item)->text, "use emoji");
  EXPECT_EQ((*item)->tier, Tier::kProcedural);
  EXPECT_EQ((*item)->user, ana_);
  EXPECT_THAT((*item)->sources, ElementsAre(SourceRef{plan.interaction_id, Role::kUser}));
  EXPECT_FALSE(memory().Get("acme", id, Deadline::Never())->has_value());
  EXPECT_FALSE(
      memory().Update("acme", id, {.text = "x", .valid_to = {}}, Deadline::Never())->has_value());
  EXPECT_FALSE(*memory().Erase("acme", id, Deadline::Never()));
  EXPECT_FALSE(memory().Get("default", "ru_nothing", Deadline::Never())->has_value());
}

TEST_P(ProceduralMemoryContract, AnOwnerMayRewordARuleAndEndIt) {
  Apply(memory(), {Turn(ana_, 0, {Says("emoji", "use emoji")})});
  const std::string id = ListAll(memory(), ana_).at(0).memory_id;
  const auto reworded = memory().Update(
      "default", id, {.text = "one emoji at most", .valid_to = {}}, Deadline::Never());
  ASSERT_TRUE(reworded.ok() && reworded->has_value());
  EXPECT_EQ((*reworded)->text, "one emoji at most");
  Apply(memory(), {Turn(ana_, 5, {Says("emoji", "use emoji, I said")})});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("one emoji at most"));
  const auto ended =
      memory().Update("default", id, {.text = {}, .valid_to = At(7)}, Deadline::Never());
  ASSERT_TRUE(ended.ok() && ended->has_value());
  EXPECT_EQ((*ended)->valid_to, At(7));
  EXPECT_THAT(Active(ana_), IsEmpty());
  EXPECT_THAT(Active(ana_, At(6)), SizeIs(1));
  EXPECT_EQ(
      memory().Update("default", id, {.text = "", .valid_to = {}}, Deadline::Never()).error().code,
      ErrorCode::kInvalidArgument);
}

TEST_P(ProceduralMemoryContract, AnErasedRuleStaysAwayAndWhatItSupersededHoldsAgain) {
  const ReflectionPlan use = Turn(ana_, 0, {Says("emoji", "use emoji")});
  const ReflectionPlan avoid = Turn(ana_, 10, {Says("emoji", "no emoji", true)});
  Apply(memory(), {use, avoid});
  const std::string id = Active(ana_).at(0).memory_id;
  EXPECT_TRUE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_FALSE(*memory().Erase("default", id, Deadline::Never()));
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("use emoji"));
  Apply(memory(), {NextGeneration(avoid)});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("use emoji"));
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 1U);
  Apply(memory(), {NextGeneration(use, 2), NextGeneration(avoid, 2)});
  EXPECT_THAT(TextsOf(Active(ana_)), ElementsAre("use emoji"));
}

TEST_P(ProceduralMemoryContract, ForgettingAUserLeavesNothingAndTouchesNobodyElse) {
  Apply(memory(), {Turn(ana_, 0, {Says("a", "rule a"), Says("b", "rule b")})});
  Apply(memory(), {Turn(ben_, 0, {Says("a", "his rule")})});
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 2U);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 0U);
  EXPECT_THAT(Active(ana_), IsEmpty());
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
  EXPECT_THAT(TextsOf(Active(ben_)), ElementsAre("his rule"));
}

TEST_P(ProceduralMemoryFence, AWorkerThatLostItsLeaseChangesNothing) {
  const ReflectionPlan plan = Turn(ana_, 0, {Says("emoji", "use emoji")});
  const Lease lost = world_->Claim(std::vector{plan});
  world_->Release(lost);
  EXPECT_EQ(memory().Apply(std::vector{plan}, lost, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_THAT(ListAll(memory(), ana_), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Implementations, ProceduralMemoryContract,
                         testing::ValuesIn(ProceduralWorlds()), TierWorldName);
INSTANTIATE_TEST_SUITE_P(Implementations, ProceduralMemoryFence, testing::ValuesIn(FencedWorlds()),
                         TierWorldName);

}  // namespace
}  // namespace umbranet
