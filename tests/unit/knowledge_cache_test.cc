// Goal: what is kept of a user's graph is answered with under the version it was found under, and
// under no other.
// Method: direct calls with empty graphs, told apart by their revisions.
#include "umbranet/adapters/neo4j/knowledge_cache.h"

#include <cstdint>
#include <memory>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

const UserKey kAna{"default", "ana"};
const SteadyTime kNow{Millis{1'000'000}};

KnowledgeSnapshot At(std::int64_t revision, std::int64_t generation = 0) {
  return {"e", revision, std::make_shared<const UserKnowledge>(kAna), 0, generation};
}

class KnowledgeCacheTest : public ::testing::Test {
 protected:
  // -1: nothing.
  std::int64_t Under(std::int64_t version, SteadyTime since = kNow) {
    const auto found = cache_.FindUnder(kAna, version, since);
    return found ? found->revision : -1;
  }

  KnowledgeCache cache_{100};
};

TEST_F(KnowledgeCacheTest, FindsUnderTheVersionThatWasNotedAndNoOther) {
  cache_.Keep(At(1));
  EXPECT_EQ(Under(5), -1);
  cache_.NoteUnder(At(1), 5, kNow);
  EXPECT_EQ(Under(5), 1);
  EXPECT_EQ(Under(4), -1);
  EXPECT_EQ(Under(6), -1);
  EXPECT_EQ(Under(5, kNow + Millis{1}), -1) << "it was found before";
}

TEST_F(KnowledgeCacheTest, ALaterRevisionIsOnlyFoundWhenItWasNotedToo) {
  cache_.Keep(At(1));
  cache_.NoteUnder(At(1), 5, kNow);
  cache_.Keep(At(2));
  EXPECT_EQ(Under(5), -1);
  cache_.NoteUnder(At(1), 5, kNow);
  EXPECT_EQ(Under(5), -1) << "it is not kept any more";
  cache_.NoteUnder(At(2), 5, kNow);
  EXPECT_EQ(Under(5), 2);
}

TEST_F(KnowledgeCacheTest, WhoReadAnEarlierVersionAndComesLateTakesNothingBack) {
  cache_.Keep(At(1));
  cache_.NoteUnder(At(1), 6, kNow);
  cache_.NoteUnder(At(1), 5, kNow);
  EXPECT_EQ(Under(6), 1);
  EXPECT_EQ(Under(5), -1);
}

TEST_F(KnowledgeCacheTest, OfSeveralGenerationsTheOneThatWasNotedIsFound) {
  cache_.Keep(At(1));
  cache_.Keep(At(2, 7));
  cache_.NoteUnder(At(1), 5, kNow);
  cache_.NoteUnder(At(2, 7), 6, kNow);
  EXPECT_EQ(Under(5), 1);
  EXPECT_EQ(Under(6), 2);
  cache_.DropUser(kAna);
  EXPECT_EQ(Under(6), -1);
}

}  // namespace
}  // namespace umbranet
