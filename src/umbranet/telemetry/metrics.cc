#include "umbranet/telemetry/metrics.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <type_traits>
#include <utility>

#include "umbranet/telemetry/metrics_exposition.h"
#include "umbranet/telemetry/process_metrics.h"

namespace umbranet {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Seconds. Reflection's own objective is 30 s, so the line is drawn there.
const Buckets kEndToEndBuckets = {0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600};
const Buckets kWorkBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                              0.5,   1,      2.5,   5,    10,    30,   60};
// Answers are promised within milliseconds.
const Buckets kAnswerBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
const Buckets kBatchBuckets = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

constexpr const char* kJobsHelp = "Unfinished and dead jobs in the ledger.";
constexpr std::array<std::string_view, 7> kMethods = {"GET",    "POST", "PUT",    "PATCH",
                                                      "DELETE", "HEAD", "OPTIONS"};

const std::vector<std::string> kPriorities = {"high", "normal", "low"};
const std::vector<std::string> kTiers = {"episodic", "semantic", "procedural"};
const std::vector<std::string> kRecalledTiers = {"short_term", "episodic", "semantic",
                                                 "procedural"};
const std::vector<std::string> kServers = {"postgres", "redis", "neo4j", "rabbitmq"};
const std::vector<std::string> kOutcomes = {"done",      "transient",  "systemic",
                                            "permanent", "lease_lost", "released"};

prometheus::Family<prometheus::Counter>& CounterFamily(prometheus::Registry& registry,
                                                       const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& GaugeFamily(prometheus::Registry& registry, const char* name,
                                                   const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Histogram>& HistogramFamily(prometheus::Registry& registry,
                                                           const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

template <typename Metric>
LabelledMetric<Metric>::LabelledMetric(prometheus::Family<Metric>& family,
                                       std::vector<Dimension> dimensions, Buckets buckets)
    : family_(family), dimensions_(std::move(dimensions)), buckets_(std::move(buckets)) {
  std::size_t combinations = 1;
  for (const Dimension& dimension : dimensions_) {
    combinations *= dimension.values.size();
  }
  metrics_.reserve(combinations);
  for (std::size_t combination = 0; combination < combinations; ++combination) {
    prometheus::Labels labels;
    std::size_t rest = combination;
    for (auto dimension = dimensions_.rbegin(); dimension != dimensions_.rend(); ++dimension) {
      labels[dimension->label] = dimension->values[rest % dimension->values.size()];
      rest /= dimension->values.size();
    }
    metrics_.push_back(&Add(labels));
  }
}

template <typename Metric>
Metric& LabelledMetric<Metric>::Add(const prometheus::Labels& labels) const {
  if constexpr (std::is_same_v<Metric, prometheus::Histogram>) {
    return family_.Add(labels, buckets_);
  } else {
    return family_.Add(labels);
  }
}

template <typename Metric>
Metric& LabelledMetric<Metric>::At(std::initializer_list<std::string_view> values) const {
  std::size_t place = 0;
  bool known = values.size() == dimensions_.size();
  auto value = values.begin();
  for (std::size_t i = 0; known && i < dimensions_.size(); ++i, ++value) {
    const auto& listed = dimensions_[i].values;
    const auto found = std::find(listed.begin(), listed.end(), *value);
    known = found != listed.end();
    place = place * listed.size() + static_cast<std::size_t>(found - listed.begin());
  }
  if (known) {
    return *metrics_[place];
  }
  prometheus::Labels labels;
  value = values.begin();
  for (const Dimension& dimension : dimensions_) {
    const auto& listed = dimension.values;
    const bool found =
        value != values.end() && std::find(listed.begin(), listed.end(), *value) != listed.end();
    labels[dimension.label] = found ? std::string(*value) : "other";
    if (value != values.end()) {
      ++value;
    }
  }
  return Add(labels);
}

template class LabelledMetric<prometheus::Counter>;
template class LabelledMetric<prometheus::Gauge>;
template class LabelledMetric<prometheus::Histogram>;

Metrics::Metrics(const BuildInfo& build)
    : reflection_enqueued_total(CounterFamily(registry_, "umbranet_reflection_enqueued_total",
                                              "Turns accepted, each with its reflection job."),
                                {{"priority", kPriorities},
                                 {"durability", {"ledger", "spool"}},
                                 {"duplicate", {"false", "true"}}}),
      reflection_rejected_total(
          CounterFamily(registry_, "umbranet_reflection_rejected_total",
                        "Turns that were refused, and said so."),
          {{"reason",
            {"storage_full", "unavailable", "overloaded", "invalid", "user_backlog_full"}}}),
      reflection_ready_jobs(GaugeFamily(registry_, "umbranet_reflection_jobs", kJobsHelp),
                            {{"state", {"ready"}}, {"priority", kPriorities}}),
      reflection_other_jobs(GaugeFamily(registry_, "umbranet_reflection_jobs", kJobsHelp),
                            {{"state", {"leased", "retry_wait", "dead"}}}),
      reflection_oldest_ready_age_seconds(
          GaugeFamily(registry_, "umbranet_reflection_oldest_ready_age_seconds",
                      "Age of the oldest job that waits for a worker.")
              .Add({})),
      reflection_oldest_unfinished_age_seconds(
          GaugeFamily(registry_, "umbranet_reflection_oldest_unfinished_age_seconds",
                      "Age of the oldest job that is ready, leased or waiting for a retry.")
              .Add({})),
      reflection_doorbell_up(GaugeFamily(registry_, "umbranet_reflection_doorbell_up",
                                         "1 while rings get through to the workers.")
                                 .Add({})),
      reflection_backpressure_level(
          GaugeFamily(registry_, "umbranet_reflection_backpressure_level",
                      "How far behind the queue is: 0 well, 1 more workers would help, 2 far "
                      "behind, 3 the ledger is away, 4 no room for turns.")
              .Add({})),
      reflection_spool_jobs(GaugeFamily(registry_, "umbranet_reflection_spool_jobs",
                                        "Accepted turns that wait on this machine's disk alone.")
                                .Add({})),
      reflection_spool_bytes(GaugeFamily(registry_, "umbranet_reflection_spool_bytes",
                                         "Size of the spool on the disk.")
                                 .Add({})),
      reflection_spool_oldest_age_seconds(
          GaugeFamily(registry_, "umbranet_reflection_spool_oldest_age_seconds",
                      "Age of the oldest turn that waits in the spool.")
              .Add({})),
      reflection_spool_forwarded_total(
          CounterFamily(registry_, "umbranet_reflection_spool_forwarded_total",
                        "Turns that left the spool."),
          {{"outcome", {"forwarded", "forgotten", "refused"}}}),
      reflection_spool_failures_total(
          CounterFamily(registry_, "umbranet_reflection_spool_failures_total",
                        "Attempts to forward spooled turns that had to stop.")
              .Add({})),
      reflection_audit_missing_jobs(
          GaugeFamily(registry_, "umbranet_reflection_audit_missing_jobs",
                      "Accepted turns that have left no job or no marker; must be 0.")
              .Add({})),
      reflection_end_to_end_seconds(
          HistogramFamily(registry_, "umbranet_reflection_end_to_end_seconds",
                          "From accepting a turn to all of its tiers being done."),
          {{"priority", kPriorities}}, kEndToEndBuckets),
      reflection_queue_wait_seconds(
          HistogramFamily(registry_, "umbranet_reflection_queue_wait_seconds",
                          "From accepting a turn to its first claim by a worker.")
              .Add({}, kEndToEndBuckets)),
      reflection_process_seconds(HistogramFamily(registry_, "umbranet_reflection_process_seconds",
                                                 "One batch, from its claim to its settlement."),
                                 {{"outcome", kOutcomes}}, kWorkBuckets),
      reflection_tier_seconds(
          HistogramFamily(registry_, "umbranet_reflection_tier_seconds",
                          "Applying the plans of one batch to one tier."),
          {{"tier", kTiers}, {"outcome", {"ok", "transient", "systemic", "permanent", "aborted"}}},
          kWorkBuckets),
      reflection_attempts_total(CounterFamily(registry_, "umbranet_reflection_attempts_total",
                                              "Jobs worked on, by how that ended."),
                                {{"outcome", kOutcomes}}),
      reflection_dead_total(
          CounterFamily(registry_, "umbranet_reflection_dead_total", "Jobs that were given up."),
          {{"reason", {"transient", "permanent", "crashes"}}}),
      reflection_requeued_total(CounterFamily(registry_, "umbranet_reflection_requeued_total",
                                              "Finished jobs that were queued again by request."),
                                {{"reason", {"admin", "reflect_again"}}}),
      reflection_lease_expired_total(CounterFamily(registry_,
                                                   "umbranet_reflection_lease_expired_total",
                                                   "Leases whose worker was not heard of in time.")
                                         .Add({})),
      reflection_fence_rejected_total(CounterFamily(registry_,
                                                    "umbranet_reflection_fence_rejected_total",
                                                    "Batches dropped since their lease was lost.")
                                          .Add({})),
      reflection_tier_already_applied_total(
          CounterFamily(registry_, "umbranet_reflection_tier_already_applied_total",
                        "Tiers that an earlier attempt had finished for a job.")
              .Add({})),
      reflection_batch_jobs(
          HistogramFamily(registry_, "umbranet_reflection_batch_jobs", "Jobs in a claimed batch.")
              .Add({}, kBatchBuckets)),
      reflection_summaries_total(CounterFamily(registry_, "umbranet_reflection_summaries_total",
                                               "Session summaries looked at, by what came of it."),
                                 {{"outcome", {"saved", "unchanged", "failed"}}}),
      reflection_planned_turns_total(
          CounterFamily(registry_, "umbranet_reflection_planned_turns_total",
                        "Turns planned where a model is used, by who made the plan or why not it."),
          {{"by",
            {"model", "trivial", "malformed", "unanswered", "refused", "timeout", "away",
             "budget"}}}),
      reflection_model_answers_total(
          CounterFamily(registry_, "umbranet_reflection_model_answers_total",
                        "Answers of the model to reflection, by what they were worth."),
          {{"outcome",
            {"good", "repaired", "cached", "malformed", "cut", "away", "timeout", "refused"}}}),
      reflection_shadow_total(
          CounterFamily(registry_, "umbranet_reflection_shadow_total",
                        "Turns that another path was tried on, by how its plan differs."),
          {{"class",
            {"identical", "order_only", "wording", "extra", "missing", "conflicting", "failed",
             "unanswered", "passed_over"}}}),
      reflection_unfounded_total(
          CounterFamily(registry_, "umbranet_reflection_unfounded_total",
                        "Facts and rules of a model's that the user's words do not bear out.")
              .Add({})),
      embedded_episodes_total(CounterFamily(registry_, "umbranet_embedded_episodes_total",
                                            "Episodes that were given a vector.")
                                  .Add({})),
      embedding_failures_total(
          CounterFamily(registry_, "umbranet_embedding_failures_total",
                        "Times that episodes were left without a vector for now.")
              .Add({})),
      chat_seconds(HistogramFamily(registry_, "umbranet_chat_seconds", "Whole chat turns.")
                       .Add({}, kAnswerBuckets)),
      chat_overhead_seconds(HistogramFamily(registry_, "umbranet_chat_overhead_seconds",
                                            "Chat turns without the language model's time.")
                                .Add({}, kAnswerBuckets)),
      recall_seconds(
          HistogramFamily(registry_, "umbranet_recall_seconds", "Recalls over all tiers.")
              .Add({}, kAnswerBuckets)),
      recall_tier_seconds(HistogramFamily(registry_, "umbranet_recall_tier_seconds",
                                          "One tier's part of a recall."),
                          {{"tier", kRecalledTiers}}, kAnswerBuckets),
      model_seconds(HistogramFamily(registry_, "umbranet_model_seconds",
                                    "Calls to the language model for an answer."),
                    {{"outcome", {"ok", "error", "timeout", "cancelled"}}}, kAnswerBuckets),
      server_breaker_open(
          GaugeFamily(registry_, "umbranet_server_breaker_open",
                      "1 while calls are turned away since the server does not answer."),
          {{"server", kServers}}),
      server_breaker_opened_total(CounterFamily(registry_, "umbranet_server_breaker_opened_total",
                                                "Times that a server was taken to be away."),
                                  {{"server", kServers}}),
      server_reconnects_total(CounterFamily(registry_, "umbranet_server_reconnects_total",
                                            "Connections that were lost and made anew."),
                              {{"server", {"postgres", "rabbitmq"}}}),
      postgres_connections(GaugeFamily(registry_, "umbranet_postgres_connections",
                                       "Connections of this process to PostgreSQL."),
                           {{"state", {"in_use", "idle"}}}),
      postgres_connection_waiters(GaugeFamily(registry_, "umbranet_postgres_connection_waiters",
                                              "Calls that wait for a connection to PostgreSQL.")
                                      .Add({})),
      reflection_published_total(CounterFamily(registry_, "umbranet_reflection_published_total",
                                               "Messages that were sent to the broker.")
                                     .Add({})),
      reflection_publish_total(CounterFamily(registry_, "umbranet_reflection_publish_total",
                                             "Messages for the broker, by what became of them."),
                               {{"result", {"ack", "returned", "unknown", "dropped"}}}),
      reflection_publish_waiting(GaugeFamily(registry_, "umbranet_reflection_publish_waiting",
                                             "Messages that wait to be sent to the broker.")
                                     .Add({})),
      reflection_consumed_total(CounterFamily(registry_, "umbranet_reflection_consumed_total",
                                              "Messages that the broker delivered.")
                                    .Add({})),
      reflection_consume_total(
          CounterFamily(registry_, "umbranet_reflection_consume_total",
                        "Messages of the broker that were taken in, or were none."),
          {{"result", {"accepted", "malformed"}}}),
      http_connections(
          GaugeFamily(registry_, "umbranet_http_connections", "Open client connections.").Add({})),
      http_in_flight(
          GaugeFamily(registry_, "umbranet_http_in_flight", "Requests that are being worked on.")
              .Add({})),
      http_requests_(CounterFamily(registry_, "umbranet_http_requests_total",
                                   "Answered requests, by route pattern.")),
      http_seconds_(HistogramFamily(registry_, "umbranet_http_request_seconds",
                                    "From the request's first byte to the answer's last.")),
      model_calls_(CounterFamily(registry_, "umbranet_model_calls_total",
                                 "Calls of language models, as sent, by what came of them.")),
      model_tokens_(CounterFamily(registry_, "umbranet_model_tokens_total",
                                  "Tokens of language models, as the server counted them.")),
      model_cost_(CounterFamily(registry_, "umbranet_model_cost_total",
                                "What language models cost, in the currency of the prices.")) {
  GaugeFamily(registry_, "umbranet_build_info", "Always 1; the labels say what is running.")
      .Add({{"version", build.version}, {"commit", build.commit}})
      .Set(1);
}

Metrics::~Metrics() = default;

Metrics::Counter& Metrics::HttpRequests(std::string_view route, std::string_view method,
                                        int status) {
  // A client may send any word as its method; the series must not grow with it.
  const bool known = std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
  return http_requests_.Add({{"route", std::string(route)},
                             {"method", known ? std::string(method) : "other"},
                             {"status", std::to_string(status)}});
}

Metrics::Histogram& Metrics::HttpSeconds(std::string_view route) {
  return http_seconds_.Add({{"route", std::string(route)}}, kAnswerBuckets);
}

void Metrics::CountModelCall(const ModelCall& call, bool answered, double prompt_tokens,
                             double completion_tokens, double cost) {
  constexpr std::size_t kCallsMax = 1'000;
  constexpr double kMillion = 1'000'000;
  ModelCall counted = call;
  {
    MutexLock lock(model_calls_mutex_);
    if (model_calls_seen_.size() >= kCallsMax && model_calls_seen_.count(call) == 0) {
      counted.tenant = "other";
    }
    model_calls_seen_.insert(counted);
  }
  const prometheus::Labels labels = {
      {"tenant", counted.tenant}, {"model", counted.model}, {"purpose", counted.purpose}};
  prometheus::Labels calls = labels;
  calls.emplace("outcome", answered ? "ok" : "failed");
  model_calls_.Add(calls).Increment();
  prometheus::Labels prompt = labels;
  prompt.emplace("kind", "prompt");
  model_tokens_.Add(prompt).Increment(prompt_tokens);
  prometheus::Labels completion = labels;
  completion.emplace("kind", "completion");
  model_tokens_.Add(completion).Increment(completion_tokens);
  model_cost_.Add(labels).Increment(cost / kMillion);
}

Metrics::ScrapeHook::~ScrapeHook() {
  if (metrics_ != nullptr) {
    metrics_->RemoveScrapeHook(id_);
  }
}

Metrics::ScrapeHook::ScrapeHook(ScrapeHook&& other) noexcept
    : metrics_(std::exchange(other.metrics_, nullptr)), id_(other.id_) {}

Metrics::ScrapeHook& Metrics::ScrapeHook::operator=(ScrapeHook&& other) noexcept {
  if (this != &other) {
    if (metrics_ != nullptr) {
      metrics_->RemoveScrapeHook(id_);
    }
    metrics_ = std::exchange(other.metrics_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Metrics::ScrapeHook Metrics::AddScrapeHook(std::function<void()> refresh) {
  MutexLock lock(scrape_mutex_);
  const std::uint64_t id = ++hooks_made_;
  hooks_.push_back({id, std::move(refresh)});
  return {*this, id};
}

void Metrics::RemoveScrapeHook(std::uint64_t id) {
  MutexLock lock(scrape_mutex_);
  hooks_.remove_if([id](const Hook& hook) { return hook.id == id; });
}

Metrics::Exposition Metrics::Expose(std::string_view accept) {
  std::vector<prometheus::MetricFamily> families;
  {
    // One scrape at a time: a hook may ask a database, and a crowd of scrapers must not multiply
    // that.
    MutexLock lock(scrape_mutex_);
    for (const Hook& hook : hooks_) {
      hook.refresh();
    }
    families = registry_.Collect();
  }
  std::vector<prometheus::MetricFamily> process = ReadProcessMetrics();
  families.insert(families.end(), std::make_move_iterator(process.begin()),
                  std::make_move_iterator(process.end()));
  const ExpositionFormat format = ChooseExpositionFormat(accept);
  return {std::string(ExpositionContentType(format)), FormatMetrics(std::move(families), format)};
}

}  // namespace umbranet
