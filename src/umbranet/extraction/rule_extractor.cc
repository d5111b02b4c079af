#include "umbranet/extraction/rule_extractor.h"

#include <algorithm>
#include <utility>

#include "umbranet/extraction/empty_plan.h"
#include "umbranet/extraction/entity_resolution.h"
#include "umbranet/extraction/event_times.h"
#include "umbranet/extraction/fact_finder.h"
#include "umbranet/extraction/rule_statements.h"
#include "umbranet/extraction/small_talk.h"
#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/word_stream.h"

namespace umbranet {
namespace {

constexpr std::string_view kName = "rules/1";

// How much an episode tells: facts, rules and dates of the speaker's own life weigh more than
// questions and remarks.
double Importance(const ReflectionPlan& plan, const WordStream& message, bool dated) {
  double importance = 0.4;
  importance += std::min<double>(0.3, 0.1 * static_cast<double>(plan.facts.size()));
  importance += plan.rules.empty() ? 0.0 : 0.2;
  importance += dated ? 0.1 : 0.0;
  const bool only_asks = !message.sentences().empty() &&
                         std::all_of(message.sentences().begin(), message.sentences().end(),
                                     [](const Sentence& sentence) { return sentence.question; });
  return std::clamp(only_asks ? importance - 0.1 : importance, 0.1, 1.0);
}

// A rule of the plan as later turns of the same batch must know it.
Rule AsKnown(const PlannedRule& planned) {
  Rule rule;
  rule.kind = planned.kind;
  rule.text = planned.text;
  rule.scope = planned.scope;
  rule.key = planned.key;
  rule.negative = planned.negative;
  return rule;
}

// The entity that the speaker's statements are about: the user, or whoever else speaks.
std::string_view SelfOf(const Interaction& turn) {
  return turn.speaker.empty() || turn.speaker == kDefaultSpeaker ? kSelfEntity
                                                                 : std::string_view(turn.speaker);
}

// What a batch of turns remembers from one turn to the next.
class Reader {
 public:
  explicit Reader(const ExtractionInput& input)
      : input_(input), entities_(input.known_entities), rules_(input.known_rules) {}

  ReflectionPlan Read(const Interaction& turn);

 private:
  void ReadFacts(const Interaction& turn, const WordStream& message,
                 const std::vector<TimeExpression>& times, ReflectionPlan& plan);
  // Dated facts of the session so far, for corrections.
  [[nodiscard]] std::vector<PlannedFact> Earlier(const Interaction& turn) const;

  const ExtractionInput& input_;
  EntityResolver entities_;
  std::vector<Rule> rules_;
  std::vector<std::pair<std::string, PlannedFact>> told_;  // session_id, dated fact
};

void AddEpisodes(const Interaction& turn, const WordStream& message,
                 const std::vector<TimeExpression>& times, ReflectionPlan& plan) {
  if (!message.words().empty() || !turn.user_message.empty()) {
    PlannedEpisode episode;
    episode.role = Role::kUser;
    episode.speaker = turn.speaker;
    episode.text = turn.user_message;
    episode.event_times = EventTimes(times, turn.occurred_at);
    episode.importance = Importance(plan, message, !episode.event_times.empty());
    plan.episodes.push_back(std::move(episode));
  }
  // What the server made by quoting memories is in memory already.
  if (!turn.assistant_response.empty() && turn.origin != Origin::kOfflineChat) {
    PlannedEpisode episode;
    episode.role = Role::kAssistant;
    episode.speaker = std::string(kAssistantSpeaker);
    episode.text = turn.assistant_response;
    episode.importance = 0.3;
    plan.episodes.push_back(std::move(episode));
  }
}

std::vector<PlannedFact> Reader::Earlier(const Interaction& turn) const {
  std::vector<PlannedFact> earlier;
  for (const Interaction& before : input_.preceding) {
    if (before.session_id != turn.session_id || before.speaker != turn.speaker) {
      continue;
    }
    const WordStream message(before.user_message);
    const auto times = FindTimeExpressions(before.user_message, before.occurred_at);
    const FactContext context{message, SelfOf(before), before.occurred_at, times, entities_};
    for (PlannedFact& fact : FindFacts(context).facts) {
      earlier.push_back(std::move(fact));
    }
  }
  for (const auto& [session, fact] : told_) {
    if (session == turn.session_id) {
      earlier.push_back(fact);
    }
  }
  return earlier;
}

void Reader::ReadFacts(const Interaction& turn, const WordStream& message,
                       const std::vector<TimeExpression>& times, ReflectionPlan& plan) {
  const FactContext context{message, SelfOf(turn), turn.occurred_at, times, entities_};
  FactsRead found = FindFacts(context);
  if (MayCorrect(message)) {
    if (auto corrected = ReadCorrection(context, Earlier(turn))) {
      const std::string subject = corrected->subject;
      found.facts.push_back(std::move(*corrected));
      const bool listed =
          std::any_of(found.entities.begin(), found.entities.end(),
                      [&subject](const PlannedEntity& entity) { return entity.name == subject; });
      if (!listed) {
        found.entities.push_back({subject, EntityType::kPerson, {}});
      }
    }
  }
  for (const PlannedEntity& entity : found.entities) {
    entities_.Learn(entity);
  }
  constexpr std::size_t kToldMax = 64;
  for (const PlannedFact& fact : found.facts) {
    if (fact.valid_from) {
      told_.emplace_back(turn.session_id, fact);
    }
  }
  if (told_.size() > kToldMax) {
    told_.erase(told_.begin(), told_.end() - kToldMax);
  }
  plan.entities = std::move(found.entities);
  plan.facts = std::move(found.facts);
}

ReflectionPlan Reader::Read(const Interaction& turn) {
  ReflectionPlan plan = EmptyPlan(turn, kName);
  const WordStream message(turn.user_message);
  const std::string_view small_talk = SmallTalkKind(turn.user_message, message);
  if (!small_talk.empty() && (small_talk != "empty" || turn.assistant_response.empty())) {
    plan.skipped_reason = std::string(small_talk);
    return plan;
  }
  const auto times = FindTimeExpressions(turn.user_message, turn.occurred_at);
  ReadFacts(turn, message, times, plan);
  plan.rules = FindRules(message, rules_);
  for (const PlannedRule& rule : plan.rules) {
    if (!rule.withdraws) {
      rules_.push_back(AsKnown(rule));
    }
  }
  AddEpisodes(turn, message, times, plan);
  if (plan.episodes.empty() && plan.rules.empty()) {
    plan.skipped_reason = "empty";
  }
  return plan;
}

}  // namespace

std::string_view RuleExtractor::Name() const {
  return kName;
}

Result<std::vector<ReflectionPlan>> RuleExtractor::Extract(const ExtractionInput& input,
                                                           Deadline deadline) {
  std::vector<ReflectionPlan> plans;
  plans.reserve(input.turns.size());
  Reader reader(input);
  for (const Interaction& turn : input.turns) {
    if (deadline.Expired()) {
      return DeadlineExceeded("rule extractor: out of time between two turns");
    }
    plans.push_back(reader.Read(turn));
  }
  return plans;
}

}  // namespace umbranet
