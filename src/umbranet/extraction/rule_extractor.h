#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/extractor.h"

namespace umbranet {

// Makes plans without a model: hand-written grammars read who the user is, people and their
// relations, places, work, belongings, tastes, plans, dated events, corrections, preferences and
// standing instructions out of the user's half of a turn. The assistant's half teaches nothing; it
// is only kept as an episode, unless the server made it by quoting memories.
//
// Thread safety: stateless; all methods may be called from any thread.
// Deterministic: the same input gives the same plans. Linear in the text of the turns. A turn that
// teaches nothing (a greeting, thanks) gets a plan whose skipped_reason says why. Fails only with
// kDeadlineExceeded, between two turns.
class RuleExtractor final : public Extractor {
 public:
  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override;
};

}  // namespace umbranet
