// What the process counts and measures, for Prometheus. One object owns every metric; those who
// count keep a reference to it and touch its members. Labels come from closed lists and never hold
// a user, a session or a text, so the number of series is bounded however many users there are.
//
// All methods and members may be used from any thread. A counter costs some 5 ns, a histogram some
// 15 ns, At() some 10 ns more, HttpRequests() and HttpSeconds() about 100 ns.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "umbranet/base/mutex.h"

namespace umbranet {

// One metric per combination of label values, all made at the start so that a rate over a series
// that has not moved yet is zero rather than absent.
template <typename Metric>
class LabelledMetric {
 public:
  struct Dimension {
    std::string label;
    std::vector<std::string> values;
  };

  LabelledMetric(prometheus::Family<Metric>& family, std::vector<Dimension> dimensions,
                 prometheus::Histogram::BucketBoundaries buckets = {});

  // The metric with these label values, one per dimension in their order. A value that is not
  // listed counts as "other".
  [[nodiscard]] Metric& At(std::initializer_list<std::string_view> values) const;

  [[nodiscard]] Metric& At(std::string_view value) const { return At({value}); }

 private:
  Metric& Add(const prometheus::Labels& labels) const;

  prometheus::Family<Metric>& family_;
  const std::vector<Dimension> dimensions_;
  const prometheus::Histogram::BucketBoundaries buckets_;
  std::vector<Metric*> metrics_;  // Row-major over the dimensions.
};

extern template class LabelledMetric<prometheus::Counter>;
extern template class LabelledMetric<prometheus::Gauge>;
extern template class LabelledMetric<prometheus::Histogram>;

class Metrics {
 public:
  struct BuildInfo {
    std::string version;
    std::string commit;
  };

  explicit Metrics(const BuildInfo& build);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

 private:
  // Declared before the metrics that live in it.
  prometheus::Registry registry_;

 public:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;

  // Reflection: what comes in. `priority` high, normal, low; `durability` ledger, spool;
  // `duplicate` true, false. `reason` storage_full, unavailable, overloaded, invalid,
  // user_backlog_full.
  const LabelledMetric<Counter> reflection_enqueued_total;  // priority, durability, duplicate
  const LabelledMetric<Counter> reflection_rejected_total;  // reason

  // Reflection: what the ledger holds, set at each scrape by a ScrapeHook.
  const LabelledMetric<Gauge> reflection_ready_jobs;  // state ready, priority
  const LabelledMetric<Gauge> reflection_other_jobs;  // state leased, retry_wait, dead
  Gauge& reflection_oldest_ready_age_seconds;
  Gauge& reflection_oldest_unfinished_age_seconds;
  Gauge& reflection_doorbell_up;
  Gauge& reflection_backpressure_level;

  // The spool of this process, set at each scrape. `outcome` of a turn that left it: forwarded,
  // forgotten, refused.
  Gauge& reflection_spool_jobs;
  Gauge& reflection_spool_bytes;
  Gauge& reflection_spool_oldest_age_seconds;
  const LabelledMetric<Counter> reflection_spool_forwarded_total;  // outcome
  Counter& reflection_spool_failures_total;  // Attempts to forward that had to stop.

  Gauge& reflection_audit_missing_jobs;  // What the last audit missed; must be 0.

  // Reflection: what the workers do. `outcome` of an attempt: done, transient, systemic, permanent,
  // lease_lost, released.
  const LabelledMetric<Histogram> reflection_end_to_end_seconds;  // priority; accepted to reflected
  Histogram& reflection_queue_wait_seconds;                       // Accepted to first claimed.
  const LabelledMetric<Histogram>
      reflection_process_seconds;                           // outcome; one batch, claim to settle
  const LabelledMetric<Histogram> reflection_tier_seconds;  // tier, outcome (ok, ..., aborted)
  const LabelledMetric<Counter> reflection_attempts_total;  // outcome; per job
  const LabelledMetric<Counter> reflection_dead_total;      // reason transient, permanent, crashes
  const LabelledMetric<Counter> reflection_requeued_total;  // reason admin, reflect_again
  Counter& reflection_lease_expired_total;
  Counter& reflection_fence_rejected_total;
  Counter& reflection_tier_already_applied_total;
  Histogram& reflection_batch_jobs;
  const LabelledMetric<Counter> reflection_summaries_total;  // outcome saved, unchanged, failed
  // Extraction with a language model. `by` model, trivial (nothing to ask), or why the rules had to
  // do: malformed, unanswered, refused, timeout, away, budget. `outcome` good, repaired, cached,
  // malformed, cut, away, timeout, refused.
  const LabelledMetric<Counter> reflection_planned_turns_total;  // by
  const LabelledMetric<Counter> reflection_model_answers_total;  // outcome
  // Turns that another path was tried on. `class` as PlanDifferenceName, and failed, unanswered,
  // passed_over.
  const LabelledMetric<Counter> reflection_shadow_total;
  Counter& reflection_unfounded_total;  // Facts and rules that had nothing to stand on.
  Counter& embedded_episodes_total;
  Counter& embedding_failures_total;

  // Chat and recall.
  Histogram& chat_seconds;
  Histogram& chat_overhead_seconds;  // Without the model's time.
  Histogram& recall_seconds;
  const LabelledMetric<Histogram> recall_tier_seconds;  // tier
  const LabelledMetric<Histogram> model_seconds;        // outcome ok, error, timeout, cancelled

  // The servers that parts of memory are on, set at each scrape by a ScrapeHook. `server` postgres,
  // redis, neo4j, rabbitmq.
  const LabelledMetric<Gauge> server_breaker_open;            // server; 1: calls are turned away
  const LabelledMetric<Counter> server_breaker_opened_total;  // server
  const LabelledMetric<Counter> server_reconnects_total;      // server postgres, rabbitmq
  const LabelledMetric<Gauge> postgres_connections;           // state in_use, idle
  Gauge& postgres_connection_waiters;
  // What the doorbell sent through the broker. `result` ack, returned (no queue took it), unknown
  // (refused, late, or the connection ended), dropped (not sent for want of room).
  Counter& reflection_published_total;
  const LabelledMetric<Counter> reflection_publish_total;  // result
  Gauge& reflection_publish_waiting;
  Counter& reflection_consumed_total;
  const LabelledMetric<Counter> reflection_consume_total;  // result accepted, malformed

  // HTTP.
  Gauge& http_connections;
  Gauge& http_in_flight;

  // `route` must be the router's pattern ("/v1/memories/{memory_id}"), never a path as it was
  // requested. Keep the reference where it is used often.
  Counter& HttpRequests(std::string_view route, std::string_view method, int status);
  Histogram& HttpSeconds(std::string_view route);

  // A call of a language model. Tenants and models come from the settings; beyond so many
  // combinations a tenant counts as "other". `cost` is in millionths of the operator's currency.
  struct ModelCall {
    std::string tenant;
    std::string model;
    std::string purpose;

    auto operator<=>(const ModelCall&) const = default;
  };

  void CountModelCall(const ModelCall& call, bool answered, double prompt_tokens,
                      double completion_tokens, double cost);

  // Runs `refresh` before each scrape, for gauges whose truth lives elsewhere, until the hook is
  // destroyed; by then no call is running any more. `refresh` must not scrape and should be quick.
  class ScrapeHook {
   public:
    ScrapeHook() = default;
    ~ScrapeHook();
    ScrapeHook(ScrapeHook&& other) noexcept;
    ScrapeHook& operator=(ScrapeHook&& other) noexcept;

   private:
    friend class Metrics;

    ScrapeHook(Metrics& metrics, std::uint64_t id) : metrics_(&metrics), id_(id) {}

    Metrics* metrics_ = nullptr;
    std::uint64_t id_ = 0;
  };

  [[nodiscard]] ScrapeHook AddScrapeHook(std::function<void()> refresh);

  struct Exposition {
    std::string content_type;
    std::string body;
  };

  // Everything, in the form that the scraper's Accept header prefers: OpenMetrics 1.0.0 or the
  // Prometheus text format 0.0.4, which is also the answer to a header that names neither.
  [[nodiscard]] Exposition Expose(std::string_view accept);

 private:
  void RemoveScrapeHook(std::uint64_t id);

  prometheus::Family<Counter>& http_requests_;
  prometheus::Family<Histogram>& http_seconds_;
  prometheus::Family<Counter>& model_calls_;
  prometheus::Family<Counter>& model_tokens_;
  prometheus::Family<Counter>& model_cost_;
  Mutex model_calls_mutex_;
  std::set<ModelCall> model_calls_seen_ GUARDED_BY(model_calls_mutex_);

  struct Hook {
    std::uint64_t id;
    std::function<void()> refresh;
  };

  Mutex scrape_mutex_;
  std::list<Hook> hooks_ GUARDED_BY(scrape_mutex_);
  std::uint64_t hooks_made_ GUARDED_BY(scrape_mutex_) = 0;
};

}  // namespace umbranet
