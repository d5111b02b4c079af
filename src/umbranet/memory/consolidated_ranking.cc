#include "umbranet/memory/consolidated_ranking.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace umbranet {
namespace {

constexpr double kReading = 0.6;
constexpr double kShare = 0.2;
// As ranking weighs the length of facts.
constexpr double kLength = 0.4;
constexpr std::size_t kItemsToEach = 5;

struct Scored {
  ConsolidatedEpisode episode;
  QuestionTermCounter::Counts counts;
  double score = 0;
};

std::vector<Scored> Score(const Question& question, TermWeights weights,
                          std::vector<ConsolidatedEpisode> found) {
  const QuestionTermCounter counter(question);
  std::vector<Scored> scored;
  double terms = 0;
  for (ConsolidatedEpisode& episode : found) {
    Scored& each = scored.emplace_back();
    counter.Add(episode.text, each.counts);
    terms += each.counts.length;
    each.episode = std::move(episode);
  }
  weights.length_mean = std::max(terms / static_cast<double>(scored.size()), 1.0);
  for (Scored& each : scored) {
    const LexicalScore words =
        ScoreText(weights, each.counts.term_counts, each.counts.length, kLength);
    each.score = kReading * words.bm25 * (1 - kShare + kShare * words.share);
  }
  std::erase_if(scored, [](const Scored& each) { return each.score <= 0; });
  std::sort(scored.begin(), scored.end(), [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.episode.memory_id < b.episode.memory_id;
  });
  return scored;
}

bool AreAllAmong(const std::vector<ConsolidationSource>& sources,
                 std::span<const RankedItem> items) {
  std::set<SourceRef> told;
  for (const RankedItem& ranked : items) {
    told.insert(ranked.item.sources.begin(), ranked.item.sources.end());
  }
  return std::all_of(sources.begin(), sources.end(), [&told](const ConsolidationSource& source) {
    return told.contains(source.source);
  });
}

// Behind the last that is worth more.
std::size_t PlaceOf(double score, const std::vector<RankedItem>& ranked) {
  const auto last = std::find_if(ranked.rbegin(), ranked.rend(), [score](const RankedItem& item) {
    return item.item.score > score;
  });
  return static_cast<std::size_t>(std::distance(last, ranked.rend()));
}

RankedItem ItemOf(const Scored& scored) {
  RankedItem ranked;
  ranked.item = ItemOfConsolidated(scored.episode);
  ranked.item.score = scored.score;
  ranked.session_id = scored.episode.session_id;
  return ranked;
}

void Cut(std::size_t limit, std::vector<RankedItem>& ranked, RecallExplanation* explanation) {
  if (ranked.size() <= limit) {
    return;
  }
  if (explanation != nullptr) {
    std::vector<LeftOutItem> left_out;
    for (std::size_t i = limit; i < ranked.size(); ++i) {
      left_out.push_back({.item = ranked[i].item,
                          .explanation = explanation->items[i],
                          .reason = LeftOutReason::kBelowLimit,
                          .in_favour_of = {}});
    }
    explanation->items.resize(limit);
    explanation->left_out.insert(explanation->left_out.begin(),
                                 std::make_move_iterator(left_out.begin()),
                                 std::make_move_iterator(left_out.end()));
    explanation->left_out.resize(std::min(explanation->left_out.size(), kLeftOutMax));
  }
  ranked.resize(limit);
}

}  // namespace

ConsolidatedRanking::ConsolidatedRanking(const Question& question,
                                         const CorpusStatistics& statistics)
    : question_(question), weights_(WeighTerms(question, statistics)) {}

void ConsolidatedRanking::Add(std::vector<ConsolidatedEpisode> found, std::size_t limit,
                              std::vector<RankedItem>& ranked,
                              RecallExplanation* explanation) const {
  if (found.empty() || limit == 0) {
    return;
  }
  const std::size_t most = std::max<std::size_t>(limit / kItemsToEach, 1);
  std::size_t added = 0;
  std::size_t by_words = 0;
  for (const Scored& scored : Score(question_, weights_, std::move(found))) {
    const std::size_t place = PlaceOf(scored.score, ranked);
    ++by_words;
    if (added == most || place >= limit) {
      break;  // What follows is worth no more.
    }
    if (AreAllAmong(scored.episode.sources, std::span(ranked).first(place))) {
      continue;
    }
    const auto at = static_cast<std::ptrdiff_t>(place);
    ranked.insert(ranked.begin() + at, ItemOf(scored));
    if (explanation != nullptr) {
      ItemExplanation why;
      why.found_by[RecallArm::kLexical] = by_words;
      why.parts.words = scored.score;
      explanation->items.insert(explanation->items.begin() + at, std::move(why));
    }
    ++added;
  }
  Cut(limit, ranked, explanation);
}

}  // namespace umbranet
