// Scores the halves of turns for a question: the episodic part of ranking.h, whose header holds the
// formula. Pure; may be called from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/memory/question.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

// How far BM25 weighs a text's length, b: a user's, and an assistant's, which rambles.
inline constexpr double kLengthUser = 0.4;
inline constexpr double kLengthAssistant = 0.75;

// What g(d) is made of: the sum of the parts times the factors.
struct ScoreParts {
  double words = 0;       // s(d)
  double other_half = 0;  // Of a user's half: what the answer's words say.
  double neighbours = 0;  // The turns around it.
  double meaning = 0;     // m(d)
  double time = 0;        // It speaks of the time that is asked about.
  double session = 0;
  double edge = 0;   // A fact about the question names whom it speaks of (fact_edges.h).
  double turn = 0;   // Of an assistant's half: what its turn is worth.
  double named = 1;  // Factor: it was said by whom the question names.
  double dated = 1;  // Factor: it has a date where one is asked for.

  [[nodiscard]] double Score() const {
    return (words + other_half + neighbours + meaning + time + session + edge + turn) * named *
           dated;
  }
};

struct ScoredHalf {
  EpisodeCandidate candidate;
  bool pending = false;  // From the journal, not reflected yet.
  double lexical = 0;    // s(d): what its own words are worth.
  double share = 0;      // The part of the question's idf that it holds, 0 to 1.
  double likeness = 0;   // How far its similarity lies above the candidates' mean, 0 to 1.
  double score = 0;      // g(d): with its context.
  ScoreParts parts = {};
};

// Weights of the question's terms in one corpus: w(t) idf(t). A related term has at most the idf of
// the one that it stands for: that it is rare makes it no better an answer.
struct TermWeights {
  std::vector<double> weights;          // Parallel to Question::terms.
  std::vector<std::size_t> stands_for;  // Question::stands_for
  double total = 0;                     // Of the asked terms.
  double length_mean = 1;
};

// `statistics` may lack document frequencies (all from pending turns, or a store that has none):
// then nothing is known and every term weighs alike.
[[nodiscard]] TermWeights WeighTerms(const Question& question, const CorpusStatistics& statistics);

// BM25 with length normalisation `b`, and the share of the question that the document holds. Where
// an asked term is missing, the best of those that stand for it counts.
struct LexicalScore {
  double bm25 = 0;
  double share = 0;
};

[[nodiscard]] LexicalScore ScoreText(const TermWeights& terms,
                                     const std::vector<std::uint32_t>& term_counts,
                                     std::uint32_t length, double b);

// The idf of a term that one document alone holds: what a word can be worth at most.
[[nodiscard]] double RarestTerm(const CorpusStatistics& statistics);

// Counted beside the candidates as texts that have nothing to do with the question, so that the
// mean of their cosines says something where there are few.
inline constexpr double kUnrelatedTexts = 5.0;
// Without a word of the question in it or beside it, a text must be at least so much like it.
inline constexpr double kLikenessAlone = 0.1;

struct TurnScores {
  std::vector<ScoredHalf> halves;  // No particular order; those with score 0 are left out.
  TermWeights user_terms;
  // Terms that are the name of a speaker whom the question names: who is asked about, not what.
  std::vector<bool> speaker_terms;  // Parallel to Question::terms.
};

// `pending` are turns that the index may not hold yet; one that it holds already is passed over.
// Turns after `as_of` are left out.
[[nodiscard]] TurnScores ScoreTurns(const Question& question, EpisodesFound episodes,
                                    EpisodesFound pending, std::optional<Timestamp> as_of);

}  // namespace umbranet
