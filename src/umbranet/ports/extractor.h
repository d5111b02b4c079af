// Makes a plan of what a turn teaches. Rules offline, a language model otherwise: the same plan.
#pragma once

#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/domain/rule.h"

namespace umbranet {

struct ExtractionInput {
  std::vector<Interaction> turns;  // Of one user, oldest first: each gets a plan.
  // Turns of the same sessions before those, oldest first; context only.
  std::vector<Interaction> preceding;
  std::vector<Entity> known_entities;
  std::vector<Rule> known_rules;
  std::vector<Fact> known_facts;  // Those in force that share words with the turns, best first.
};

// What an extractor makes use of; nothing else is loaded for it.
struct ExtractionScope {
  // Turns of several sessions in one call, since a call has its price. Otherwise one session each.
  bool sessions_together = false;
  bool known_facts = false;
};

class Extractor {
 public:
  virtual ~Extractor() = default;

  // One plan a turn, in their order; a turn that teaches nothing gets a plan with skipped_reason.
  // job_id is left empty for the caller to set. Deterministic implementations say so by their name
  // and version. May be called from any thread. kInvalidArgument: this input can never be worked
  // out (permanent). kBadGateway: the answer made no sense (transient). kUnavailable,
  // kResourceExhausted: the model is away (systemic). kCancelled: it was stopped.
  virtual Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                                      Deadline deadline) = 0;

  [[nodiscard]] virtual std::string_view Name() const = 0;

  [[nodiscard]] virtual ExtractionScope Scope() const { return {}; }
};

}  // namespace umbranet
