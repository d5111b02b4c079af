#include "umbranet/telemetry/metrics_exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotal = "_total";

void AppendNumber(std::string& out, double value, bool float_form) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  out += digits;
  // OpenMetrics wants the boundaries of buckets as floats: "1.0" and not "1".
  if (float_form && digits.find_first_of(".e") == std::string_view::npos) {
    out += ".0";
  }
}

void AppendEscaped(std::string& out, std::string_view text, bool in_quotes) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && in_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void AppendLabelValue(std::string& out, std::string_view value) {
  AppendEscaped(out, IsValidUtf8(value) ? value : "invalid utf-8", true);
}

struct ExtraLabel {
  std::string_view name;
  double value;
  bool float_form;
};

void AppendSample(std::string& out, std::string_view name, std::string_view suffix,
                  const std::vector<ClientMetric::Label>& labels,
                  const std::optional<ExtraLabel>& extra, double value) {
  out += name;
  out += suffix;
  if (!labels.empty() || extra) {
    out += '{';
    bool first = true;
    for (const auto& label : labels) {
      if (!first) {
        out += ',';
      }
      first = false;
      out += label.name;
      out += "=\"";
      AppendLabelValue(out, label.value);
      out += '"';
    }
    if (extra) {
      if (!first) {
        out += ',';
      }
      out += extra->name;
      out += "=\"";
      AppendNumber(out, extra->value, extra->float_form);
      out += '"';
    }
    out += '}';
  }
  out += ' ';
  AppendNumber(out, value, false);
  out += '\n';
}

void AppendHistogram(std::string& out, std::string_view name, const ClientMetric& metric,
                     bool open_metrics) {
  bool infinite = false;
  for (const auto& bucket : metric.histogram.bucket) {
    infinite = infinite || std::isinf(bucket.upper_bound);
    AppendSample(out, name, "_bucket", metric.label,
                 ExtraLabel{"le", bucket.upper_bound, open_metrics},
                 static_cast<double>(bucket.cumulative_count));
  }
  if (!infinite) {
    AppendSample(out, name, "_bucket", metric.label, ExtraLabel{"le", HUGE_VAL, open_metrics},
                 static_cast<double>(metric.histogram.sample_count));
  }
  AppendSample(out, name, "_sum", metric.label, std::nullopt, metric.histogram.sample_sum);
  AppendSample(out, name, "_count", metric.label, std::nullopt,
               static_cast<double>(metric.histogram.sample_count));
}

std::string_view TypeName(MetricType type, bool open_metrics) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Summary:
      return "summary";
    case MetricType::Untyped:
      break;
  }
  return open_metrics ? "unknown" : "untyped";
}

void AppendFamily(std::string& out, const MetricFamily& family, bool open_metrics) {
  std::string_view described = family.name;
  const bool counter = family.type == MetricType::Counter;
  // OpenMetrics names the family of a counter without the suffix that its samples carry.
  if (open_metrics && counter && described.ends_with(kTotal)) {
    described.remove_suffix(kTotal.size());
  }
  out += "# HELP ";
  out += described;
  out += ' ';
  AppendEscaped(out, family.help, open_metrics);
  out += "\n# TYPE ";
  out += described;
  out += ' ';
  out += TypeName(family.type, open_metrics);
  out += '\n';
  for (const ClientMetric& metric : family.metric) {
    switch (family.type) {
      case MetricType::Counter:
        AppendSample(out, family.name, "", metric.label, std::nullopt, metric.counter.value);
        break;
      case MetricType::Gauge:
        AppendSample(out, family.name, "", metric.label, std::nullopt, metric.gauge.value);
        break;
      case MetricType::Histogram:
        AppendHistogram(out, family.name, metric, open_metrics);
        break;
      case MetricType::Summary:
      case MetricType::Untyped:
        AppendSample(out, family.name, "", metric.label, std::nullopt, metric.untyped.value);
        break;
    }
  }
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes the part before the next `separator` off the front of `text`.
std::string_view TakePart(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = Trim(text.substr(0, at));
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

// A weight of RFC 9110 12.4.2 in thousandths: "0.5" is 500. Nonsense weighs nothing.
int ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) {
    return 0;
  }
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) {
    return weight;
  }
  if (text[1] != '.') {
    return 0;
  }
  int unit = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') {
      return 0;
    }
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, 1000);
}

}  // namespace

ExpositionFormat ChooseExpositionFormat(std::string_view accept) {
  int open_metrics = 0;
  int text = 0;
  while (!accept.empty()) {
    std::string_view range = TakePart(accept, ',');
    const std::string_view type = TakePart(range, ';');
    int weight = 1000;
    bool version_known = true;
    while (!range.empty()) {
      std::string_view parameter = TakePart(range, ';');
      const std::string_view name = TakePart(parameter, '=');
      const std::string_view value = Trim(parameter);
      if (name == "q") {
        weight = ParseWeight(value);
      } else if (name == "version" && type == "application/openmetrics-text") {
        version_known = value == "1.0.0" || value == "0.0.1";
      }
    }
    if (type == "application/openmetrics-text" && version_known) {
      open_metrics = std::max(open_metrics, weight);
    } else if (type == "text/plain" || type == "text/*") {
      text = std::max(text, weight);
    }
  }
  return open_metrics > 0 && open_metrics >= text ? ExpositionFormat::kOpenMetrics
                                                  : ExpositionFormat::kPrometheusText;
}

std::string_view ExpositionContentType(ExpositionFormat format) {
  return format == ExpositionFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string FormatMetrics(std::vector<MetricFamily> families, ExpositionFormat format) {
  const bool open_metrics = format == ExpositionFormat::kOpenMetrics;
  std::sort(families.begin(), families.end(),
            [](const MetricFamily& a, const MetricFamily& b) { return a.name < b.name; });
  std::string out;
  for (MetricFamily& family : families) {
    if (family.metric.empty()) {
      continue;
    }
    for (ClientMetric& metric : family.metric) {
      std::sort(metric.label.begin(), metric.label.end());
    }
    std::sort(family.metric.begin(), family.metric.end(),
              [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
    AppendFamily(out, family, open_metrics);
  }
  if (open_metrics) {
    out += "# EOF\n";
  }
  return out;
}

}  // namespace umbranet
