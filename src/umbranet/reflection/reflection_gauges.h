// What the ledger and the doorbell say about themselves, as metrics. Any thread.
#pragma once

#include "umbranet/base/clock.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/reflection/backpressure.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

// Sets the gauges of jobs, ages and the doorbell at each scrape, for as long as the hook lives.
// While the ledger does not answer within `budget`, the gauges keep what it said last.
[[nodiscard]] Metrics::ScrapeHook WatchLedger(Metrics& metrics, const Clock& clock,
                                              JobLedger& ledger, const Doorbell& doorbell,
                                              Millis budget = Millis{2'000});

// Sets the gauge of the backpressure at each scrape, likewise.
[[nodiscard]] Metrics::ScrapeHook WatchLevel(Metrics& metrics, BackpressureWatch& watch);

// Counts what a sweep reaped.
void CountSweep(Metrics& metrics, const SweepReport& report);

}  // namespace umbranet
