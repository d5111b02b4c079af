// Goal: a cached fact is given to those readers alone that would read the same from the file.
// Method: revisions and touches in every order that a writer and readers of several snapshots can
// bring about.
#include "umbranet/adapters/sqlite/fact_cache.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"

namespace umbranet {
namespace {

constexpr std::int64_t kUser = 7;
constexpr std::int64_t kOther = 8;

class FactCacheTest : public ::testing::Test {
 protected:
  void Keep(std::int64_t revision, std::int64_t head, const std::string& text,
            std::int64_t user = kUser) {
    auto fact = std::make_shared<StoredFact>();
    fact->head = head;
    fact->fact.text = text;
    cache_.Keep(user, revision, std::move(fact));
  }

  // "-" when it is not here.
  std::string Find(std::int64_t revision, std::int64_t head, std::int64_t user = kUser) {
    const auto fact = cache_.Find(user, revision, head);
    return fact == nullptr ? "-" : fact->fact.text;
  }

  FactCache cache_{100};
};

TEST_F(FactCacheTest, GivesBackWhatWasReadAtTheSameRevision) {
  EXPECT_EQ(Find(3, 1), "-");
  Keep(3, 1, "kept");
  EXPECT_EQ(Find(3, 1), "kept");
  EXPECT_EQ(Find(3, 2), "-");
  EXPECT_EQ(Find(3, 1, kOther), "-");
}

TEST_F(FactCacheTest, DoesNotTrustAnotherRevisionUntilItHasSeenTheTouchesBetween) {
  Keep(3, 1, "kept");
  EXPECT_EQ(Find(2, 1), "-");
  EXPECT_EQ(Find(4, 1), "-");
}

TEST_F(FactCacheTest, KeepsWhatAWriteDidNotTouch) {
  Keep(3, 1, "one");
  Keep(3, 2, "two");
  cache_.Touch(kUser, 4, {2});
  EXPECT_EQ(Find(4, 1), "one");
  EXPECT_EQ(Find(3, 1), "one");
  EXPECT_EQ(Find(4, 2), "-");
  EXPECT_EQ(Find(3, 2), "-");
  Keep(4, 2, "two, changed");
  cache_.Touch(kUser, 5, {9});
  EXPECT_EQ(Find(5, 2), "two, changed");
  EXPECT_EQ(Find(3, 2), "-") << "an older snapshot must not see what came later";
}

TEST_F(FactCacheTest, DoesNotKeepWhatAReaderOfAnOlderSnapshotRead) {
  Keep(3, 1, "one");
  cache_.Touch(kUser, 4, {2});  // Of which nothing is known here.
  Keep(3, 2, "two, as it was");
  EXPECT_EQ(Find(4, 2), "-");
  EXPECT_EQ(Find(3, 2), "-");
}

TEST_F(FactCacheTest, DoesNotTrustWhatWasReadBeforeTheFirstTouchItSaw) {
  Keep(3, 1, "long ago");
  Keep(6, 2, "lately");
  cache_.Touch(kUser, 7, {9});
  EXPECT_EQ(Find(7, 1), "-") << "what revisions 4 to 6 touched is not known";
  EXPECT_EQ(Find(7, 2), "lately");
}

TEST_F(FactCacheTest, ForgetsEverythingOfAUserWhenAllIsTouched) {
  Keep(3, 1, "one");
  Keep(3, 1, "another user's", kOther);
  cache_.TouchAll(kUser, 4);
  Keep(3, 2, "two, as it was");
  EXPECT_EQ(Find(4, 1), "-");
  EXPECT_EQ(Find(4, 2), "-");
  EXPECT_EQ(Find(3, 1, kOther), "another user's");
  Keep(4, 1, "anew");
  EXPECT_EQ(Find(4, 1), "anew");
}

TEST_F(FactCacheTest, StaysWithinItsBound) {
  for (std::int64_t head = 0; head < 100; ++head) {
    Keep(3, head, "kept");
  }
  EXPECT_EQ(Find(3, 99), "kept");
  Keep(3, 100, "one too many");
  EXPECT_EQ(Find(3, 99), "-");
  EXPECT_EQ(Find(3, 100), "one too many");
  cache_.Touch(kUser, 4, {});
  EXPECT_EQ(Find(4, 100), "one too many");
}

TEST_F(FactCacheTest, AFactThatARolledBackWriteTouchedIsReadAgain) {
  Keep(3, 1, "one");
  cache_.Touch(kUser, 4, {1});
  EXPECT_EQ(Find(3, 1), "-");
  cache_.Touch(kUser, 4, {2});  // The write that came in its place.
  Keep(4, 1, "one");
  EXPECT_EQ(Find(4, 1), "one");
}

}  // namespace
}  // namespace umbranet
