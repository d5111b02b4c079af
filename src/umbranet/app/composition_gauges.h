// What the servers behind the stores and the doorbell say of themselves, as metrics. Part of the
// composition.
#pragma once

#include "umbranet/app/composition_backends.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

// Sets breakers, connections and the doorbell's counts at each scrape, for as long as the hook
// lives; asks no server. Metrics of servers that are not used stay at zero. `backends` must outlive
// the hook.
[[nodiscard]] Metrics::ScrapeHook WatchServers(Metrics& metrics, const Backends& backends);

}  // namespace umbranet
