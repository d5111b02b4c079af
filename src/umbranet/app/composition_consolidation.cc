#include "umbranet/app/composition_consolidation.h"

#include <string_view>
#include <utility>

namespace umbranet {

std::unique_ptr<EpisodeConsolidator> OpenConsolidator(const Settings& settings,
                                                      ConsolidationParts parts) {
  if (!settings.Consolidates() || parts.model == nullptr) {
    return nullptr;
  }
  EpisodeConsolidator::Options options;
  options.policy.age = std::chrono::hours{24} * settings.consolidation_age_days;
  options.policy.episodes_min = settings.consolidation_episodes_min;
  options.call_budget = Millis{settings.reflection_timeout_s * std::int64_t{1'000}};
  // A claim outlives the call and what comes after it.
  options.policy.claim = options.call_budget + 4 * options.store_budget;
  options.is_idle = [&ledger = parts.ledger,
                     spooled = std::move(parts.spooled)](Deadline deadline) -> Result<bool> {
    UMBRANET_ASSIGN_OR_RETURN(const LedgerStats stats, ledger.Stats(deadline));
    const std::uint64_t unfinished =
        stats.ready_high + stats.ready_normal + stats.ready_low + stats.leased + stats.retry_wait;
    return unfinished == 0 && (!spooled || spooled() == 0);
  };
  options.may_spend = [&usage = parts.usage](std::string_view tenant) {
    return usage.MaySpend(tenant);
  };
  return std::make_unique<EpisodeConsolidator>(parts.clock, *parts.model, parts.store, parts.log,
                                               std::move(options));
}

}  // namespace umbranet
