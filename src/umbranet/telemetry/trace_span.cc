#include "umbranet/telemetry/trace_span.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kSpanIdDigits = 16;
constexpr std::size_t kVersion00Size = 55;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// Sixty-four random bits are zero once in five hundred years of spans; the specification forbids
// it all the same.
std::string NewId(std::size_t digits) {
  for (;;) {
    std::string id = RandomHex(digits / 2);
    if (IsId(id)) {
      return id;
    }
  }
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view traceparent) {
  if (traceparent.size() < kVersion00Size || traceparent[2] != '-' || traceparent[35] != '-' ||
      traceparent[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(3, kTraceIdDigits);
  const std::string_view span_id = traceparent.substr(36, kSpanIdDigits);
  const std::string_view flags = traceparent.substr(53, 2);
  if (!IsHex(version) || version == "ff" || !IsId(trace_id) || !IsId(span_id) || !IsHex(flags)) {
    return std::nullopt;
  }
  if (traceparent.size() > kVersion00Size &&
      (version == "00" || traceparent[kVersion00Size] != '-')) {
    return std::nullopt;
  }
  const char low = flags[1];
  const int digit = low <= '9' ? low - '0' : low - 'a' + 10;
  return TraceContext{std::string(trace_id), std::string(span_id), digit % 2 == 1};
}

std::string FormatTraceparent(const TraceContext& context) {
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

TraceContext NewTrace() {
  return {NewId(kTraceIdDigits), NewId(kSpanIdDigits), true};
}

TraceContext NewChild(const TraceContext& parent) {
  return {parent.trace_id, NewId(kSpanIdDigits), parent.sampled};
}

TraceContext ContinueTrace(std::string_view traceparent) {
  const auto parent = ParseTraceparent(traceparent);
  return parent ? NewChild(*parent) : NewTrace();
}

TraceSpan::TraceSpan(const Clock& clock, StructuredLog& log, std::string_view name,
                     TraceContext context, std::string parent_id)
    : clock_(clock),
      log_(log),
      name_(name),
      context_(std::move(context)),
      parent_id_(std::move(parent_id)),
      started_(clock.SteadyNow()) {}

TraceSpan::TraceSpan(const TraceSpan& parent, std::string_view name)
    : TraceSpan(parent.clock_, parent.log_, name, NewChild(parent.context_),
                parent.context_.span_id) {}

TraceSpan::~TraceSpan() {
  End();
}

void TraceSpan::End(std::string_view outcome) {
  if (ended_) {
    return;
  }
  ended_ = true;
  if (!context_.sampled || !log_.Enabled(LogLevel::kDebug)) {
    return;
  }
  const std::chrono::duration<double, std::milli> elapsed = clock_.SteadyNow() - started_;
  log_.Debug("span", {{"name", name_},
                      {"trace_id", context_.trace_id},
                      {"span_id", context_.span_id},
                      {"parent_id", parent_id_},
                      {"elapsed_ms", elapsed.count()},
                      {"outcome", outcome}});
}

}  // namespace umbranet
