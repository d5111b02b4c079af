#include "umbranet/reflection/known_facts.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

// A long text has the same subjects in its first words as in all of them.
constexpr std::size_t kTermsMax = 64;
constexpr std::size_t kCandidatesMax = 200;

}  // namespace

Result<std::vector<Fact>> FindKnownFacts(SemanticMemory& semantic, const UserKey& user,
                                         std::span<const Interaction> turns, std::size_t facts_max,
                                         Deadline deadline) {
  FactQuery query;
  query.user = user;
  query.candidates_max = kCandidatesMax;
  std::set<std::string> seen;
  for (const Interaction& turn : turns) {
    for (std::string& term : AnalyzeTerms(turn.user_message)) {
      if (query.terms.size() < kTermsMax && seen.insert(term).second) {
        query.terms.push_back(std::move(term));
      }
    }
  }
  if (query.terms.empty()) {
    return std::vector<Fact>();
  }
  UMBRANET_ASSIGN_OR_RETURN(FactsFound found, semantic.Find(query, deadline));
  const auto weight = [&found](const FactCandidate& candidate) {
    double sum = 0;
    for (std::size_t i = 0; i < candidate.term_counts.size(); ++i) {
      const auto documents = static_cast<double>(found.statistics.document_frequency[i]);
      sum += candidate.term_counts[i] == 0 ? 0.0 : 1.0 / (1.0 + documents);
    }
    return sum;
  };
  std::vector<std::pair<double, Fact>> weighed;
  for (FactCandidate& candidate : found.candidates) {
    if (!candidate.fact.superseded_by && !candidate.fact.valid_to) {
      const double of_this = weight(candidate);
      weighed.emplace_back(of_this, std::move(candidate.fact));
    }
  }
  std::sort(weighed.begin(), weighed.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second.memory_id < b.second.memory_id;
  });
  std::vector<Fact> facts;
  for (std::size_t i = 0; i < std::min(facts_max, weighed.size()); ++i) {
    facts.push_back(std::move(weighed[i].second));
  }
  return facts;
}

}  // namespace umbranet
