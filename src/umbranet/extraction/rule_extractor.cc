#include "umbranet/extraction/rule_extractor.h"

#include <algorithm>
#include <utility>

#include "umbranet/extraction/rule_statements.h"
#include "umbranet/extraction/small_talk.h"
#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/word_stream.h"

namespace umbranet {
namespace {

constexpr std::string_view kName = "rules/1";
constexpr std::string_view kAssistantSpeaker = "Assistant";
constexpr std::size_t kEventTimesMax = 8;

// Spans that an episode can be asked for by: open ends close at the turn ("since 2016") or make
// none ("until Friday"), lengths and recurrences have no place in time.
std::vector<TimeRange> EventTimes(const std::vector<TimeExpression>& expressions,
                                  Timestamp said_at) {
  std::vector<TimeRange> times;
  for (const TimeExpression& expression : expressions) {
    if (expression.kind == TimeExpressionKind::kDuration ||
        expression.kind == TimeExpressionKind::kSet || expression.range.start == kOpenStart) {
      continue;
    }
    TimeRange range = expression.range;
    if (range.end == kOpenEnd) {
      range.end = std::max(range.start, said_at);
    }
    if (std::find(times.begin(), times.end(), range) == times.end()) {
      times.push_back(range);
    }
    if (times.size() >= kEventTimesMax) {
      break;
    }
  }
  return times;
}

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

ReflectionPlan PlanOf(const Interaction& turn) {
  ReflectionPlan plan;
  plan.interaction_id = turn.interaction_id;
  plan.user = turn.user;
  plan.session_id = turn.session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  plan.extractor = std::string(kName);
  return plan;
}

void AddEpisodes(const Interaction& turn, const WordStream& message, ReflectionPlan& plan) {
  if (!message.words().empty() || !turn.user_message.empty()) {
    PlannedEpisode episode;
    episode.role = Role::kUser;
    episode.speaker = turn.speaker;
    episode.text = turn.user_message;
    episode.event_times =
        EventTimes(FindTimeExpressions(turn.user_message, turn.occurred_at), turn.occurred_at);
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

}  // namespace

std::string_view RuleExtractor::Name() const {
  return kName;
}

Result<std::vector<ReflectionPlan>> RuleExtractor::Extract(const ExtractionInput& input,
                                                           Deadline deadline) {
  std::vector<ReflectionPlan> plans;
  plans.reserve(input.turns.size());
  std::vector<Rule> known_rules = input.known_rules;
  for (const Interaction& turn : input.turns) {
    if (deadline.Expired()) {
      return DeadlineExceeded("rule extractor: out of time between two turns");
    }
    ReflectionPlan plan = PlanOf(turn);
    const WordStream message(turn.user_message);
    const std::string_view small_talk = SmallTalkKind(turn.user_message, message);
    if (!small_talk.empty() && (small_talk != "empty" || turn.assistant_response.empty())) {
      plan.skipped_reason = std::string(small_talk);
      plans.push_back(std::move(plan));
      continue;
    }
    plan.rules = FindRules(message, known_rules);
    for (const PlannedRule& rule : plan.rules) {
      if (!rule.withdraws) {
        known_rules.push_back(AsKnown(rule));
      }
    }
    AddEpisodes(turn, message, plan);
    if (plan.episodes.empty() && plan.rules.empty()) {
      plan.skipped_reason = "empty";
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace umbranet
