#include "umbranet/adapters/sqlite/user_facts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "umbranet/base/term_counter.h"

namespace umbranet {
namespace {

constexpr double kSaturation = 1.2;  // k1
constexpr double kLength = 0.75;     // b

struct Match {
  std::size_t place = 0;
  std::vector<std::uint32_t> counts;
  double score = 0;
};

void ScoreMatches(const CorpusStatistics& statistics, const std::vector<UserFacts::FactRef>& facts,
                  std::vector<Match>& matches) {
  const auto documents = static_cast<double>(statistics.documents);
  std::vector<double> idf;
  for (const std::uint64_t frequency : statistics.document_frequency) {
    const auto holding = static_cast<double>(frequency);
    idf.push_back(std::log(1 + (documents - holding + 0.5) / (holding + 0.5)));
  }
  for (Match& match : matches) {
    const double length = facts[match.place]->length / std::max(statistics.length_mean, 1.0);
    const double saturation = kSaturation * (1 - kLength + kLength * length);
    for (std::size_t i = 0; i < idf.size(); ++i) {
      match.score += idf[i] * match.counts[i] * (kSaturation + 1) / (match.counts[i] + saturation);
    }
  }
}

}  // namespace

UserFacts::UserFacts(std::vector<FactRef> facts) : facts_(std::move(facts)) {
  std::sort(facts_.begin(), facts_.end(),
            [](const FactRef& a, const FactRef& b) { return a->head < b->head; });
  for (const FactRef& fact : facts_) {
    length_ += fact->length;
  }
}

UserFacts UserFacts::With(std::span<const std::int64_t> heads, std::vector<FactRef> read) const {
  const std::set<std::int64_t> replaced(heads.begin(), heads.end());
  std::vector<FactRef> facts = std::move(read);
  facts.reserve(facts.size() + facts_.size());
  std::copy_if(facts_.begin(), facts_.end(), std::back_inserter(facts),
               [&](const FactRef& fact) { return !replaced.contains(fact->head); });
  return UserFacts(std::move(facts));
}

const UserFacts::FactRef* UserFacts::FindHead(std::int64_t head) const {
  const auto found =
      std::lower_bound(facts_.begin(), facts_.end(), head,
                       [](const FactRef& fact, std::int64_t key) { return fact->head < key; });
  return found == facts_.end() || (*found)->head != head ? nullptr : &*found;
}

FactsFound UserFacts::Find(std::span<const std::string> terms, std::size_t candidates_max) const {
  FactsFound found;
  found.statistics.documents = facts_.size();
  found.statistics.length_mean =
      facts_.empty() ? 0 : static_cast<double>(length_) / static_cast<double>(facts_.size());
  found.statistics.document_frequency.resize(terms.size());
  const TermCounter counter(terms);
  std::vector<Match> matches;
  for (std::size_t place = 0; place < facts_.size(); ++place) {
    std::vector<std::uint32_t> counts = counter.Count(facts_[place]->terms);
    bool matched = false;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      found.statistics.document_frequency[i] += counts[i] > 0 ? 1U : 0U;
      matched = matched || counts[i] > 0;
    }
    if (matched) {
      matches.push_back({place, std::move(counts), 0});
    }
  }
  if (matches.size() > candidates_max) {
    ScoreMatches(found.statistics, facts_, matches);
    std::nth_element(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(candidates_max),
                     matches.end(), [](const Match& a, const Match& b) {
                       return a.score != b.score ? a.score > b.score : a.place > b.place;
                     });
    matches.resize(candidates_max);
  }
  std::set<std::int64_t> seen;
  for (const Match& match : matches) {
    seen.insert(facts_[match.place]->head);
  }
  const auto add = [&](const StoredFact& fact, std::vector<std::uint32_t> counts) {
    found.candidates.push_back(
        {.fact = fact.fact, .term_counts = std::move(counts), .length = fact.length});
  };
  std::vector<const StoredFact*> superseded;
  for (Match& match : matches) {
    const StoredFact& fact = *facts_[match.place];
    add(fact, std::move(match.counts));
    superseded.push_back(&fact);
  }
  for (std::size_t i = 0; i < superseded.size(); ++i) {  // Grows along chains of successors.
    const std::optional<std::int64_t> successor = superseded[i]->superseded_by;
    const FactRef* const next =
        successor && seen.insert(*successor).second ? FindHead(*successor) : nullptr;
    if (next != nullptr) {
      add(**next, counter.Count((*next)->terms));
      superseded.push_back(next->get());
    }
  }
  return found;
}

}  // namespace umbranet
