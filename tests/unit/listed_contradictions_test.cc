// Goal: whoever lists memories, or looks at one, is told which facts cannot hold beside it.
// Method: a semantic tier in memory that was told two of a kind, and no longer one of them.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/memory_manager.h"

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UserKey kUser{"default", "mira"};

Fact Taste(const std::string& id, Predicate predicate, const std::string& object) {
  Fact fact;
  fact.memory_id = id;
  fact.subject_id = "mira";
  fact.predicate = predicate;
  fact.object = object;
  return fact;
}

MemoryItem ItemOf(const Fact& fact) {
  MemoryItem item;
  item.memory_id = fact.memory_id;
  item.user = kUser;
  item.tier = Tier::kSemantic;
  item.superseded_by = fact.superseded_by;
  return item;
}

class ListedContradictionsTest : public ::testing::Test {
 protected:
  ListedContradictionsTest() {
    ON_CALL(stores_.semantic, ReadGraph).WillByDefault([this](auto&&...) {
      KnowledgeGraph graph;
      graph.facts = facts_;
      return Result<KnowledgeGraph>(graph);
    });
    ON_CALL(stores_.semantic, List).WillByDefault([this](auto&&...) {
      MemoryPage page;
      for (const Fact& fact : facts_) {
        page.items.push_back(ItemOf(fact));
      }
      return Result<MemoryPage>(page);
    });
    ON_CALL(stores_.semantic, Get).WillByDefault([this](auto&&...) {
      return Result<std::optional<MemoryItem>>(ItemOf(facts_.front()));
    });
  }

  // memory_id -> what it contradicts, of every memory.
  std::map<std::string, std::vector<std::string>> Listed() {
    const auto page = memory_.List(kUser, std::nullopt, "", 10, Deadline::Never());
    EXPECT_TRUE(page.ok());
    std::map<std::string, std::vector<std::string>> listed;
    for (const MemoryItem& item : page->items) {
      listed[item.memory_id] = item.contradicts;
    }
    return listed;
  }

  ManualClock clock_;
  BoundedWorkerPool pool_{{}};
  MockStores stores_;
  MemoryManager memory_{clock_,
                        pool_,
                        {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term,
                         stores_.episodic, stores_.semantic, stores_.procedural},
                        {}};
  std::vector<Fact> facts_ = {Taste("fa_1", Predicate::kLikes, "opera"),
                              Taste("fa_2", Predicate::kLikes, "jazz"),
                              Taste("fa_3", Predicate::kDislikes, "opera")};
};

TEST_F(ListedContradictionsTest, AreNamedOnBothSides) {
  auto listed = Listed();
  EXPECT_THAT(listed["fa_1"], ElementsAre("fa_3"));
  EXPECT_THAT(listed["fa_2"], IsEmpty());
  EXPECT_THAT(listed["fa_3"], ElementsAre("fa_1"));
}

TEST_F(ListedContradictionsTest, AreNamedWhereOneMemoryIsLookedAt) {
  const auto item = memory_.Get("default", "fa_1", Deadline::Never());
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_THAT((*item)->contradicts, ElementsAre("fa_3"));
}

TEST_F(ListedContradictionsTest, EndWithOneOfTheTwo) {
  facts_.back().superseded_by = "fa_9";
  EXPECT_THAT(Listed()["fa_1"], IsEmpty());
}

}  // namespace
}  // namespace umbranet
