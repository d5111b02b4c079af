// Goal: scrapers can read what is counted, in the form they ask for, and the number of series stays
// bounded.
// Method: a fresh Metrics each time, moved by hand, and its exposition read line by line.
#include "umbranet/telemetry/metrics.h"

#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/telemetry/metrics_exposition.h"

namespace umbranet {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kOpenMetrics = "application/openmetrics-text; version=1.0.0";

std::size_t CountLines(const std::string& text, std::string_view beginning) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    count += std::string_view(text).substr(at, end - at).starts_with(beginning) ? 1U : 0U;
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return count;
}

class MetricsTest : public ::testing::Test {
 protected:
  Metrics metrics_{{"1.2.3", "abcdef"}};
};

TEST_F(MetricsTest, ShowsEverySeriesBeforeItMoves) {
  const std::string text = metrics_.Expose("").body;
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_enqueued_total{duplicate=\"false\",durability="
                              "\"ledger\",priority=\"high\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_jobs{state=\"dead\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_build_info{commit=\"abcdef\",version=\"1.2.3\"} 1\n"));
}

TEST_F(MetricsTest, CountsUnderTheLabelsThatWereNamed) {
  metrics_.reflection_enqueued_total.At({"low", "ledger", "true"}).Increment();
  metrics_.reflection_attempts_total.At("transient").Increment(3);
  const std::string text = metrics_.Expose("").body;
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_enqueued_total{duplicate=\"true\",durability="
                              "\"ledger\",priority=\"low\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_attempts_total{outcome=\"transient\"} 3\n"));
}

TEST_F(MetricsTest, CountsUnlistedLabelValuesAsOther) {
  metrics_.reflection_rejected_total.At("a reason nobody listed").Increment();
  metrics_.reflection_rejected_total.At("another one").Increment();
  const std::string text = metrics_.Expose("").body;
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_rejected_total{reason=\"other\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("nobody listed")));
}

TEST_F(MetricsTest, CountsUnknownHttpMethodsAsOther) {
  metrics_.HttpRequests("/v1/chat", "POST", 200).Increment();
  metrics_.HttpRequests("/v1/chat", "BREW\n", 405).Increment();
  metrics_.HttpRequests("/v1/chat", "STIR", 405).Increment();
  const std::string text = metrics_.Expose("").body;
  EXPECT_THAT(text, HasSubstr("umbranet_http_requests_total{method=\"POST\",route=\"/v1/chat\","
                              "status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_http_requests_total{method=\"other\",route=\"/v1/chat\","
                              "status=\"405\"} 2\n"));
}

TEST_F(MetricsTest, ShowsHistogramsWithCumulativeBuckets) {
  metrics_.reflection_batch_jobs.Observe(1);
  metrics_.reflection_batch_jobs.Observe(3);
  const std::string text = metrics_.Expose("").body;
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_bucket{le=\"2\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_bucket{le=\"3\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_sum 4\n"));
  EXPECT_THAT(text, HasSubstr("umbranet_reflection_batch_jobs_count 2\n"));
}

TEST_F(MetricsTest, SpeaksOpenMetricsToWhoAsksForIt) {
  metrics_.HttpSeconds("/healthz").Observe(0.2);
  const auto exposition = metrics_.Expose(kOpenMetrics);
  EXPECT_THAT(exposition.content_type, StartsWith("application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(exposition.body, EndsWith("# EOF\n"));
  EXPECT_THAT(exposition.body, HasSubstr("# TYPE umbranet_reflection_dead counter\n"));
  EXPECT_THAT(exposition.body,
              HasSubstr("umbranet_reflection_dead_total{reason=\"permanent\"} 0\n"));
  EXPECT_THAT(exposition.body,
              HasSubstr("umbranet_http_request_seconds_bucket{route=\"/healthz\",le=\"1.0\"} 1\n"));
}

TEST_F(MetricsTest, SpeaksPrometheusTextToEverybodyElse) {
  const auto exposition = metrics_.Expose("text/html, */*");
  EXPECT_THAT(exposition.content_type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(exposition.body, HasSubstr("# TYPE umbranet_reflection_dead_total counter\n"));
  EXPECT_THAT(exposition.body, Not(HasSubstr("# EOF")));
}

TEST_F(MetricsTest, DescribesEachFamilyOnce) {
  const std::string text = metrics_.Expose("").body;
  EXPECT_EQ(CountLines(text, "# TYPE umbranet_reflection_jobs "), 1U);
  EXPECT_EQ(CountLines(text, "# HELP umbranet_http_in_flight "), 1U);
}

TEST_F(MetricsTest, AsksTheProcessForItsFigures) {
  const std::string text = metrics_.Expose("").body;
  for (const auto* name :
       {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
        "process_max_fds ", "process_start_time_seconds ", "process_threads "}) {
    EXPECT_EQ(CountLines(text, name), 1U) << name;
  }
}

TEST_F(MetricsTest, RefreshesGaugesBeforeEachScrapeUntilTheHookIsGone) {
  int scrapes = 0;
  {
    const auto hook = metrics_.AddScrapeHook(
        [&] { metrics_.reflection_ready_jobs.At({"ready", "high"}).Set(++scrapes); });
    EXPECT_THAT(metrics_.Expose("").body,
                HasSubstr("umbranet_reflection_jobs{priority=\"high\",state=\"ready\"} 1\n"));
    EXPECT_THAT(metrics_.Expose("").body,
                HasSubstr("umbranet_reflection_jobs{priority=\"high\",state=\"ready\"} 2\n"));
  }
  EXPECT_THAT(metrics_.Expose("").body,
              HasSubstr("umbranet_reflection_jobs{priority=\"high\",state=\"ready\"} 2\n"));
}

TEST_F(MetricsTest, AHookThatWasMovedIsRemovedOnce) {
  int calls = 0;
  Metrics::ScrapeHook kept;
  {
    auto hook = metrics_.AddScrapeHook([&] { ++calls; });
    kept = std::move(hook);
  }
  (void)metrics_.Expose("");
  EXPECT_EQ(calls, 1);
  kept = Metrics::ScrapeHook{};
  (void)metrics_.Expose("");
  EXPECT_EQ(calls, 1);
}

TEST_F(MetricsTest, CanBeCountedAndScrapedByManyThreads) {
  std::atomic<bool> stop = false;
  {
    std::jthread scraper([&] {
      while (!stop) {
        (void)metrics_.Expose("");
      }
    });
    std::vector<std::jthread> counters;
    for (int i = 0; i < 4; ++i) {
      counters.emplace_back([&] {
        for (int n = 0; n < 500; ++n) {
          metrics_.reflection_dead_total.At("unlisted").Increment();
          metrics_.HttpRequests("/v1/recall", "POST", 200 + n % 3).Increment();
          metrics_.chat_seconds.Observe(0.01);
        }
      });
    }
    counters.clear();
    stop = true;
  }
  EXPECT_THAT(metrics_.Expose("").body,
              HasSubstr("umbranet_reflection_dead_total{reason=\"other\"} 2000\n"));
}

TEST(MetricsExposition, EscapesLabelValuesAndHelp) {
  prometheus::MetricFamily family{
      "odd_total", "a\\b\nc \"d\"", prometheus::MetricType::Counter, {}};
  family.metric.resize(1);
  family.metric[0].label = {{"path", "a\"b\\c\nd"}};
  family.metric[0].counter.value = 1.5;
  EXPECT_EQ(FormatMetrics({family}, ExpositionFormat::kPrometheusText),
            "# HELP odd_total a\\\\b\\nc \"d\"\n# TYPE odd_total counter\n"
            "odd_total{path=\"a\\\"b\\\\c\\nd\"} 1.5\n");
  EXPECT_EQ(FormatMetrics({family}, ExpositionFormat::kOpenMetrics),
            "# HELP odd a\\\\b\\nc \\\"d\\\"\n# TYPE odd counter\n"
            "odd_total{path=\"a\\\"b\\\\c\\nd\"} 1.5\n# EOF\n");
}

TEST(MetricsExposition, WritesNumbersThatAreNone) {
  prometheus::MetricFamily family{"odd", "", prometheus::MetricType::Gauge, {}};
  family.metric.resize(2);
  family.metric[0].label = {{"is", "1"}};
  family.metric[0].gauge.value = std::nan("");
  family.metric[1].label = {{"is", "2"}};
  family.metric[1].gauge.value = -HUGE_VAL;
  EXPECT_THAT(FormatMetrics({family}, ExpositionFormat::kPrometheusText),
              EndsWith("odd{is=\"1\"} NaN\nodd{is=\"2\"} -Inf\n"));
}

TEST(MetricsExposition, ReplacesLabelValuesThatAreNotUtf8) {
  prometheus::MetricFamily family{"odd", "", prometheus::MetricType::Gauge, {}};
  family.metric.resize(1);
  family.metric[0].label = {{"value", "\xFF\xFE"}};
  EXPECT_THAT(FormatMetrics({family}, ExpositionFormat::kPrometheusText),
              EndsWith("odd{value=\"invalid utf-8\"} 0\n"));
}

TEST(MetricsExposition, FollowsTheWeightsOfTheAcceptHeader) {
  const auto choose = [](std::string_view accept) {
    return ChooseExpositionFormat(accept) == ExpositionFormat::kOpenMetrics;
  };
  EXPECT_TRUE(choose("application/openmetrics-text"));
  EXPECT_TRUE(choose("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4"));
  EXPECT_TRUE(
      choose("application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;"
             "q=0.5,*/*;q=0.1"));
  EXPECT_FALSE(choose("application/openmetrics-text;q=0.4, text/plain;q=0.5"));
  EXPECT_FALSE(choose("application/openmetrics-text;q=0"));
  EXPECT_FALSE(choose("application/openmetrics-text;version=9.9.9"));
  EXPECT_FALSE(choose("application/openmetrics-text;q=nonsense"));
  EXPECT_FALSE(choose("*/*"));
  EXPECT_FALSE(choose(""));
  EXPECT_FALSE(choose(";;,,=;q"));
}

}  // namespace
}  // namespace umbranet
