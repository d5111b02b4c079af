// Puts together what sums up old episodes while there is nothing to reflect. Part of the
// composition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "umbranet/base/clock.h"
#include "umbranet/config/settings.h"
#include "umbranet/ports/episode_consolidation.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/reflection/episode_consolidator.h"
#include "umbranet/telemetry/model_usage.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

struct ConsolidationParts {
  const Clock& clock;
  LanguageModel* model;  // That reflects; null when the rules do.
  EpisodeConsolidation& store;
  JobLedger& ledger;
  // Turns that wait for the ledger itself. Empty: there are none.
  std::function<std::uint64_t()> spooled;
  const ModelUsage& usage;
  StructuredLog& log;
};

// Null when it is off, or there is no model. Everything must outlive it.
std::unique_ptr<EpisodeConsolidator> OpenConsolidator(const Settings& settings,
                                                      ConsolidationParts parts);

}  // namespace umbranet
