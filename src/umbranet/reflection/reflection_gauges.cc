#include "umbranet/reflection/reflection_gauges.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace umbranet {
namespace {

double AgeSeconds(Timestamp now, const std::optional<Timestamp>& since) {
  if (!since) {
    return 0;
  }
  return std::max(0.0, std::chrono::duration<double>(now - *since).count());
}

}  // namespace

Metrics::ScrapeHook WatchLedger(Metrics& metrics, const Clock& clock, JobLedger& ledger,
                                const Doorbell& doorbell, Millis budget) {
  return metrics.AddScrapeHook([&metrics, &clock, &ledger, &doorbell, budget] {
    metrics.reflection_doorbell_up.Set(doorbell.Healthy() ? 1 : 0);
    const auto stats = ledger.Stats(Deadline::After(clock, budget));
    if (!stats.ok()) {
      return;
    }
    const auto ready = [&metrics](std::string_view priority, std::uint64_t jobs) {
      metrics.reflection_ready_jobs.At({"ready", priority}).Set(static_cast<double>(jobs));
    };
    ready("high", stats->ready_high);
    ready("normal", stats->ready_normal);
    ready("low", stats->ready_low);
    const auto other = [&metrics](std::string_view state, std::uint64_t jobs) {
      metrics.reflection_other_jobs.At(state).Set(static_cast<double>(jobs));
    };
    other("leased", stats->leased);
    other("retry_wait", stats->retry_wait);
    other("dead", stats->dead);
    const Timestamp now = clock.Now();
    metrics.reflection_oldest_ready_age_seconds.Set(AgeSeconds(now, stats->oldest_ready_at));
    metrics.reflection_oldest_unfinished_age_seconds.Set(
        AgeSeconds(now, stats->oldest_unfinished_at));
  });
}

Metrics::ScrapeHook WatchLevel(Metrics& metrics, BackpressureWatch& watch) {
  return metrics.AddScrapeHook([&metrics, &watch] {
    metrics.reflection_backpressure_level.Set(static_cast<double>(watch.Level()));
  });
}

void CountSweep(Metrics& metrics, const SweepReport& report) {
  metrics.reflection_lease_expired_total.Increment(static_cast<double>(report.expired));
  metrics.reflection_dead_total.At("crashes").Increment(static_cast<double>(report.killed));
}

}  // namespace umbranet
