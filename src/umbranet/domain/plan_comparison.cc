#include "umbranet/domain/plan_comparison.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

constexpr double kMillion = 1e6;
constexpr char kSeparator = '\x1f';

// A part of a plan, in the forms that it is compared by.
struct Part {
  std::string whole;  // All of it.
  std::string topic;  // What it is about: two parts with the same topic say the same thing, or not.
  std::string stance;  // What it says of that; another stance about a topic is its opposite.
  std::string slot;    // That holds one value at a time; empty when it may hold many.
};

using Parts = std::vector<Part>;

std::string Join(std::initializer_list<std::string> fields) {
  std::string joined;
  for (const std::string& field : fields) {
    joined += field;
    joined += kSeparator;
  }
  return joined;
}

std::string Rounded(double value) {
  return std::to_string(std::llround(value * kMillion));
}

std::string TimeText(const std::optional<Timestamp>& time) {
  return time ? std::to_string(ToUnixMillis(*time)) : "-";
}

std::string Number(bool value) {
  return value ? "1" : "0";
}

Parts PartsOf(const std::vector<PlannedEpisode>& episodes) {
  Parts parts;
  for (const PlannedEpisode& episode : episodes) {
    std::string times;
    for (const TimeRange& range : episode.event_times) {
      times += TimeText(range.start) + " " + TimeText(range.end) + " ";
    }
    const std::string role(RoleName(episode.role));
    parts.push_back(
        {Join({role, episode.speaker, episode.text, Rounded(episode.importance), times}),
         role,
         {},
         {}});
  }
  return parts;
}

Parts PartsOf(const std::vector<PlannedEntity>& entities) {
  Parts parts;
  for (const PlannedEntity& entity : entities) {
    std::vector<std::string> aliases = entity.aliases;
    std::sort(aliases.begin(), aliases.end());
    std::string whole = Join({entity.name, std::string(EntityTypeName(entity.type))});
    for (const std::string& alias : aliases) {
      whole += alias + kSeparator;
    }
    parts.push_back({std::move(whole), NormalizeName(entity.name), {}, {}});
  }
  return parts;
}

Parts PartsOf(const std::vector<PlannedFact>& facts) {
  Parts parts;
  for (const PlannedFact& fact : facts) {
    const std::string predicate(PredicateName(fact.predicate));
    const std::string slot =
        Join({NormalizeName(fact.subject), predicate, NormalizeName(fact.qualifier)});
    const std::string stance = Join({Number(fact.negated), Number(fact.retracts)});
    parts.push_back(
        {Join({fact.subject, predicate, fact.qualifier, fact.object, Number(fact.object_is_entity),
               stance, fact.text, TimeText(fact.valid_from), TimeText(fact.valid_to),
               Rounded(fact.confidence), Number(fact.supersedes), fact.ends_object}),
         slot + NormalizeName(fact.object), stance,
         IsFunctional(fact.predicate) && !fact.negated && !fact.retracts ? slot : std::string()});
  }
  return parts;
}

Parts PartsOf(const std::vector<PlannedRule>& rules) {
  Parts parts;
  for (const PlannedRule& rule : rules) {
    const std::string stance = Join({Number(rule.negative), Number(rule.withdraws)});
    parts.push_back({Join({std::to_string(static_cast<int>(rule.kind)), rule.text, rule.scope,
                           rule.key, stance, Rounded(rule.confidence)}),
                     NormalizeName(rule.key),
                     stance,
                     {}});
  }
  return parts;
}

// Takes out of both lists what pairs off, oldest first, and hands each pair over.
template <typename Same, typename Found>
void PairOff(Parts& ours, Parts& theirs, Same same, Found found) {
  for (auto mine = ours.begin(); mine != ours.end();) {
    const auto match = std::find_if(theirs.begin(), theirs.end(),
                                    [&](const Part& other) { return same(*mine, other); });
    if (match == theirs.end()) {
      ++mine;
      continue;
    }
    found(*mine, *match);
    theirs.erase(match);
    mine = ours.erase(mine);
  }
}

bool SameOrder(const Parts& ours, const Parts& theirs) {
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                    [](const Part& a, const Part& b) { return a.whole == b.whole; });
}

// True when the lists are equal but for their order, and not equal.
bool Compare(Parts ours, Parts theirs, PlanComparison& result) {
  const bool reordered = !SameOrder(ours, theirs);
  PairOff(
      ours, theirs, [](const Part& a, const Part& b) { return a.whole == b.whole; },
      [](const Part&, const Part&) {});
  const bool same = ours.empty() && theirs.empty();
  PairOff(
      ours, theirs, [](const Part& a, const Part& b) { return a.topic == b.topic; },
      [&result](const Part& a, const Part& b) {
        ++(a.stance == b.stance ? result.wording : result.conflicting);
      });
  PairOff(
      ours, theirs,
      [](const Part& a, const Part& b) { return !a.slot.empty() && a.slot == b.slot; },
      [&result](const Part&, const Part&) { ++result.conflicting; });
  result.missing += static_cast<std::uint32_t>(ours.size());
  result.extra += static_cast<std::uint32_t>(theirs.size());
  return same && reordered;
}

}  // namespace

std::string_view PlanDifferenceName(PlanDifference difference) {
  switch (difference) {
    case PlanDifference::kIdentical:
      return "identical";
    case PlanDifference::kOrderOnly:
      return "order_only";
    case PlanDifference::kWording:
      return "wording";
    case PlanDifference::kExtra:
      return "extra";
    case PlanDifference::kMissing:
      return "missing";
    case PlanDifference::kConflicting:
      return "conflicting";
  }
  return "identical";
}

std::optional<PlanDifference> ParsePlanDifference(std::string_view name) {
  for (const PlanDifference difference : kAllPlanDifferences) {
    if (name == PlanDifferenceName(difference)) {
      return difference;
    }
  }
  return std::nullopt;
}

PlanComparison ComparePlans(const ReflectionPlan& in_force, const ReflectionPlan& candidate) {
  PlanComparison result;
  bool reordered = false;
  reordered |= Compare(PartsOf(in_force.episodes), PartsOf(candidate.episodes), result);
  reordered |= Compare(PartsOf(in_force.entities), PartsOf(candidate.entities), result);
  reordered |= Compare(PartsOf(in_force.facts), PartsOf(candidate.facts), result);
  reordered |= Compare(PartsOf(in_force.rules), PartsOf(candidate.rules), result);
  if (in_force.skipped_reason != candidate.skipped_reason) {
    ++result.wording;
  }
  result.difference = result.conflicting > 0 ? PlanDifference::kConflicting
                      : result.missing > 0   ? PlanDifference::kMissing
                      : result.extra > 0     ? PlanDifference::kExtra
                      : result.wording > 0   ? PlanDifference::kWording
                      : reordered            ? PlanDifference::kOrderOnly
                                             : PlanDifference::kIdentical;
  return result;
}

}  // namespace umbranet
