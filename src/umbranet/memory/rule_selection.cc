#include "umbranet/memory/rule_selection.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "umbranet/memory/turn_scores.h"

namespace umbranet {
namespace {

// BM25's b for rules: as for facts, which are as short.
constexpr double kRuleLength = 0.4;

constexpr double kInstructionAlways = 1.0;
constexpr double kInstructionScoped = 0.5;
// Of what the turn says in which a preference was stated: "I'm unsure about the cabin, but I prefer
// wood to stone" matters to a question about the cabin.
constexpr double kPreferenceTurn = 0.3;
// Of a preference that shares nothing with a question for advice; such are added to few rules only.
constexpr double kPreferenceInChoice = 0.1;
constexpr std::size_t kUnrelatedWithin = 6;
// Of the rarest word, what a rule is worth whose turn means the same as the question: "when I ask
// about privacy" matters to a question about keeping data safe.
constexpr double kMeaningOfTurn = 1.5;
// A rule is about a subject rather than a word, so a related word is worth more in it than in a
// turn.
constexpr double kRelatedInRule = 2;

// By interaction id: what the user's halves say of the question.
std::unordered_map<std::string_view, double> WorthOfTurns(const Question& question,
                                                          const EpisodesFound& turns) {
  std::unordered_map<std::string_view, double> worth;
  const TermWeights terms = WeighTerms(question, turns.statistics);
  for (const EpisodeCandidate& candidate : turns.candidates) {
    if (candidate.matched && candidate.episode->role == Role::kUser) {
      worth.emplace(candidate.episode->interaction_id,
                    ScoreText(terms, candidate.term_counts, candidate.length, kRuleLength).bm25);
    }
  }
  return worth;
}

// By interaction id: how far the cosine of the user's half lies above the candidates' mean, 0 to 1.
std::unordered_map<std::string_view, double> LikenessOfTurns(const EpisodesFound& turns) {
  double sum = 0;
  double texts = kUnrelatedTexts;
  const auto told = [](const EpisodeCandidate& candidate) {
    return candidate.similarity && candidate.episode->role == Role::kUser;
  };
  for (const EpisodeCandidate& candidate : turns.candidates) {
    sum += told(candidate) ? static_cast<double>(*candidate.similarity) : 0;
    texts += told(candidate) ? 1 : 0;
  }
  const double mean = std::clamp(sum / texts, 0.0, 0.99);
  std::unordered_map<std::string_view, double> likeness;
  for (const EpisodeCandidate& candidate : turns.candidates) {
    if (told(candidate)) {
      likeness.emplace(candidate.episode->interaction_id,
                       std::clamp((*candidate.similarity - mean) / (1 - mean), 0.0, 1.0));
    }
  }
  return likeness;
}

double BestOf(const std::unordered_map<std::string_view, double>& worth, const Rule& rule) {
  double best = 0;
  for (const SourceRef& source : rule.sources) {
    const auto turn = worth.find(source.interaction_id);
    best = std::max(best, turn == worth.end() ? 0 : turn->second);
  }
  return best;
}

MemoryItem ItemOfRule(const Rule& rule, double score) {
  MemoryItem item;
  item.memory_id = rule.memory_id;
  item.user = rule.user;
  item.tier = Tier::kProcedural;
  item.text = rule.text;
  item.score = score;
  item.occurred_at = rule.occurred_at;
  item.valid_to = rule.withdrawn_at;
  item.superseded_by = rule.superseded_by;
  item.sources = rule.sources;
  return item;
}

}  // namespace

std::vector<MemoryItem> SelectRules(const Question& question, const std::vector<Rule>& rules,
                                    std::size_t limit, const EpisodesFound& turns) {
  if (rules.empty()) {
    return {};
  }
  const QuestionTermCounter counter(question);
  std::vector<QuestionTermCounter::Counts> counts(rules.size());
  CorpusStatistics statistics;
  statistics.documents = rules.size();
  statistics.document_frequency.resize(question.terms.size());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    counter.Add(rules[i].text, counts[i]);
    counter.Add(rules[i].scope, counts[i]);
    statistics.length_mean += static_cast<double>(counts[i].length) /
                              static_cast<double>(std::max<std::size_t>(rules.size(), 1));
    for (std::size_t term = 0; term < question.terms.size(); ++term) {
      statistics.document_frequency[term] += counts[i].term_counts[term] > 0 ? 1U : 0U;
    }
  }
  TermWeights terms = WeighTerms(question, statistics);
  for (std::size_t term = 0; term < terms.weights.size(); ++term) {
    terms.weights[term] *= terms.stands_for[term] == term ? 1 : kRelatedInRule;
  }
  const std::unordered_map<std::string_view, double> turn_worth = WorthOfTurns(question, turns);
  const std::unordered_map<std::string_view, double> likeness = LikenessOfTurns(turns);
  const double rarest = RarestTerm(turns.statistics);
  std::vector<MemoryItem> selected;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    double score = ScoreText(terms, counts[i].term_counts, counts[i].length, kRuleLength).bm25;
    if (const double like = BestOf(likeness, rules[i]); like >= kLikenessAlone || score > 0) {
      score += kMeaningOfTurn * rarest * like;
    }
    if (rules[i].kind == RuleKind::kInstruction) {
      score += rules[i].scope.empty() ? kInstructionAlways : kInstructionScoped;
    } else {
      // How firmly it was put: "I prefer" weighs more than "I chose".
      score += kPreferenceTurn * BestOf(turn_worth, rules[i]);
      score += question.about_choice ? kPreferenceInChoice : 0;
      score *= rules[i].confidence;
    }
    if (score > 0) {
      selected.push_back(ItemOfRule(rules[i], score));
    }
  }
  std::sort(selected.begin(), selected.end(), [](const MemoryItem& a, const MemoryItem& b) {
    return std::tie(b.score, b.occurred_at, a.memory_id) <
           std::tie(a.score, a.occurred_at, b.memory_id);
  });
  // What shares nothing with a request for advice may still matter to it, but not much of it.
  std::size_t kept = 0;
  for (const MemoryItem& rule : selected) {
    if (kept == limit || (kept >= kUnrelatedWithin && rule.score <= kPreferenceInChoice)) {
      break;
    }
    ++kept;
  }
  selected.resize(kept);
  return selected;
}

}  // namespace umbranet
