// Goal: what differs between two lists of memories is told, counted in full and shown in part.
// Method: lists by hand.
#include "umbranet/domain/memory_difference.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

MemoryItem Item(const std::string& id, const std::string& text, int minute = 0) {
  MemoryItem item;
  item.memory_id = id;
  item.text = text;
  item.occurred_at = Timestamp(std::chrono::minutes(minute));
  return item;
}

TEST(MemoryDifferenceTest, MemoriesWithTheSameIdAreOne) {
  const MemoryDifference difference = CompareMemories({Item("a", "tea"), Item("b", "cake")},
                                                      {Item("b", "pie"), Item("a", "tea")}, 10);
  EXPECT_EQ(difference.same, 1U);
  EXPECT_EQ(difference.changed, 1U);
  ASSERT_EQ(difference.changed_items.size(), 1U);
  EXPECT_EQ(difference.changed_items[0].before.text, "cake");
  EXPECT_EQ(difference.changed_items[0].after.text, "pie");
  EXPECT_EQ(difference.added + difference.gone, 0U);
}

TEST(MemoryDifferenceTest, WhatHoldsAtAnotherTimeOrHasGivenWayIsChanged) {
  MemoryItem ended = Item("a", "tea");
  ended.valid_to = Timestamp(std::chrono::minutes(1));
  MemoryItem overtaken = Item("b", "cake");
  overtaken.superseded_by = "c";
  EXPECT_EQ(CompareMemories({Item("a", "tea"), Item("b", "cake")}, {ended, overtaken}, 10).changed,
            2U);
  MemoryItem by_another = overtaken;
  by_another.superseded_by = "d";
  EXPECT_EQ(CompareMemories({overtaken}, {by_another}, 10).same, 1U);
}

TEST(MemoryDifferenceTest, TheSameWordsOfTheSameTimeAreOneWhateverTheirIds) {
  const MemoryDifference difference =
      CompareMemories({Item("a", "tea", 1), Item("b", "tea", 2)}, {Item("c", "tea", 2)}, 10);
  EXPECT_EQ(difference.same, 1U);
  EXPECT_EQ(difference.gone, 1U);
  ASSERT_EQ(difference.gone_items.size(), 1U);
  EXPECT_EQ(difference.gone_items[0].memory_id, "a");
  EXPECT_EQ(difference.added, 0U);
}

TEST(MemoryDifferenceTest, CountsAreOfAllAndItemsOfAsManyAsWereAskedFor) {
  const MemoryDifference difference =
      CompareMemories({}, {Item("a", "1"), Item("b", "2"), Item("c", "3")}, 2);
  EXPECT_EQ(difference.before, 0U);
  EXPECT_EQ(difference.after, 3U);
  EXPECT_EQ(difference.added, 3U);
  ASSERT_EQ(difference.added_items.size(), 2U);
  EXPECT_EQ(difference.added_items[1].memory_id, "b");
}

}  // namespace
}  // namespace umbranet
