// Goal: a consolidated episode is one candidate more, which never takes the place of what says more
// and changes the judgement of nothing else. Method: lists that are ranked already, and statistics
// of an invented corpus.
#include "umbranet/memory/consolidated_ranking.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RankedItem Original(const std::string& text, double score, const std::string& turn = "t0") {
  RankedItem ranked;
  ranked.item.memory_id = "ep_" + text;
  ranked.item.text = text;
  ranked.item.score = score;
  ranked.item.sources = {{turn, Role::kUser}};
  return ranked;
}

ConsolidatedEpisode Consolidated(const std::string& text,
                                 const std::vector<std::string>& turns = {"t1", "t2"}) {
  ConsolidatedEpisode episode;
  episode.memory_id = std::string(kConsolidatedPrefix) + text;
  episode.text = text;
  for (const std::string& turn : turns) {
    episode.sources.push_back({"ep_" + turn, {turn, Role::kUser}});
  }
  return episode;
}

class ConsolidatedRankingTest : public ::testing::Test {
 protected:
  std::vector<std::string> Add(std::vector<ConsolidatedEpisode> found,
                               std::vector<RankedItem> ranked, std::size_t limit = 10) {
    explanation_.items.resize(ranked.size());
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      explanation_.items[i].parts.words = ranked[i].item.score;
    }
    CorpusStatistics statistics;
    statistics.documents = 100;
    statistics.length_mean = 8;
    statistics.document_frequency.assign(question_.terms.size(), 4);
    ConsolidatedRanking(question_, statistics).Add(std::move(found), limit, ranked, &explanation_);
    EXPECT_EQ(explanation_.items.size(), ranked.size());
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      // What is said of an item stands where the item stands.
      EXPECT_EQ(explanation_.items[i].parts.words, ranked[i].item.score);
      texts.push_back(ranked[i].item.text);
    }
    ranked_ = std::move(ranked);
    return texts;
  }

  // What a consolidated episode of this text is worth here.
  double Worth(const std::string& text) {
    Add({Consolidated(text)}, {});
    return ranked_.at(0).item.score;
  }

  Question question_ = ReadQuestion("Where did Mira bake bread with Tom?");
  std::vector<RankedItem> ranked_;
  RecallExplanation explanation_;
};

TEST_F(ConsolidatedRankingTest, StandsBelowWhatIsWorthMoreAndAboveItsEquals) {
  const double worth = Worth("Mira baked bread");
  EXPECT_GT(worth, 0);
  EXPECT_THAT(Add({Consolidated("Mira baked bread")},
                  {Original("more", worth * 1.01), Original("equal", worth),
                   Original("less", worth * 0.99)}),
              ElementsAre("more", "Mira baked bread", "equal", "less"));
}

TEST_F(ConsolidatedRankingTest, StandsBelowEverythingThatIsWorthMoreWhereverThatStands) {
  const double worth = Worth("Mira baked bread");
  EXPECT_THAT(Add({Consolidated("Mira baked bread")},
                  {Original("moved down", worth / 2), Original("more", worth * 2),
                   Original("less", worth / 2)}),
              ElementsAre("moved down", "more", "Mira baked bread", "less"));
}

TEST_F(ConsolidatedRankingTest, TakesThePlaceOfWhatIsWorthLessWhereTheLimitIsReached) {
  const double worth = Worth("Mira baked bread");
  EXPECT_THAT(Add({Consolidated("Mira baked bread")},
                  {Original("more", worth * 2), Original("less", worth / 2)}, 2),
              ElementsAre("more", "Mira baked bread"));
  ASSERT_THAT(explanation_.left_out, SizeIs(1));
  EXPECT_EQ(explanation_.left_out[0].item.text, "less");
  EXPECT_EQ(explanation_.left_out[0].reason, LeftOutReason::kBelowLimit);
}

TEST_F(ConsolidatedRankingTest, NeverTakesThePlaceOfAnOriginalThatIsWorthMore) {
  const double worth = Worth("Mira baked bread");
  EXPECT_THAT(Add({Consolidated("Mira baked bread")},
                  {Original("more", worth * 2), Original("a little more", worth * 1.01)}, 2),
              ElementsAre("more", "a little more"));
}

TEST_F(ConsolidatedRankingTest, TheBetterComesFirstAndNoMoreThanOneToFiveItems) {
  std::vector<RankedItem> ranked;
  for (int i = 0; i < 10; ++i) {
    ranked.push_back(Original("original", 0.001));
  }
  const auto texts =
      Add({Consolidated("Mira", {"t5"}), Consolidated("Mira baked bread with Tom", {"t1"}),
           Consolidated("Mira baked bread", {"t3"})},
          std::move(ranked));
  ASSERT_THAT(texts, SizeIs(10));
  EXPECT_EQ(texts[0], "Mira baked bread with Tom");
  EXPECT_EQ(texts[1], "Mira baked bread");
  EXPECT_EQ(texts[2], "original");
  EXPECT_THAT(Add({Consolidated("Mira"), Consolidated("Mira baked bread")}, {}, 3), SizeIs(1));
}

TEST_F(ConsolidatedRankingTest, IsLeftOutWhenAllThatItComesFromStandsAbove) {
  const double worth = Worth("Mira baked bread");
  const std::vector<ConsolidatedEpisode> found = {Consolidated("Mira baked bread")};
  EXPECT_THAT(Add(found, {Original("one", worth * 2, "t1"), Original("other", worth * 2, "t2")}),
              ElementsAre("one", "other"));
  EXPECT_THAT(Add(found, {Original("one", worth * 2, "t1"), Original("other", worth / 2, "t2")}),
              ElementsAre("one", "Mira baked bread", "other"));
}

TEST_F(ConsolidatedRankingTest, SaysNothingOfWhatHasNoWordOfTheQuestion) {
  EXPECT_THAT(Add({Consolidated("they sailed")}, {}), IsEmpty());
  EXPECT_THAT(Add({}, {Original("one", 1)}), ElementsAre("one"));
  EXPECT_THAT(Add({Consolidated("Mira")}, {}, 0), IsEmpty());
}

TEST_F(ConsolidatedRankingTest, SaidByNobodyAndNamesItsSources) {
  Worth("Mira baked bread");
  const RankedItem& item = ranked_.at(0);
  EXPECT_EQ(item.speaker, "");
  EXPECT_THAT(item.item.sources,
              ElementsAre(SourceRef{"t1", Role::kUser}, SourceRef{"t2", Role::kUser}));
  ASSERT_EQ(explanation_.items.size(), 1U);
  EXPECT_EQ(explanation_.items[0].found_by.at(RecallArm::kLexical), 1U);
}

}  // namespace
}  // namespace umbranet
