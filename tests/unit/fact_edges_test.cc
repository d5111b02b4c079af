// Goal: a question about somebody whom only another statement names reaches what was said of them,
// and nothing else is moved. Method: two turns that answer only together among others that share
// as many words with the question, and the fact that joins them.
#include "umbranet/memory/fact_edges.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/memory/ranking.h"

namespace umbranet {
namespace {

struct Said {
  std::string text;
  std::string speaker = "User";
};

// Turns t0, t1 ... in the order in which they were said, each in a session of its own.
class Memory {
 public:
  explicit Memory(std::vector<Said> turns) : turns_(std::move(turns)) {}

  // A fact from turn `turn`.
  Fact& Join(const std::string& subject, const std::string& object, std::size_t turn) {
    Fact fact;
    fact.memory_id = "fact_" + std::to_string(facts_.size());
    fact.subject = subject;
    fact.object = object;
    fact.object_id = "entity_" + object;
    fact.text = turns_[turn].text;
    fact.sources = {{"t" + std::to_string(turn), Role::kUser}};
    facts_.push_back(std::move(fact));
    return facts_.back();
  }

  // What each turn's half gains by edges.
  [[nodiscard]] std::vector<double> EdgesFor(const std::string& query) const {
    const Question question = ReadQuestion(query);
    TurnScores scores = ScoreTurns(question, Episodes(question), {}, std::nullopt);
    FollowEdges(question, Facts(question), scores.user_terms, scores.halves);
    std::vector<double> gains(turns_.size());
    for (const ScoredHalf& half : scores.halves) {
      gains[static_cast<std::size_t>(half.candidate.episode->sequence)] = half.parts.edge;
      EXPECT_DOUBLE_EQ(half.score, half.parts.Score());
    }
    return gains;
  }

  [[nodiscard]] std::vector<std::string> Ranked(const std::string& query) const {
    const Question question = ReadQuestion(query);
    RankingInput input;
    input.episodes = Episodes(question);
    input.facts.candidates = Facts(question);
    std::vector<std::string> texts;
    for (const RankedItem& item : RankMemories(question, std::move(input))) {
      texts.push_back(item.item.text);
    }
    return texts;
  }

 private:
  [[nodiscard]] EpisodesFound Episodes(const Question& question) const {
    const QuestionTermCounter counter(question);
    EpisodesFound found;
    found.statistics.document_frequency.resize(question.terms.size());
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      Episode episode;
      episode.memory_id = "ep_" + std::to_string(i);
      episode.interaction_id = "t" + std::to_string(i);
      episode.session_id = "s" + std::to_string(i);
      episode.speaker = turns_[i].speaker;
      episode.text = turns_[i].text;
      episode.sequence = static_cast<std::int64_t>(i);
      episode.occurred_at = FromUnixMillis(1'700'000'000'000 + episode.sequence * 86'400'000);
      QuestionTermCounter::Counts counts;
      counter.Add(episode.text, counts);
      counts.term_counts.resize(question.terms.size());
      ++found.statistics.documents;
      found.statistics.length_mean += counts.length / static_cast<double>(turns_.size());
      for (std::size_t term = 0; term < question.terms.size(); ++term) {
        found.statistics.document_frequency[term] += counts.term_counts[term] > 0 ? 1U : 0U;
      }
      found.candidates.push_back({.episode = std::make_shared<const Episode>(std::move(episode)),
                                  .term_counts = counts.term_counts,
                                  .length = counts.length,
                                  .matched = true});
    }
    return found;
  }

  [[nodiscard]] std::vector<FactCandidate> Facts(const Question& question) const {
    const QuestionTermCounter counter(question);
    std::vector<FactCandidate> candidates;
    for (const Fact& fact : facts_) {
      QuestionTermCounter::Counts counts;
      counter.Add(fact.text, counts);
      counts.term_counts.resize(question.terms.size());
      candidates.push_back(
          {.fact = fact, .term_counts = counts.term_counts, .length = counts.length});
    }
    return candidates;
  }

  std::vector<Said> turns_;
  std::vector<Fact> facts_;
};

std::vector<Said> Boss() {
  return {{"My boss has a sister called Hanna."},
          {"I work late on Mondays."},
          {"Hanna works at the harbour museum, in the archive on the second floor."},
          {"The work on the roof is done."}};
}

TEST(FactEdges, TwoTurnsAnswerTogether) {
  Memory memory(Boss());
  const std::string query = "Where does the sister of my boss work?";
  memory.Join("my boss", "Hanna", 0);
  const std::vector<std::string> ranked = memory.Ranked(query);
  ASSERT_GE(ranked.size(), 2U);
  EXPECT_EQ(ranked[1].substr(0, 18), "Hanna works at the");
}

TEST(FactEdges, OnlyTheTurnsThatNameTheOtherEndGain) {
  Memory memory(Boss());
  memory.Join("my boss", "Hanna", 0);
  const std::vector<double> gains = memory.EdgesFor("Where does the sister of my boss work?");
  EXPECT_EQ(gains[0], 0) << "its own turn";
  EXPECT_EQ(gains[1], 0);
  EXPECT_GT(gains[2], 0);
  EXPECT_EQ(gains[3], 0);
}

TEST(FactEdges, ANameWithinAnotherWordIsNone) {
  Memory memory({{"My boss has a sister called Ana."}, {"Anabel and Banana work."}});
  memory.Join("my boss", "Ana", 0);
  EXPECT_EQ(memory.EdgesFor("Where does the sister of my boss work?")[1], 0);
}

TEST(FactEdges, WhoIsNamedInTheQuestionOrSpeaksIsNoOtherEnd) {
  Memory named({{"Hanna is the sister of my boss."}, {"Hanna works at the museum."}});
  named.Join("my boss", "Hanna", 0);
  EXPECT_EQ(named.EdgesFor("Does my boss work with Hanna?")[1], 0);
  Memory speaking({{"My boss is called Mira."},
                   {"Mira, do you work today?", "Theo"},
                   {"No work today.", "Mira"}});
  speaking.Join("user", "Mira", 0);
  EXPECT_EQ(speaking.EdgesFor("Does my boss work?")[1], 0);
}

TEST(FactEdges, WhatEndedLeadsNowhere) {
  Memory memory(Boss());
  memory.Join("my boss", "Hanna", 0).valid_to = FromUnixMillis(1'700'000'000'000);
  for (const double gain : memory.EdgesFor("Where does the sister of my boss work?")) {
    EXPECT_EQ(gain, 0);
  }
}

}  // namespace
}  // namespace umbranet
