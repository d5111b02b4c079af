#include "umbranet/reflection/plan_extraction.h"

#include <chrono>
#include <string>
#include <utility>

#include "umbranet/reflection/known_facts.h"
#include "umbranet/reflection/preceding_turns.h"

namespace umbranet {
namespace {

ExtractedGroup ExtractOne(const PlanSources& sources, const UserKey& user, ExtractionInput input,
                          Deadline deadline) {
  auto preceding =
      ReadPrecedingTurns(sources.journal, user, input.turns, sources.preceding_turns_max, deadline);
  if (!preceding.ok()) {
    return {{}, std::move(preceding).error(), ""};
  }
  input.preceding = std::move(preceding).value();
  if (sources.extractor.Scope().known_facts) {
    auto facts =
        FindKnownFacts(sources.semantic, user, input.turns, sources.known_facts_max, deadline);
    if (!facts.ok()) {
      return {{}, std::move(facts).error(), TierName(Tier::kSemantic)};
    }
    input.known_facts = std::move(facts).value();
  }
  const SteadyTime from = sources.clock.SteadyNow();
  auto plans = sources.extractor.Extract(input, deadline);
  const auto took = std::chrono::duration_cast<Millis>(sources.clock.SteadyNow() - from);
  if (!plans.ok()) {
    return {{}, std::move(plans).error(), ""};
  }
  if (plans->size() != input.turns.size()) {
    return {{},
            Internal("extractor: " + std::to_string(plans->size()) + " plans for " +
                     std::to_string(input.turns.size()) + " turns"),
            ""};
  }
  return {std::move(plans).value(), std::nullopt, "",
          std::make_shared<const ExtractionInput>(std::move(input)),
          static_cast<std::uint32_t>(took.count())};
}

}  // namespace

std::vector<ExtractedGroup> ExtractGroups(const PlanSources& sources, const UserKey& user,
                                          const std::vector<TurnGroup>& groups, Deadline deadline) {
  const auto entities = sources.semantic.KnownEntities(user, sources.known_entities_max, deadline);
  const auto rules =
      sources.procedural.Active(user, std::nullopt, sources.known_rules_max, deadline);
  std::vector<ExtractedGroup> extracted;
  for (const TurnGroup& group : groups) {
    if (!entities.ok()) {
      extracted.push_back({{}, entities.error(), TierName(Tier::kSemantic)});
    } else if (!rules.ok()) {
      extracted.push_back({{}, rules.error(), TierName(Tier::kProcedural)});
    } else {
      ExtractionInput input = group.input;
      input.known_entities = *entities;
      input.known_rules = *rules;
      extracted.push_back(ExtractOne(sources, user, std::move(input), deadline));
    }
  }
  return extracted;
}

}  // namespace umbranet
