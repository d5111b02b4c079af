#include "umbranet/extraction/draft_plans.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/extraction/empty_plan.h"
#include "umbranet/extraction/rule_statements.h"

namespace umbranet {
namespace {

// What is read between the lines is believed less than what was said.
constexpr double kInferredConfidenceMax = 0.6;
constexpr std::size_t kEventTimesMax = 8;

using Words = std::vector<std::string>;

Words WordsOf(std::string_view text) {
  Words words;
  for (TextToken& token : Tokenize(text)) {
    words.push_back(std::move(token.folded));
  }
  return words;
}

// Where `part` stands in `whole`, at `from` or behind; nothing when it does not.
std::optional<std::size_t> FindWords(const Words& part, const Words& whole, std::size_t from) {
  const auto at = std::search(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.end(),
                              part.begin(), part.end());
  return at == whole.end() ? std::nullopt
                           : std::optional(static_cast<std::size_t>(at - whole.begin()));
}

// Names count whole ("The Who"); of a value, what says something.
std::vector<std::string> TermsOf(std::string_view text) {
  std::vector<std::string> terms = AnalyzeTerms(text);
  return terms.empty() ? AnalyzeName(text) : terms;
}

bool Shares(const std::vector<std::string>& terms, std::string_view text) {
  const std::vector<std::string> said = AnalyzeName(text);
  const std::set<std::string_view> set(said.begin(), said.end());
  return std::any_of(terms.begin(), terms.end(),
                     [&set](const std::string& term) { return set.count(term) != 0; });
}

bool Confirms(std::string_view quote) {
  static constexpr std::array<std::string_view, 16> kWords = {
      "yes",    "yeah", "yep", "yup",        "right",     "exactly",    "correct", "true",
      "indeed", "sure", "ok",  "absolutely", "precisely", "definitely", "thats",   "agreed"};
  const Words words = WordsOf(quote);
  return !words.empty() && std::find(kWords.begin(), kWords.end(), words.front()) != kWords.end();
}

bool Holds(const Words& words, std::initializer_list<std::string_view> any) {
  return std::any_of(words.begin(), words.end(), [&any](const std::string& word) {
    return std::find(any.begin(), any.end(), word) != any.end();
  });
}

}  // namespace

bool IsQuoteFrom(std::string_view quote, std::string_view text) {
  const Words said = WordsOf(text);
  std::size_t at = 0;
  bool any = false;
  while (!quote.empty()) {
    const std::size_t gap = std::min(quote.find("..."), quote.find("\xE2\x80\xA6"));
    const Words part = WordsOf(quote.substr(0, gap));
    quote = gap == std::string_view::npos ? std::string_view() : quote.substr(gap + 3);
    if (part.empty()) {
      continue;
    }
    const auto found = FindWords(part, said, at);
    if (!found) {
      return false;
    }
    at = *found + part.size();
    any = true;
  }
  return any;
}

bool IsAboutInstructions(std::string_view rule) {
  const Words words = WordsOf(rule);
  const bool of_the_frame = Holds(words, {"instruction", "instructions", "prompt", "prompts",
                                          "guidelines", "system", "jailbreak", "developer"});
  const bool against = Holds(
      words, {"ignore", "disregard", "forget", "override", "bypass", "reveal", "print", "repeat",
              "previous", "above", "prior", "system", "unrestricted", "jailbreak", "mode"});
  return of_the_frame && against;
}

DraftPlanner::DraftPlanner(const ExtractionInput& input, std::string_view model)
    : input_(input),
      model_(model),
      others_(OtherSpeakers(input.turns)),
      entities_(input.known_entities) {}

ReflectionPlan DraftPlanner::PlanTurn(std::size_t index, const TurnDraft& draft,
                                      const ReflectionPlan& by_rules) {
  const Interaction& turn = input_.turns[index];
  ReflectionPlan plan = EmptyPlan(turn, model_);
  AddEntities(draft, turn, plan);
  AddFacts(index, draft, plan);
  AddRules(draft, turn, plan);
  if (!draft.keep && plan.facts.empty() && plan.rules.empty()) {
    plan.entities.clear();
    plan.skipped_reason = "model: " + draft.skip_reason;
    return plan;
  }
  AddEpisodes(draft, by_rules, plan);
  if (plan.episodes.empty() && plan.facts.empty() && plan.rules.empty()) {
    plan.skipped_reason = "empty";
  }
  return plan;
}

void DraftPlanner::AddEpisodes(const TurnDraft& draft, const ReflectionPlan& by_rules,
                               ReflectionPlan& plan) {
  plan.episodes = by_rules.episodes;
  for (PlannedEpisode& episode : plan.episodes) {
    if (episode.role != Role::kUser) {
      continue;
    }
    episode.importance = draft.importance.value_or(episode.importance);
    for (const TimeRange& date : draft.dates) {
      const bool listed = std::find(episode.event_times.begin(), episode.event_times.end(), date) !=
                          episode.event_times.end();
      if (!listed && episode.event_times.size() < kEventTimesMax) {
        episode.event_times.push_back(date);
      }
    }
    // The words stay as they were said; the sentence beside them has the names and days that they
    // only point at, so that they are found by those too.
    if (!draft.summary.empty() && WordsOf(draft.summary) != WordsOf(episode.text)) {
      episode.text += "\n(" + draft.summary + ")";
    }
  }
}

std::string DraftPlanner::NameOf(std::string_view name, const Interaction& turn) const {
  for (std::size_t i = 0; i < others_.size(); ++i) {
    if (name == "p" + std::to_string(i + 1)) {
      return others_[i];
    }
  }
  const std::string folded = FoldCase(name);
  const bool speaker = folded == "i" || folded == "me" || folded == "speaker";
  if (speaker && std::find(others_.begin(), others_.end(), turn.speaker) != others_.end()) {
    return turn.speaker;
  }
  if (speaker || folded == kSelfEntity || folded == "the user") {
    return std::string(kSelfEntity);
  }
  return entities_.Resolve(name);
}

void DraftPlanner::Mention(std::string_view name, EntityType type, ReflectionPlan& plan) {
  const bool listed =
      std::any_of(plan.entities.begin(), plan.entities.end(),
                  [name](const PlannedEntity& entity) { return entity.name == name; });
  if (!listed) {
    plan.entities.push_back(
        {std::string(name), name == kSelfEntity ? EntityType::kPerson : type, {}});
  }
}

void DraftPlanner::AddEntities(const TurnDraft& draft, const Interaction& turn,
                               ReflectionPlan& plan) {
  for (const EntityDraft& entity : draft.entities) {
    const std::string name = NameOf(entity.name, turn);
    // A name that nobody said in this turn is one that the model remembered or made up.
    if (name == kSelfEntity || !Shares(AnalyzeName(entity.name), turn.user_message)) {
      continue;
    }
    Mention(name, entity.type, plan);
    PlannedEntity& planned =
        *std::find_if(plan.entities.begin(), plan.entities.end(),
                      [&name](const PlannedEntity& each) { return each.name == name; });
    for (const std::string& alias : entity.aliases) {
      if (alias != name && IsQuoteFrom(alias, turn.user_message) &&
          entities_.MayBear(name, alias)) {
        planned.aliases.push_back(alias);
      }
    }
    entities_.Learn(planned);
  }
}

const Interaction* DraftPlanner::TurnBefore(std::size_t index) const {
  const Interaction& turn = input_.turns[index];
  const auto earlier = [&turn](const Interaction& each) {
    return each.session_id == turn.session_id && each.interaction_id != turn.interaction_id;
  };
  for (std::size_t i = index; i-- > 0;) {
    if (earlier(input_.turns[i])) {
      return &input_.turns[i];
    }
  }
  const auto found = std::find_if(input_.preceding.rbegin(), input_.preceding.rend(), earlier);
  return found == input_.preceding.rend() ? nullptr : &*found;
}

double DraftPlanner::Foundation(std::size_t index, const FactDraft& draft) const {
  const Interaction& turn = input_.turns[index];
  if (!IsQuoteFrom(draft.quote, turn.user_message)) {
    return 0;
  }
  const std::vector<std::string> terms = TermsOf(draft.object);
  if (Shares(terms, turn.user_message)) {
    return draft.certainty;
  }
  const Interaction* before = TurnBefore(index);
  if (before != nullptr && Shares(terms, before->assistant_response)) {
    return Confirms(draft.quote) ? draft.certainty : 0;
  }
  if (Shares(terms, turn.assistant_response)) {
    return 0;
  }
  const bool known = std::any_of(
      input_.known_facts.begin(), input_.known_facts.end(),
      [&](const Fact& fact) { return Shares(terms, fact.object) || Shares(terms, fact.text); });
  if (known && !draft.negated && !draft.ended) {
    return 0;
  }
  return std::min(draft.certainty, kInferredConfidenceMax);
}

void DraftPlanner::AddFacts(std::size_t index, const TurnDraft& draft, ReflectionPlan& plan) {
  const Interaction& turn = input_.turns[index];
  for (const FactDraft& each : draft.facts) {
    const std::string folded = FoldCase(each.subject);
    const double confidence = Foundation(index, each);
    if (confidence <= 0 || folded == "assistant" || folded == "the assistant") {
      ++unfounded_;
      continue;
    }
    PlannedFact fact;
    fact.subject = NameOf(each.subject, turn);
    fact.predicate = each.predicate;
    fact.qualifier = FoldCase(each.qualifier);
    fact.object_is_entity = each.object_type.has_value();
    fact.object = fact.object_is_entity ? NameOf(each.object, turn) : each.object;
    fact.negated = each.negated;
    fact.retracts = each.ended && !each.negated;
    fact.text = each.text;
    fact.confidence = confidence;
    fact.valid_from = each.from ? std::optional(each.from->start) : std::nullopt;
    fact.valid_to = each.to ? std::optional(each.to->end) : std::nullopt;
    if (fact.valid_from && fact.valid_to && *fact.valid_to <= *fact.valid_from) {
      fact.valid_to.reset();
    }
    Mention(fact.subject, each.subject_type, plan);
    if (fact.object_is_entity) {
      Mention(fact.object, *each.object_type, plan);
    }
    AddReplaced(each, fact, plan);
    plan.facts.push_back(std::move(fact));
  }
}

// Known facts that are no longer so end by a statement of their own, as if the user had said it.
void DraftPlanner::AddReplaced(const FactDraft& draft, const PlannedFact& fact,
                               ReflectionPlan& plan) {
  for (const std::string& handle : draft.replaces) {
    for (std::size_t i = 0; i < input_.known_facts.size(); ++i) {
      const Fact& known = input_.known_facts[i];
      const bool same = known.subject == fact.subject && known.predicate == fact.predicate &&
                        known.object == fact.object;
      if (handle != FactHandle(i) || same) {
        continue;
      }
      PlannedFact end;
      end.subject = known.subject;
      end.predicate = known.predicate;
      end.qualifier = known.qualifier;
      end.object = known.object;
      end.object_is_entity = known.object_id.has_value();
      end.text = "no longer: " + known.text;
      end.retracts = true;
      end.valid_to = fact.valid_from;
      end.confidence = fact.confidence;
      Mention(end.subject, EntityType::kOther, plan);
      if (end.object_is_entity) {
        Mention(end.object, EntityType::kOther, plan);
      }
      plan.facts.push_back(std::move(end));
    }
  }
}

void DraftPlanner::AddRules(const TurnDraft& draft, const Interaction& turn, ReflectionPlan& plan) {
  for (const RuleDraft& each : draft.rules) {
    PlannedRule rule;
    rule.key = RuleKey(each.text);
    const bool founded = IsQuoteFrom(each.quote, turn.user_message) && !rule.key.empty() &&
                         Shares(TermsOf(each.text), turn.user_message) &&
                         !IsAboutInstructions(each.text);
    if (!founded || each.strength <= 0) {
      ++unfounded_;
      continue;
    }
    rule.kind = each.kind;
    rule.text = each.text;
    rule.scope = each.scope;
    rule.negative = each.negative;
    rule.withdraws = each.withdraws;
    rule.confidence = each.strength;
    plan.rules.push_back(std::move(rule));
  }
}

}  // namespace umbranet
