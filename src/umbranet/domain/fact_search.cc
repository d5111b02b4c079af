#include "umbranet/domain/fact_search.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace umbranet {

FactTermCounts CountFactTerms(std::span<const std::shared_ptr<const KnownFact>> facts,
                              std::span<const std::string> terms) {
  std::unordered_map<std::string_view, std::size_t> index_of;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    index_of.emplace(terms[i], i);
  }
  FactTermCounts counts;
  counts.document_frequency.resize(terms.size());
  counts.of_fact.reserve(facts.size());
  for (const auto& fact : facts) {
    std::vector<std::uint32_t>& here = counts.of_fact.emplace_back(terms.size());
    for (const std::string& term : fact->terms) {
      if (const auto at = index_of.find(term); at != index_of.end()) {
        counts.document_frequency[at->second] += here[at->second]++ == 0 ? 1U : 0U;
      }
    }
    counts.length_mean += fact->length;
  }
  counts.length_mean /= std::max(1.0, static_cast<double>(facts.size()));
  return counts;
}

std::vector<std::size_t> ChooseFacts(std::span<const std::shared_ptr<const KnownFact>> facts,
                                     const FactTermCounts& counts,
                                     std::span<const std::uint64_t> document_frequency,
                                     std::size_t documents, std::size_t candidates_max) {
  std::vector<double> weights;
  for (const std::uint64_t holding : document_frequency) {
    const double with = static_cast<double>(holding);
    weights.push_back(std::log(1 + (static_cast<double>(documents) - with + 0.5) / (with + 0.5)));
  }
  std::vector<std::pair<double, std::size_t>> scored;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    double score = 0;
    for (std::size_t term = 0; term < weights.size(); ++term) {
      score += counts.of_fact[i][term] > 0 ? weights[term] : 0;
    }
    if (score > 0) {
      scored.emplace_back(score, i);
    }
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  scored.resize(std::min(scored.size(), candidates_max));
  std::vector<std::size_t> chosen;
  std::vector<bool> taken(facts.size());
  for (const auto& [score, index] : scored) {
    chosen.push_back(index);
    taken[index] = true;
  }
  std::unordered_map<std::string_view, std::size_t> by_id;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    by_id.emplace(facts[i]->fact.memory_id, i);
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {  // Grows by successors.
    const std::optional<std::string>& successor = facts[chosen[i]]->fact.superseded_by;
    const auto at = successor ? by_id.find(*successor) : by_id.end();
    if (at != by_id.end() && !taken[at->second]) {
      taken[at->second] = true;
      chosen.push_back(at->second);
    }
  }
  return chosen;
}

}  // namespace umbranet
