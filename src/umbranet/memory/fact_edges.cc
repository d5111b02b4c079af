#include "umbranet/memory/fact_edges.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/whole_words.h"

namespace umbranet {
namespace {

constexpr double kEdge = 0.3;
// BM25's b, as for facts in the ranking.
constexpr double kFactLength = 0.4;
// A fact that holds less of the question is no start.
constexpr double kEdgeShare = 0.2;
constexpr std::size_t kEdgesMax = 8;
// Texts are read, which costs more than counted terms do: of the best halves alone, and their
// beginnings.
constexpr std::size_t kReadIn = 256;
constexpr std::size_t kTextMax = 1024;

struct Edge {
  std::string_view name;
  double worth = 0;
  const Fact* fact = nullptr;
};

// A name of one's own, not a description ("my sister") and not the user.
bool IsProperName(std::string_view name) {
  const auto first = static_cast<unsigned char>(name.empty() ? '\0' : name.front());
  return name.size() > 1 && (std::isupper(first) != 0 || first >= 0x80);
}

class EdgeFinder {
 public:
  EdgeFinder(const Question& question, const std::vector<ScoredHalf>& halves) {
    known_.insert(question.words.begin(), question.words.end());
    std::set<std::string_view> speakers;
    for (const ScoredHalf& half : halves) {
      speakers.insert(half.candidate.episode->speaker);
    }
    for (const std::string_view speaker : speakers) {
      const std::vector<TextToken> name = Tokenize(speaker);
      if (!name.empty()) {
        known_.insert(name.front().folded);
      }
    }
  }

  // Best first.
  std::vector<Edge> Find(const std::vector<FactCandidate>& facts, const TermWeights& terms) {
    TermWeights weights = terms;
    weights.length_mean = MeanLength(facts);
    for (const FactCandidate& candidate : facts) {
      const Fact& fact = candidate.fact;
      if (fact.superseded_by || fact.valid_to) {
        continue;
      }
      const LexicalScore words =
          ScoreText(weights, candidate.term_counts, candidate.length, kFactLength);
      if (words.share < kEdgeShare) {
        continue;
      }
      Add(fact.subject, words.bm25, fact);
      if (fact.object_id) {
        Add(fact.object, words.bm25, fact);
      }
    }
    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) {
      return a.worth != b.worth ? a.worth > b.worth : a.fact->memory_id < b.fact->memory_id;
    });
    edges_.resize(std::min(edges_.size(), kEdgesMax));
    return std::move(edges_);
  }

 private:
  static double MeanLength(const std::vector<FactCandidate>& facts) {
    double sum = 0;
    for (const FactCandidate& fact : facts) {
      sum += fact.length;
    }
    return std::max(1.0, facts.empty() ? 0 : sum / static_cast<double>(facts.size()));
  }

  void Add(std::string_view name, double worth, const Fact& fact) {
    // People are called by their first name.
    const std::string_view first = name.substr(0, name.find(' '));
    if (!IsProperName(first)) {
      return;
    }
    const std::vector<TextToken> word = Tokenize(first);
    if (!word.empty() && !known_.contains(word.front().folded)) {
      edges_.push_back({first, worth, &fact});
    }
  }

  std::set<std::string> known_;
  std::vector<Edge> edges_;
};

bool ComesFrom(const Fact& fact, const Episode& half) {
  return std::any_of(fact.sources.begin(), fact.sources.end(), [&](const SourceRef& source) {
    return source.interaction_id == half.interaction_id;
  });
}

}  // namespace

void FollowEdges(const Question& question, const std::vector<FactCandidate>& facts,
                 const TermWeights& terms, std::vector<ScoredHalf>& halves) {
  if (facts.empty() || halves.empty()) {
    return;
  }
  const std::vector<Edge> edges = EdgeFinder(question, halves).Find(facts, terms);
  if (edges.empty()) {
    return;
  }
  std::vector<ScoredHalf*> best;
  for (ScoredHalf& half : halves) {
    if (half.candidate.episode->role == Role::kUser) {
      best.push_back(&half);
    }
  }
  const std::size_t read = std::min(best.size(), kReadIn);
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(read), best.end(),
                    [](const ScoredHalf* a, const ScoredHalf* b) { return a->score > b->score; });
  best.resize(read);
  for (ScoredHalf* half : best) {
    const Episode& episode = *half->candidate.episode;
    const std::string_view text = std::string_view(episode.text).substr(0, kTextMax);
    const auto edge = std::find_if(edges.begin(), edges.end(), [&](const Edge& each) {
      return ContainsWord(text, each.name) && !ComesFrom(*each.fact, episode);
    });
    if (edge != edges.end()) {
      half->parts.edge = kEdge * edge->worth;
      half->score = half->parts.Score();
    }
  }
}

}  // namespace umbranet
