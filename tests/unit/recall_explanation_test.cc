// Goal: a recall can say of every item why it stands where it stands, and what it left out for it.
// Method: a few turns and facts, ranked with and without an explanation.
#include "umbranet/memory/recall_explanation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/ranking.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

class RecallExplained : public ::testing::Test {
 protected:
  void Say(const std::string& text, std::optional<float> similarity = std::nullopt) {
    auto episode = std::make_shared<Episode>();
    const auto number = std::to_string(said_.size());
    episode->interaction_id = "t" + number;
    episode->memory_id = "ep_" + number;
    episode->session_id = "s" + number;
    episode->speaker = kDefaultSpeaker;
    episode->text = text;
    episode->sequence = static_cast<std::int64_t>(said_.size());
    EpisodeCandidate& candidate = said_.emplace_back();
    candidate.episode = std::move(episode);
    candidate.similarity = similarity;
  }

  void Know(const std::string& text, std::size_t turn) {
    Fact fact;
    fact.memory_id = "fa_" + std::to_string(facts_.size());
    fact.text = text;
    fact.sources = {{"t" + std::to_string(turn), Role::kUser}};
    facts_.push_back(fact);
  }

  std::vector<RankedItem> Ask(const std::string& query, std::size_t limit,
                              RecallExplanation* explanation,
                              const std::vector<MemoryItem>& rules = {}) const {
    const Question question = ReadQuestion(query);
    const QuestionTermCounter counter(question);
    RankingInput input;
    input.limit = limit;
    input.rules = rules;
    input.episodes.statistics.documents = 100;
    input.episodes.statistics.length_mean = 5;
    input.episodes.statistics.document_frequency.assign(question.terms.size(), 2);
    for (EpisodeCandidate candidate : said_) {
      QuestionTermCounter::Counts counts;
      counter.Add(candidate.episode->text, counts);
      candidate.term_counts = counts.term_counts;
      candidate.length = counts.length;
      input.episodes.candidates.push_back(std::move(candidate));
    }
    for (const Fact& fact : facts_) {
      QuestionTermCounter::Counts counts;
      counter.Add(fact.text, counts);
      input.facts.candidates.push_back({fact, counts.term_counts, counts.length});
    }
    return RankMemories(question, std::move(input), explanation);
  }

 private:
  std::vector<EpisodeCandidate> said_;
  std::vector<Fact> facts_;
};

TEST_F(RecallExplained, SaysWhichArmsFoundAnItemAndAtWhichPlace) {
  Say("The ferry to the island is slow.", 0.5F);
  Say("The ferry sank.", 0.1F);
  Say("A boat crossed the bay.", 0.7F);
  RecallExplanation explanation;
  const std::vector<RankedItem> items = Ask("ferry island", 3, &explanation);
  ASSERT_THAT(items, SizeIs(3));
  ASSERT_THAT(explanation.items, SizeIs(3));
  EXPECT_EQ(items[0].item.memory_id, "ep_0");
  EXPECT_THAT(explanation.items[0].found_by, Contains(Pair(RecallArm::kLexical, 1U)));
  EXPECT_THAT(explanation.items[0].found_by, Contains(Pair(RecallArm::kVector, 2U)));
  const auto boat = std::find_if(items.begin(), items.end(), [](const RankedItem& item) {
    return item.item.memory_id == "ep_2";
  });
  ASSERT_NE(boat, items.end());
  const ItemExplanation& by_meaning =
      explanation.items[static_cast<std::size_t>(boat - items.begin())];
  EXPECT_THAT(by_meaning.found_by, Not(Contains(Key(RecallArm::kLexical))));
  EXPECT_THAT(by_meaning.found_by, Contains(Pair(RecallArm::kVector, 1U)));
  EXPECT_EQ(by_meaning.similarity, 0.7F);
}

TEST_F(RecallExplained, BreaksAScoreDownIntoItsParts) {
  Say("The ferry to the island is slow.", 0.5F);
  Say("It rains.", 0.1F);
  RecallExplanation explanation;
  const std::vector<RankedItem> items = Ask("ferry island", 3, &explanation);
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_GT(explanation.items[0].parts.words, 0);
  EXPECT_GT(explanation.items[0].parts.meaning, 0);
  EXPECT_DOUBLE_EQ(explanation.items[0].parts.Score(), items[0].item.score);
}

TEST_F(RecallExplained, NamesTheTurnThatAFactStandsForAndThatItIsCovered) {
  Say("You know, the ferry to the island leaves at noon.");
  Know("the ferry to the island leaves at noon", 0);
  RecallExplanation explanation;
  const std::vector<RankedItem> items = Ask("ferry island", 3, &explanation);
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.memory_id, "fa_0");
  EXPECT_EQ(explanation.items[0].stands_for, "ep_0");
  EXPECT_THAT(explanation.items[0].found_by, Contains(Pair(RecallArm::kGraph, 1U)));
  ASSERT_THAT(explanation.left_out, SizeIs(1));
  EXPECT_EQ(explanation.left_out[0].item.memory_id, "ep_0");
  EXPECT_EQ(explanation.left_out[0].reason, LeftOutReason::kCovered);
  EXPECT_EQ(explanation.left_out[0].in_favour_of, "fa_0");
}

TEST_F(RecallExplained, TellsWhatCameBehindTheLimit) {
  Say("The ferry to the island is slow.");
  Say("The ferry sank.");
  RecallExplanation explanation;
  EXPECT_THAT(Ask("ferry island", 1, &explanation), SizeIs(1));
  ASSERT_THAT(explanation.left_out, SizeIs(1));
  EXPECT_EQ(explanation.left_out[0].item.memory_id, "ep_1");
  EXPECT_EQ(explanation.left_out[0].reason, LeftOutReason::kBelowLimit);
  EXPECT_THAT(explanation.left_out[0].explanation.found_by,
              Contains(Pair(RecallArm::kLexical, 2U)));
}

TEST_F(RecallExplained, TellsOfATurnThatIsARuleBesideTheItems) {
  Say("Never take the ferry.");
  MemoryItem rule;
  rule.memory_id = "ru_1";
  rule.text = "Never take the ferry.";
  rule.sources = {{"t0", Role::kUser}};
  RecallExplanation explanation;
  EXPECT_THAT(Ask("ferry", 3, &explanation, {rule}), IsEmpty());
  ASSERT_THAT(explanation.left_out, SizeIs(1));
  EXPECT_EQ(explanation.left_out[0].reason, LeftOutReason::kSaysOnlyRule);
  EXPECT_EQ(explanation.left_out[0].in_favour_of, "ru_1");
  EXPECT_EQ(explanation.left_out[0].item.text, "Never take the ferry.");
}

TEST_F(RecallExplained, AnswersTheSameWithAndWithoutIt) {
  Say("The ferry to the island is slow.", 0.4F);
  Say("The ferry sank.", 0.2F);
  Say("A boat crossed the bay.", 0.6F);
  Know("the ferry is slow", 0);
  RecallExplanation explanation;
  const std::vector<RankedItem> with = Ask("ferry island", 3, &explanation);
  const std::vector<RankedItem> without = Ask("ferry island", 3, nullptr);
  ASSERT_EQ(with.size(), without.size());
  for (std::size_t i = 0; i < with.size(); ++i) {
    EXPECT_EQ(with[i].item.memory_id, without[i].item.memory_id);
    EXPECT_EQ(with[i].item.score, without[i].item.score);
  }
}

}  // namespace
}  // namespace umbranet
