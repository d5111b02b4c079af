// Works out the plans of a batch: brings together what an extractor is to know of its turns, and
// asks it. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

// Everything must outlive the calls.
struct PlanSources {
  const Clock& clock;
  Journal& journal;
  SemanticMemory& semantic;
  ProceduralMemory& procedural;
  Extractor& extractor;
  std::size_t preceding_turns_max = 6;
  std::size_t known_entities_max = 200;
  std::size_t known_rules_max = 100;
  std::size_t known_facts_max = 24;
};

// Turns that have no plan yet and are given to the extractor together: those of one session, since
// a conversation is understood as a whole, or all of them.
struct TurnGroup {
  std::vector<std::size_t> jobs;  // Indices into the batch's work.
  ExtractionInput input;
};

struct ExtractedGroup {
  std::vector<ReflectionPlan> plans;  // One a turn, unless there is an error.
  std::optional<Error> error;
  std::string_view tier;  // Whose fault it is; empty when it is the extractor's or the journal's.
  // What the extractor was given, and what it took. Without an error alone.
  std::shared_ptr<const ExtractionInput> input = nullptr;
  std::uint32_t took_ms = 0;
};

// A plan is made once and for good, so it waits for everything that is known; without a tier's
// answer there is no plan.
std::vector<ExtractedGroup> ExtractGroups(const PlanSources& sources, const UserKey& user,
                                          const std::vector<TurnGroup>& groups, Deadline deadline);

}  // namespace umbranet
