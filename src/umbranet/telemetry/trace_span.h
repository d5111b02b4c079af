// W3C Trace Context (https://www.w3.org/TR/trace-context/): which request a piece of work belongs
// to, across processes and across the queue. A span is timed and written to the log at debug level.
//
// The functions are pure but for the randomness of new ids and may be called from any thread; a
// span belongs to one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

struct TraceContext {
  std::string trace_id;  // 32 lower-case hexadecimal digits, not all zero
  std::string span_id;   // 16 of them, not all zero
  bool sampled = true;

  bool operator==(const TraceContext&) const = default;
};

// Empty when it is not a valid traceparent of version 00, or of a later one that begins like it.
[[nodiscard]] std::optional<TraceContext> ParseTraceparent(std::string_view traceparent);

// "00-<trace id>-<span id>-01"
[[nodiscard]] std::string FormatTraceparent(const TraceContext& context);

[[nodiscard]] TraceContext NewTrace();

// A new span of the same trace.
[[nodiscard]] TraceContext NewChild(const TraceContext& parent);

// A child of what the header says, or a new trace when it says nothing valid: a malformed header
// never refuses a request.
[[nodiscard]] TraceContext ContinueTrace(std::string_view traceparent);

// Times the work between its construction and End (or its destruction), which log it as
// `event=span name=... trace_id=... span_id=... parent_id=... elapsed_ms=... outcome=...`.
class TraceSpan {
 public:
  // `name` is a literal: "reflect_batch". `parent_id` may be empty.
  TraceSpan(const Clock& clock, StructuredLog& log, std::string_view name, TraceContext context,
            std::string parent_id = {});
  // A span below `parent`.
  TraceSpan(const TraceSpan& parent, std::string_view name);
  ~TraceSpan();
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

  [[nodiscard]] const TraceContext& context() const { return context_; }

  // Once; later calls do nothing.
  void End(std::string_view outcome = "ok");

 private:
  const Clock& clock_;
  StructuredLog& log_;
  const std::string_view name_;
  const TraceContext context_;
  const std::string parent_id_;
  const SteadyTime started_;
  bool ended_ = false;
};

}  // namespace umbranet
