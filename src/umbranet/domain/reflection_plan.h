// What an extractor found in one turn: the whole effect of the turn on tiers 2 to 4, decided before
// any tier is touched. The plan is saved in the ledger, and processors only carry it out; so a
// retry costs no second model call, and the three tiers never disagree about what was learnt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/rule.h"
#include "umbranet/domain/time_range.h"

namespace umbranet {

struct PlannedEpisode {
  Role role = Role::kUser;
  std::string speaker;
  std::string text;
  double importance = 0.5;
  std::vector<TimeRange> event_times;

  bool operator==(const PlannedEpisode&) const = default;
};

// An entity as the turn names it. Which stored entity that is, the store decides when it applies
// the plan: by normalised name and alias within the user.
struct PlannedEntity {
  std::string name;  // kSelfEntity for the user.
  EntityType type = EntityType::kOther;
  std::vector<std::string> aliases;

  bool operator==(const PlannedEntity&) const = default;
};

struct PlannedFact {
  std::string subject;  // Name of an entity in ReflectionPlan::entities.
  Predicate predicate = Predicate::kOther;
  std::string qualifier;
  std::string object;
  bool object_is_entity = false;  // `object` is then the name of an entity in the plan.
  bool negated = false;
  std::string text;
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_to;
  double confidence = 0.8;
  // Ends what was so until now: earlier facts of the same subject, predicate and qualifier with
  // another object are superseded even where the predicate is not functional. When `ends_object` is
  // set, only the fact with that object.
  bool supersedes = false;
  std::string ends_object;
  // The statement only ends something ("I no longer work at the bakery") and adds nothing.
  bool retracts = false;

  bool operator==(const PlannedFact&) const = default;
};

struct PlannedRule {
  RuleKind kind = RuleKind::kInstruction;
  std::string text;
  std::string scope;
  std::string key;
  bool negative = false;
  double confidence = 0.8;
  bool withdraws = false;  // Takes back the rule whose key is the same or nearest.

  bool operator==(const PlannedRule&) const = default;
};

struct ReflectionPlan {
  std::string job_id;
  std::string interaction_id;
  UserKey user;
  std::string session_id;
  Timestamp
      occurred_at{};  // The turn's time; facts carry it, so late turns end in the same memory.
  std::int64_t sequence = 0;
  std::string extractor;       // "rules/1", "model/gpt-4o-mini"
  std::string skipped_reason;  // Why nothing was kept ("greeting"); empty when something was.
  // Why simpler means than those that were set up made this plan ("timeout"); empty when none did.
  std::string fallback;
  std::vector<PlannedEpisode> episodes;
  std::vector<PlannedEntity> entities;
  std::vector<PlannedFact> facts;
  std::vector<PlannedRule> rules;

  bool operator==(const ReflectionPlan&) const = default;
};

}  // namespace umbranet
