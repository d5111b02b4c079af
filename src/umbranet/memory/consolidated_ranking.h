// Consolidated episodes in what was recalled. They come to a list that is ranked without them, so
// that nothing else's place is judged by what nobody said in these words. Pure; may be called from
// any thread.
//
// A consolidated episode is a reading of its originals, as a fact is of its turn, and is weighed as
// one: by its own words, with the weights that the question's terms have among users' halves,
//
//   s(d) = 0.6 bm25(d) (0.8 + 0.2 share of the question's idf that d holds)
//
// with the mean length of those that were found (ranking.h has the rest). It goes below whatever
// scores higher and above its equals; one whose sources all stand above it is left out, and there
// are no more of them than one to every five items. Where the limit is reached, what is worth less
// than they are gives way: an original that says more about the question never does.
#pragma once

#include <cstddef>
#include <vector>

#include "umbranet/domain/consolidated_episode.h"
#include "umbranet/memory/question.h"
#include "umbranet/memory/ranking.h"
#include "umbranet/memory/recall_explanation.h"
#include "umbranet/memory/turn_scores.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

class ConsolidatedRanking {
 public:
  // `statistics` of the users' halves. `question` must outlive it.
  ConsolidatedRanking(const Question& question, const CorpusStatistics& statistics);

  // Puts the best of `found` into `ranked`, which holds `limit` items at most, then too, and what
  // is said of them into `explanation`, where that is wanted.
  void Add(std::vector<ConsolidatedEpisode> found, std::size_t limit,
           std::vector<RankedItem>& ranked, RecallExplanation* explanation) const;

 private:
  const Question& question_;
  const TermWeights weights_;
};

}  // namespace umbranet
