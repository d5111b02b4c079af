// Goal: the cache gives back what it was given, and stays within its bounds.
#include "umbranet/extraction/answer_cache.h"

#include <gtest/gtest.h>

namespace umbranet {
namespace {

TEST(AnswerCache, GivesBackWhatItWasGiven) {
  AnswerCache cache({});
  EXPECT_FALSE(cache.Find("a"));
  cache.Keep("a", "1");
  cache.Keep("a", "2");
  EXPECT_EQ(cache.Find("a"), "1");
}

TEST(AnswerCache, DropsWhatWasNotAskedForLongest) {
  AnswerCache cache({.entries_max = 2});
  cache.Keep("a", "1");
  cache.Keep("b", "2");
  EXPECT_TRUE(cache.Find("a"));
  cache.Keep("c", "3");
  EXPECT_TRUE(cache.Find("a"));
  EXPECT_FALSE(cache.Find("b"));
  EXPECT_TRUE(cache.Find("c"));
}

TEST(AnswerCache, KeepsNothingOnceItIsCleared) {
  AnswerCache cache({.entries_max = 2, .bytes_max = 100});
  cache.Keep("a", "1");
  cache.Keep("b", "2");
  EXPECT_EQ(cache.Clear(), 2U);
  EXPECT_FALSE(cache.Find("a"));
  cache.Keep("a", "3");
  EXPECT_EQ(cache.Find("a"), "3");
}

TEST(AnswerCache, KeepsNoMoreBytesThanItMay) {
  AnswerCache cache({.entries_max = 100, .bytes_max = 10});
  cache.Keep("a", "12345");
  cache.Keep("b", "12345");
  EXPECT_FALSE(cache.Find("a"));
  EXPECT_TRUE(cache.Find("b"));
  cache.Keep("c", std::string(11, 'x'));
  EXPECT_FALSE(cache.Find("c"));
  EXPECT_TRUE(cache.Find("b"));
}

}  // namespace
}  // namespace umbranet
