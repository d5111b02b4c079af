// What the kernel says about this process, under the names that Prometheus clients agree on.
// May be called from any thread.
#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace umbranet {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_start_time_seconds, process_threads. A figure that
// /proc does not give is left out.
[[nodiscard]] std::vector<prometheus::MetricFamily> ReadProcessMetrics();

}  // namespace umbranet
