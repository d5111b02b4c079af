// The two text forms in which metrics are scraped, and which of them a scraper prefers.
// Pure functions; they may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace umbranet {

enum class ExpositionFormat {
  kPrometheusText,  // 0.0.4
  kOpenMetrics,     // 1.0.0
};

// By the q values of an HTTP Accept header (RFC 9110, 12.5.1). OpenMetrics needs to be named;
// "*/*", nothing and nonsense mean the Prometheus text.
[[nodiscard]] ExpositionFormat ChooseExpositionFormat(std::string_view accept);

[[nodiscard]] std::string_view ExpositionContentType(ExpositionFormat format);

// Families sorted by name and metrics by labels, so that two scrapes compare line by line. A
// counter's family must end in "_total". Bytes of a label value that are not UTF-8 are replaced.
[[nodiscard]] std::string FormatMetrics(std::vector<prometheus::MetricFamily> families,
                                        ExpositionFormat format);

}  // namespace umbranet
