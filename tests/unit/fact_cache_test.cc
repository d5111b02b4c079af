// Goal: a reader searches in memory only what he would read from the file. Method: revisions and
// touches in every order that a writer and readers of several snapshots can bring about.
#include "umbranet/adapters/sqlite/fact_cache.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kUser = 7;
constexpr std::int64_t kOther = 8;

UserFacts::FactRef MakeFact(std::int64_t head) {
  auto fact = std::make_shared<StoredFact>();
  fact->head = head;
  return fact;
}

class FactCacheTest : public ::testing::Test {
 protected:
  void Keep(std::int64_t revision, std::int64_t facts = 2, std::int64_t user = kUser) {
    std::vector<UserFacts::FactRef> all;
    for (std::int64_t head = 1; head <= facts; ++head) {
      all.push_back(MakeFact(head));
    }
    cache_.Keep(user, revision, std::make_shared<const UserFacts>(std::move(all)));
  }

  // What a reader of that revision is told: "file", "read all", "2 facts", or
  // "2 facts, stale: 1 5".
  std::string Find(std::int64_t revision, std::int64_t user = kUser) {
    const auto known = cache_.Find(user, revision);
    if (!known) {
      return "file";
    }
    if (known->facts == nullptr) {
      return "read all";
    }
    std::string told = std::to_string(known->facts->size()) + " facts";
    told += known->stale.empty() ? "" : ", stale:";
    for (const std::int64_t head : known->stale) {
      told += " " + std::to_string(head);
    }
    return told;
  }

  FactCache cache_{100};
};

TEST_F(FactCacheTest, GivesWhatWasKeptToReadersOfThatRevisionAlone) {
  EXPECT_TRUE(cache_.Find(kUser, 3)->first);
  EXPECT_FALSE(cache_.Find(kUser, 3)->first);
  EXPECT_EQ(Find(3), "read all");
  Keep(3);
  EXPECT_EQ(Find(3), "2 facts");
  EXPECT_EQ(Find(2), "file");
  EXPECT_EQ(Find(3, kOther), "read all");
}

TEST_F(FactCacheTest, NamesWhatWritesHaveTouched) {
  Find(3);
  Keep(3);
  cache_.Touch(kUser, 4, {2});
  EXPECT_EQ(Find(3), "file") << "an older snapshot";
  cache_.Touch(kUser, 5, {1, 9});
  EXPECT_EQ(Find(5), "2 facts, stale: 1 2 9");
  Keep(5, 3);
  EXPECT_EQ(Find(5), "3 facts");
}

TEST_F(FactCacheTest, DoesNotKeepWhatWasReadBeforeATouch) {
  Find(3);
  cache_.Touch(kUser, 4, {2});
  Keep(3);
  EXPECT_EQ(Find(4), "read all");
}

TEST_F(FactCacheTest, DoesNotTrustWhatItHasWhenAWriteWentUnseen) {
  Find(3);
  Keep(3);
  EXPECT_EQ(Find(5), "file");
  EXPECT_EQ(Find(5), "read all");
  Keep(5);
  cache_.Touch(kUser, 7, {1});
  EXPECT_EQ(Find(7), "read all") << "what revision 6 touched is not known";
}

TEST_F(FactCacheTest, AWriteThatWasRolledBackDoesNoHarm) {
  Find(3);
  Keep(3);
  cache_.Touch(kUser, 4, {1});
  EXPECT_EQ(Find(3), "file");
  cache_.Touch(kUser, 4, {2});  // The one that came in its place.
  EXPECT_EQ(Find(4), "2 facts, stale: 1 2");
}

TEST_F(FactCacheTest, ForgetsAUser) {
  Find(3);
  Keep(3);
  Find(3, kOther);
  Keep(3, 5, kOther);
  cache_.Drop(kUser);
  EXPECT_EQ(Find(4), "read all");
  EXPECT_EQ(Find(3, kOther), "5 facts");
}

TEST_F(FactCacheTest, StaysWithinItsBound) {
  Find(3);
  Keep(3, 60);
  Find(3, kOther);
  Keep(3, 60, kOther);
  EXPECT_EQ(Find(3, kOther), "60 facts");
  EXPECT_EQ(Find(3), "read all");
  Keep(3, 101);
  EXPECT_EQ(Find(3), "read all");
}

TEST(UserFacts, ReplacesWhatIsStale) {
  const UserFacts facts({MakeFact(3), MakeFact(1), MakeFact(2)});
  const std::vector<std::int64_t> stale = {2, 3, 9};
  EXPECT_EQ(facts.With(stale, {MakeFact(9)}).size(), 2U);
  EXPECT_EQ(facts.With(stale, {}).size(), 1U);
}

TEST(UserFacts, FindsTheBestAndTheSuccessorsOfWhatIsSuperseded) {
  const auto fact = [](std::int64_t head, const std::string& terms,
                       std::optional<std::int64_t> successor = std::nullopt) {
    auto stored = std::make_shared<StoredFact>();
    stored->head = head;
    stored->fact.memory_id = "fa_" + std::to_string(head);
    stored->terms = terms;
    stored->length = static_cast<std::uint32_t>(std::count(terms.begin(), terms.end(), ' ') + 1);
    stored->superseded_by = successor;
    return stored;
  };
  const UserFacts facts({fact(1, "live porto", 2), fact(2, "move lyon", 3), fact(3, "back braga"),
                         fact(4, "like porto porto"), fact(5, "tea")});
  const std::vector<std::string> terms = {"porto", "tea"};
  const auto ids = [](const FactsFound& found) {
    std::vector<std::string> all;
    for (const FactCandidate& candidate : found.candidates) {
      all.push_back(candidate.fact.memory_id);
    }
    return all;
  };
  const FactsFound found = facts.Find(terms, 10);
  EXPECT_THAT(ids(found), ElementsAre("fa_1", "fa_4", "fa_5", "fa_2", "fa_3"));
  EXPECT_THAT(found.candidates[1].term_counts, ElementsAre(2, 0));
  EXPECT_THAT(found.statistics.document_frequency, ElementsAre(2, 1));
  EXPECT_EQ(found.statistics.documents, 5U);
  EXPECT_THAT(ids(facts.Find(terms, 1)), ElementsAre("fa_5")) << "the rarest word is worth most";
}

}  // namespace
}  // namespace umbranet
