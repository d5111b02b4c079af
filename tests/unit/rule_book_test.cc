// Goal: statements about how things are to be done are shown as rules: worded by the newest, ended
// by what contradicts them, found by any of their witnesses, listed in pages, and in force when
// asked. (What makes a rule out of statements is FoldRuleStatements' business.)
#include "umbranet/domain/rule_book.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const UserKey kAna{"default", "ana"};

KeptRuleStatement Said(int minute, const std::string& key, const std::string& text,
                       bool negative = false) {
  KeptRuleStatement kept;
  kept.key = minute;
  kept.statement_id = "s" + std::to_string(minute);
  kept.statement = {{FromUnixMillis(minute * 60'000), minute, "turn" + std::to_string(minute), 0},
                    key,
                    negative,
                    /*withdraws=*/false,
                    std::nullopt};
  kept.confidence = 0.5 + 0.01 * minute;
  kept.text = text;
  return kept;
}

std::vector<KeptRule> Emoji() {
  return FoldRules(kAna,
                   std::vector{Said(1, "emoji", "use emoji"), Said(2, "emoji", "emoji please"),
                               Said(3, "unit", "metric units"),
                               Said(4, "emoji", "no emoji", /*negative=*/true)});
}

TEST(RuleBook, ARuleIsWordedByItsNewestWitnessAndNamesThemAll) {
  const std::vector<KeptRule> rules = Emoji();
  ASSERT_THAT(rules, SizeIs(3));
  EXPECT_EQ(rules[0].rule.memory_id, "ru_s1");
  EXPECT_EQ(rules[0].rule.text, "emoji please");
  EXPECT_EQ(rules[0].rule.evidence, 2U);
  EXPECT_EQ(rules[0].rule.confidence, 0.52);
  EXPECT_EQ(rules[0].rule.withdrawn_at, FromUnixMillis(240'000));
  EXPECT_EQ(rules[0].rule.superseded_by, "ru_s4");
  EXPECT_THAT(rules[0].keys, ElementsAre(1, 2));
  EXPECT_THAT(rules[0].interaction_ids, ElementsAre("turn1", "turn2"));
}

TEST(RuleBook, AnyWitnessFindsItsRule) {
  const std::vector<KeptRule> rules = Emoji();
  EXPECT_EQ(RuleOfStatement(rules, "s2"), &rules[0]);
  EXPECT_EQ(RuleOfStatement(rules, "s3"), &rules[1]);
  EXPECT_EQ(RuleOfStatement(rules, "s9"), nullptr);
}

TEST(RuleBook, PagesMeetWithoutGap) {
  std::vector<std::string> texts;
  std::string cursor;
  do {
    const MemoryPage page = PageOfRules(Emoji(), ParseCursor(cursor).value(), 2);
    for (const MemoryItem& item : page.items) {
      texts.push_back(item.text);
    }
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_THAT(texts, ElementsAre("emoji please", "metric units", "no emoji"));
  EXPECT_THAT(PageOfRules(Emoji(), MemoryPlace(), 0).items, IsEmpty());
}

TEST(RuleBook, WhatIsInForceComesMostRecentFirst) {
  const std::vector<Rule> now = RulesInForce(Emoji(), FromUnixMillis(600'000), 10);
  ASSERT_THAT(now, SizeIs(2));
  EXPECT_EQ(now[0].text, "no emoji");
  EXPECT_EQ(now[1].text, "metric units");
  EXPECT_THAT(RulesInForce(Emoji(), FromUnixMillis(600'000), 1), SizeIs(1));
}

}  // namespace
}  // namespace umbranet
