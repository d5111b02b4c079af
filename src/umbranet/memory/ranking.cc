#include "umbranet/memory/ranking.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/fact_edges.h"
#include "umbranet/memory/later_statements.h"
#include "umbranet/memory/ranking_entry.h"
#include "umbranet/memory/stance.h"
#include "umbranet/memory/turn_scores.h"

namespace umbranet {
namespace {

// Of a fact's own words against those of the turn it comes from: a fact is a reading of the turn,
// so its score stays a little below that of a turn which says the same.
constexpr double kFactWords = 0.6;
constexpr double kFactLength = 0.4;

// Every further item of a session, when the question asks how something went over time.
constexpr double kSessionRepeat = 0.8;
// Later statements go first among the best when they score at least so much of the earlier one.
constexpr double kNearlyEqual = 0.9;
constexpr std::size_t kLatestFirstIn = 10;

// How deep the list is kept before it is spread and cut.
constexpr std::size_t kDepthFactor = 6;

// How much of a turn's text a rule must be to stand for all of it.
constexpr double kMostOfText = 0.7;

using Entry = RankingEntry;

// Finds the entry of a half of a turn. Looks into the entries, which must stay where they are.
class HalfIndex {
 public:
  explicit HalfIndex(const std::vector<Entry>& halves) {
    places_.reserve(halves.size());
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const Episode& half = *halves[i].half;
      Place& place = places_[half.interaction_id];
      (half.role == Role::kUser ? place.user : place.assistant) = i;
    }
  }

  // The number of the entry, or kNone.
  [[nodiscard]] std::size_t Find(const SourceRef& source) const {
    const auto found = places_.find(source.interaction_id);
    if (found == places_.end()) {
      return kNone;
    }
    return source.role == Role::kUser ? found->second.user : found->second.assistant;
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

 private:
  struct Place {
    std::size_t user = kNone;
    std::size_t assistant = kNone;
  };

  std::unordered_map<std::string_view, Place> places_;  // Views into the entries' episodes.
};

// The halves that become entries: the best `size`, and whatever else a fact may lift or stand for.
// The others are never answered with, and an entry is large.
std::vector<ScoredHalf> KeepContenders(std::vector<ScoredHalf> halves,
                                       const std::vector<FactCandidate>& facts, std::size_t size) {
  if (halves.size() <= size) {
    return halves;
  }
  std::vector<double> scores;
  scores.reserve(halves.size());
  for (const ScoredHalf& half : halves) {
    scores.push_back(half.score);
  }
  const auto least = scores.begin() + static_cast<std::ptrdiff_t>(size);
  std::nth_element(scores.begin(), least, scores.end(), std::greater<>());
  std::unordered_set<std::string_view> sources;
  std::set<Timestamp> endings;
  for (const FactCandidate& candidate : facts) {
    for (const SourceRef& source : candidate.fact.sources) {
      sources.insert(source.interaction_id);
    }
    if (candidate.fact.valid_to) {
      endings.insert(*candidate.fact.valid_to);
    }
  }
  std::erase_if(halves, [&](const ScoredHalf& half) {
    const Episode& episode = *half.candidate.episode;
    return half.score < *least && !sources.contains(episode.interaction_id) &&
           !endings.contains(episode.occurred_at);
  });
  return halves;
}

Entry EntryOfHalf(ScoredHalf&& half) {
  Entry entry;
  entry.share = half.share;
  entry.pending = half.pending;
  entry.half = std::move(half.candidate.episode);
  entry.ranked.item.score = half.score;
  entry.ranked.item.occurred_at = entry.half->occurred_at;
  return entry;
}

void FillIn(Entry& entry) {
  if (entry.half == nullptr || !entry.ranked.item.memory_id.empty()) {
    return;  // A fact, or filled in already.
  }
  const Episode& episode = *entry.half;
  entry.ranked.speaker = episode.speaker;
  entry.ranked.session_id = episode.session_id;
  MemoryItem& item = entry.ranked.item;
  item.memory_id = episode.memory_id;
  item.user = episode.user;
  item.tier = entry.pending ? Tier::kShortTerm : Tier::kEpisodic;
  item.text = episode.text;
  item.sources = {{episode.interaction_id, episode.role}};
}

Entry EntryOfFact(Fact&& fact) {
  Entry entry;
  MemoryItem& item = entry.ranked.item;
  item.memory_id = std::move(fact.memory_id);
  item.user = std::move(fact.user);
  item.tier = Tier::kSemantic;
  item.text = std::move(fact.text);
  item.occurred_at = fact.occurred_at;
  item.valid_from = fact.valid_from;
  item.valid_to = fact.valid_to;
  item.superseded_by = std::move(fact.superseded_by);
  item.sources = std::move(fact.sources);
  return entry;
}

// What was not yet said by then has superseded nothing by then.
void ForgetWhatCameLater(const std::map<std::string, Timestamp>& said_at, Timestamp as_of,
                         MemoryItem& item) {
  if (item.superseded_by) {
    const auto successor = said_at.find(*item.superseded_by);
    if (successor == said_at.end() || successor->second > as_of) {
      item.superseded_by.reset();
      if (item.valid_to && *item.valid_to > as_of) {
        item.valid_to.reset();
      }
    }
  }
}

// Takes the candidates' facts with it.
std::vector<Entry> ScoreFacts(const HalfIndex& index, const std::vector<Entry>& halves,
                              RankingInput& input, const TermWeights& terms) {
  std::map<std::string, Timestamp> said_at;
  if (input.as_of) {
    for (const FactCandidate& candidate : input.facts.candidates) {
      said_at.emplace(candidate.fact.memory_id, candidate.fact.occurred_at);
    }
  }
  std::vector<Entry> facts;
  facts.reserve(input.facts.candidates.size());
  for (FactCandidate& candidate : input.facts.candidates) {
    if (input.as_of && candidate.fact.occurred_at > *input.as_of) {
      continue;
    }
    Entry entry = EntryOfFact(std::move(candidate.fact));
    MemoryItem& item = entry.ranked.item;
    if (input.as_of) {
      ForgetWhatCameLater(said_at, *input.as_of, item);
    }
    const LexicalScore words =
        ScoreText(terms, candidate.term_counts, candidate.length, kFactLength);
    entry.share = words.share;
    entry.own_words = kFactWords * words.bm25;
    item.score = entry.own_words;
    for (const SourceRef& source : item.sources) {
      const std::size_t place = words.share > 0 ? index.Find(source) : HalfIndex::kNone;
      if (place == HalfIndex::kNone || words.share < halves[place].share) {
        continue;
      }
      if (const double just_above = halves[place].ranked.item.score * kJustAbove;
          just_above > item.score) {
        item.score = just_above;
        entry.stands_for = place;
      }
    }
    facts.push_back(std::move(entry));
  }
  return facts;
}

// The turns that say what is not so any more stand below those that say what is.
void PutSuccessorsFirst(const HalfIndex& index, std::vector<Entry>& halves,
                        std::vector<Entry>& facts) {
  if (std::none_of(facts.begin(), facts.end(),
                   [](const Entry& fact) { return fact.ranked.item.superseded_by.has_value(); })) {
    return;
  }
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    places.emplace(facts[i].ranked.item.memory_id, i);
  }
  const auto best_half = [&](const MemoryItem& fact) -> MemoryItem* {
    MemoryItem* best = nullptr;
    for (const SourceRef& source : fact.sources) {
      const std::size_t place = index.Find(source);
      if (place != HalfIndex::kNone) {
        MemoryItem& half = halves[place].ranked.item;
        best = best == nullptr || half.score > best->score ? &half : best;
      }
    }
    return best;
  };
  // Oldest first, so that a chain of changes is lifted to its last link.
  std::vector<std::size_t> order(facts.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const MemoryItem& left = facts[a].ranked.item;
    const MemoryItem& right = facts[b].ranked.item;
    return std::tie(left.occurred_at, left.memory_id) <
           std::tie(right.occurred_at, right.memory_id);
  });
  for (const std::size_t i : order) {
    MemoryItem& old = facts[i].ranked.item;
    if (!old.superseded_by) {
      continue;
    }
    const auto place = places.find(*old.superseded_by);
    if (place == places.end()) {
      continue;
    }
    MemoryItem& successor = facts[place->second].ranked.item;
    MemoryItem* const old_half = best_half(old);
    MemoryItem* const new_half = best_half(successor);
    double top = std::max(old.score, successor.score);
    if (old_half != nullptr && old_half != new_half) {
      const double higher = std::max(old_half->score, new_half == nullptr ? 0 : new_half->score);
      top = std::max(top, higher * kJustAbove);
      old_half->score = std::min(old_half->score, higher * kJustBelow * kJustBelow);
      if (new_half != nullptr) {
        new_half->score = higher;
      }
    }
    successor.score = std::max(successor.score, top);
    // Above its own turn: the fact says that it is not so any more, the turn does not.
    old.score = std::min(old.score, successor.score * kJustBelow);
  }
}

// What ended without a successor ("I quit my job at Acme") stands below the turn that said so: the
// turn that was said when the fact ended, and that shares a word with it.
void PutEndingsFirst(std::vector<Entry>& halves, std::vector<Entry>& facts,
                     const HalfIndex& index) {
  const auto ended = [](const Entry& fact) {
    return fact.ranked.item.valid_to && !fact.ranked.item.superseded_by;
  };
  if (std::none_of(facts.begin(), facts.end(), ended)) {
    return;
  }
  std::multimap<Timestamp, Entry*> said_at;
  for (Entry& half : halves) {
    if (half.OfUser()) {
      said_at.emplace(half.ranked.item.occurred_at, &half);
    }
  }
  for (Entry& fact : facts) {
    MemoryItem& old = fact.ranked.item;
    if (!ended(fact)) {
      continue;
    }
    const std::vector<std::string> words = AnalyzeTerms(old.text);
    const auto [first, last] = said_at.equal_range(*old.valid_to);
    for (auto ending = first; ending != last; ++ending) {
      const std::vector<std::string> said = AnalyzeTerms(ending->second->half->text);
      if (std::find_first_of(said.begin(), said.end(), words.begin(), words.end()) == said.end()) {
        continue;
      }
      double top = old.score;
      for (const SourceRef& source : old.sources) {
        const std::size_t place = index.Find(source);
        top = std::max(top, place == HalfIndex::kNone ? 0 : halves[place].ranked.item.score);
      }
      MemoryItem& item = ending->second->ranked.item;
      item.score = std::max(item.score, top * kJustAbove);
    }
  }
}

// Names of a fact's sources the best, and those that would stand beside it by themselves: a fact
// that was said in ten turns would otherwise bring nine that have little to do with the question.
void NameFittingSources(const HalfIndex& index, const std::vector<Entry>& halves, Entry& fact) {
  struct Source {
    double worth = 0;
    std::size_t place = HalfIndex::kNone;
    SourceRef source;
  };

  std::vector<Source> sources;
  for (SourceRef& source : fact.ranked.item.sources) {
    const std::size_t place = index.Find(source);
    const double worth = place == HalfIndex::kNone ? 0 : halves[place].ranked.item.score;
    sources.push_back({worth, place, std::move(source)});
  }
  fact.ranked.item.sources.clear();
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) {
    return a.worth != b.worth ? a.worth > b.worth : a.source < b.source;
  });
  for (Source& source : sources) {
    const bool fits = source.worth >= kNearlyEqual * fact.ranked.item.score;
    if (fact.ranked.item.sources.empty() || fits) {
      fact.ranked.item.sources.push_back(std::move(source.source));
    }
  }
  if (!sources.empty() && sources.front().place != HalfIndex::kNone) {
    const Entry& half = halves[sources.front().place];
    fact.ranked.session_id = half.half->session_id;
    fact.ranked.speaker = half.half->speaker;
  }
}

// The best `size`, in order. Entries are large, so each is moved once at the most.
void KeepBest(std::vector<Entry>& entries, std::size_t size) {
  std::vector<Entry*> order;
  order.reserve(entries.size());
  for (Entry& entry : entries) {
    order.push_back(&entry);
  }
  const auto better = [](const Entry* a, const Entry* b) { return Better(*a, *b); };
  if (order.size() > size) {
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size), order.end(),
                     better);
    order.resize(size);
  }
  std::sort(order.begin(), order.end(), better);
  std::vector<Entry> best;
  best.reserve(order.size());
  for (Entry* const entry : order) {
    best.push_back(std::move(*entry));
  }
  entries = std::move(best);
}

void PutLatestFirst(std::vector<Entry>& entries) {
  const std::size_t size = std::min(entries.size(), kLatestFirstIn);
  for (std::size_t i = 1; i < size; ++i) {
    for (std::size_t at = i; at > 0; --at) {
      Entry& above = entries[at - 1];
      Entry& below = entries[at];
      const bool later = below.OfUser() && above.OfUser() &&
                         below.ranked.item.occurred_at > above.ranked.item.occurred_at &&
                         below.share >= above.share &&
                         below.ranked.item.score >= kNearlyEqual * above.ranked.item.score;
      if (!later) {
        break;
      }
      std::swap(above, below);
      std::swap(above.ranked.item.score, below.ranked.item.score);
    }
  }
}

// Keeps of every source the best item that speaks of it.
void DropCovered(std::vector<Entry>& entries, RecallExplainer* explainer) {
  if (std::all_of(entries.begin(), entries.end(),
                  [](const Entry& entry) { return entry.half != nullptr; })) {
    return;  // Every half is there once.
  }
  std::set<std::pair<std::string_view, Role>> covered;
  std::erase_if(entries, [&](Entry& entry) {
    const std::vector<SourceRef>& sources = entry.ranked.item.sources;
    bool news = sources.empty() && entry.half == nullptr;
    if (entry.half != nullptr) {
      news = covered.emplace(entry.half->interaction_id, entry.half->role).second;
    }
    for (const SourceRef& source : sources) {
      news = covered.emplace(source.interaction_id, source.role).second || news;
    }
    if (!news && explainer != nullptr) {
      FillIn(entry);
      explainer->LeaveOut(entry.ranked.item, LeftOutReason::kCovered);
    }
    return !news;
  });
}

void SpreadSessions(std::vector<Entry>& entries, std::size_t limit) {
  std::map<std::string, double> factor;  // By session.
  const auto worth = [&](const Entry& entry) {
    const auto known = factor.find(entry.ranked.session_id);
    return entry.ranked.item.score * (known == factor.end() ? 1.0 : known->second);
  };
  const std::size_t size = std::min(limit, entries.size());
  for (std::size_t i = 0; i < size; ++i) {
    std::size_t best = i;
    for (std::size_t j = i + 1; j < entries.size(); ++j) {
      best = worth(entries[j]) > worth(entries[best]) ? j : best;
    }
    const auto from = entries.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(from, entries.begin() + static_cast<std::ptrdiff_t>(best),
                entries.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    entries[i].ranked.item.score = worth(entries[i]);
    factor.try_emplace(entries[i].ranked.session_id, 1.0).first->second *= kSessionRepeat;
  }
}

// The rule that is answered with anyway and is all that the turn says; null: none.
const MemoryItem* OnlyRuleOf(const Entry& entry, const std::vector<MemoryItem>& rules) {
  if (!entry.OfUser()) {
    return nullptr;
  }
  const Episode& half = *entry.half;
  const auto said = std::find_if(rules.begin(), rules.end(), [&](const MemoryItem& rule) {
    const bool mostly = static_cast<double>(rule.text.size()) >=
                        kMostOfText * static_cast<double>(half.text.size());
    return mostly &&
           std::any_of(rule.sources.begin(), rule.sources.end(), [&](const SourceRef& source) {
             return source.role == half.role && source.interaction_id == half.interaction_id;
           });
  });
  return said == rules.end() ? nullptr : &*said;
}

void DropRules(const std::vector<MemoryItem>& rules, std::vector<Entry>& entries,
               RecallExplainer* explainer) {
  std::erase_if(entries, [&](Entry& entry) {
    if (entry.ranked.item.score <= 0) {
      return true;
    }
    const MemoryItem* const rule = OnlyRuleOf(entry, rules);
    if (rule != nullptr && explainer != nullptr) {
      FillIn(entry);
      explainer->LeaveOut(entry.ranked.item, LeftOutReason::kSaysOnlyRule, rule->memory_id);
    }
    return rule != nullptr;
  });
}

// The best `size`, or all when they are to be explained.
std::vector<Entry> RankFacts(const Question& question, RankingInput& input,
                             const TermWeights& turn_terms, std::vector<Entry>& halves,
                             std::size_t size, RecallExplainer* explainer) {
  if (input.facts.candidates.empty()) {
    return {};
  }
  // A term weighs in a fact what it weighs in a turn, so that both are on one scale; only where no
  // turn was there to weigh it do the facts' own statistics serve.
  TermWeights terms = halves.empty() ? WeighTerms(question, input.facts.statistics) : turn_terms;
  terms.length_mean = std::max(input.facts.statistics.length_mean, 1.0);
  const HalfIndex index(halves);
  std::vector<Entry> facts = ScoreFacts(index, halves, input, terms);
  if (explainer != nullptr) {
    for (const Entry& fact : facts) {
      explainer->AddFact(fact.ranked.item.memory_id, fact.own_words,
                         fact.stands_for ? halves[*fact.stands_for].Id() : std::string());
    }
  }
  if (!question.about_experience) {
    PutSuccessorsFirst(index, halves, facts);
  }
  if (question.about_present) {
    PutEndingsFirst(halves, facts, index);
  }
  if (explainer == nullptr) {
    KeepBest(facts, size);
  }
  for (Entry& fact : facts) {
    NameFittingSources(index, halves, fact);
  }
  return facts;
}

// The entries up to `limit` are answered with.
RecallExplanation Explain(const std::vector<Entry>& entries, std::size_t limit,
                          RecallExplainer& explainer) {
  std::vector<MemoryItem> items;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const MemoryItem& item = entries[i].ranked.item;
    if (i < limit) {
      items.push_back(item);
    } else if (item.superseded_by) {
      explainer.LeaveOut(item, LeftOutReason::kSuperseded, *item.superseded_by);
    } else {
      explainer.LeaveOut(item, LeftOutReason::kBelowLimit);
    }
  }
  return explainer.Explain(items);
}

}  // namespace

bool Better(const RankingEntry& a, const RankingEntry& b) {
  const MemoryItem& left = a.ranked.item;
  const MemoryItem& right = b.ranked.item;
  if (left.score != right.score) {
    return left.score > right.score;
  }
  // Ties fall to the later one, and the id makes the order the same on every backend.
  return std::tie(right.occurred_at, a.Id()) < std::tie(left.occurred_at, b.Id());
}

std::vector<RankedItem> RankMemories(const Question& question, RankingInput input,
                                     RecallExplanation* explanation) {
  TurnScores turns =
      ScoreTurns(question, std::move(input.episodes), std::move(input.pending), input.as_of);
  for (FactCandidate& candidate : input.facts.candidates) {
    DropUnwritten(question, candidate.fact.text, candidate.term_counts);
  }
  FollowEdges(question, input.facts.candidates, turns.user_terms, turns.halves);
  std::optional<RecallExplainer> notes;
  if (explanation != nullptr) {
    notes.emplace(turns.halves);
  }
  RecallExplainer* const explainer = notes ? &*notes : nullptr;
  // An item may be left out for each that is answered with, and for each rule.
  const std::size_t contenders = 2 * input.limit * kDepthFactor + input.rules.size();
  if (explainer == nullptr) {
    turns.halves = KeepContenders(std::move(turns.halves), input.facts.candidates, contenders);
  }
  std::vector<Entry> entries;
  entries.reserve(turns.halves.size() + input.facts.candidates.size());
  for (ScoredHalf& half : turns.halves) {
    entries.push_back(EntryOfHalf(std::move(half)));
  }
  std::vector<Entry> facts =
      RankFacts(question, input, turns.user_terms, entries, contenders, explainer);
  std::move(facts.begin(), facts.end(), std::back_inserter(entries));
  DropRules(input.rules, entries, explainer);

  KeepBest(entries, 2 * input.limit * kDepthFactor);
  DropCovered(entries, explainer);
  entries.resize(std::min(entries.size(), input.limit * kDepthFactor));
  const StanceReader reader(question, turns.user_terms.weights);
  const bool by_stance = question.about_present && reader.Applies();
  if (by_stance || question.about_development || explainer != nullptr) {
    std::for_each(entries.begin(), entries.end(), FillIn);
  }
  if (question.about_present) {
    PutLatestFirst(entries);
  }
  if (by_stance) {
    PutLaterStatementsFirst(reader, entries);
  }
  if (question.about_development) {
    SpreadSessions(entries, input.limit);
  }
  const auto limit =
      entries.begin() + static_cast<std::ptrdiff_t>(std::min(entries.size(), input.limit));
  if (explainer != nullptr) {
    *explanation = Explain(entries, input.limit, *explainer);
  }
  std::vector<RankedItem> items;
  std::transform(entries.begin(), limit, std::back_inserter(items), [](Entry& entry) {
    FillIn(entry);
    return std::move(entry.ranked);
  });
  return items;
}

}  // namespace umbranet
