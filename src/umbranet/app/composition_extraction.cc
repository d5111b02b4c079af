#include "umbranet/app/composition_extraction.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/adapters/openai/openai_language_model.h"
#include "umbranet/extraction/recorded_answers.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/reflection/metered_language_model.h"

namespace umbranet {
namespace {

Millis Seconds(std::uint32_t seconds) {
  return Millis{seconds * std::int64_t{1'000}};
}

// A second try has to fit in behind a first one that ran out of time.
Millis ExtractBudget(const Settings& settings) {
  return 2 * Seconds(settings.reflection_timeout_s) + Millis{10'000};
}

const std::string& ReflectionModel(const Settings& settings) {
  return settings.reflection_model.empty() ? settings.openai_model : settings.reflection_model;
}

MeteredLanguageModel::Options MeterOptions(const Settings& settings) {
  MeteredLanguageModel::Options options;
  options.limits = {.calls_at_once = settings.reflection_concurrency,
                    .requests_per_minute = settings.reflection_requests_per_minute,
                    .tokens_per_minute = settings.reflection_tokens_per_minute};
  options.attempt_budget = Seconds(settings.reflection_timeout_s);
  return options;
}

LlmExtractor::Options ExtractorOptions(const Settings& settings, const ModelUsage& usage) {
  LlmExtractor::Options options;
  options.may_spend = [&usage](std::string_view tenant) { return usage.MaySpend(tenant); };
  options.per_tier = settings.reflection_calls == ReflectionCalls::kPerTier;
  options.patience = Seconds(settings.reflection_patience_s);
  return options;
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> OpenReflectionModel(const Settings& settings,
                                                           const Clock& clock) {
  if (!settings.ReflectsWithModel()) {
    return std::unique_ptr<LanguageModel>();
  }
  OpenAiLanguageModel::Options options;
  options.base_url = settings.openai_base_url;
  options.api_key = settings.openai_api_key;
  options.model = ReflectionModel(settings);
  options.attempts_max = 1;  // The meter around it tries again, and counts.
  options.first_byte_timeout = Seconds(settings.reflection_timeout_s);
  options.idle_timeout = options.first_byte_timeout;
  options.connections_max = settings.reflector_workers + std::size_t{2};
  UMBRANET_ASSIGN_OR_RETURN(auto model, OpenAiLanguageModel::Open(std::move(options), clock));
  return std::unique_ptr<LanguageModel>(std::move(model));
}

ModelUsage::Options UsageOptions(const Settings& settings) {
  ModelUsage::Options options;
  options.daily_cost_max = settings.reflection_daily_budget;
  options.daily_tokens_max = settings.reflection_daily_tokens;
  options.prices[ReflectionModel(settings)] = {settings.reflection_price_prompt,
                                               settings.reflection_price_completion};
  // Where it is one model, it has one price.
  options.prices[settings.openai_model] = {settings.openai_price_prompt,
                                           settings.openai_price_completion};
  return options;
}

std::unique_ptr<LanguageModel> CountCalls(const Clock& clock, LanguageModel* model,
                                          ModelUsage& usage, Metrics& metrics) {
  if (model == nullptr) {
    return nullptr;
  }
  return std::make_unique<MeteredLanguageModel>(clock, *model, usage, metrics,
                                                MeteredLanguageModel::Options{.attempts_max = 1});
}

Extraction::Extraction(const Settings& settings, const Clock& clock, LanguageModel* model,
                       ModelUsage& usage, Metrics& metrics, StructuredLog& log) {
  if (model == nullptr) {
    extractor_ = std::make_unique<RuleExtractor>();
    return;
  }
  metered_ =
      std::make_unique<MeteredLanguageModel>(clock, *model, usage, metrics, MeterOptions(settings));
  if (settings.shadow_mode == ShadowMode::kInline) {
    record_ = std::make_unique<AnswerCache>(AnswerCache::Options{});
    recording_ = std::make_unique<RecordingLanguageModel>(*metered_, *record_);
  }
  auto by_model =
      std::make_unique<LlmExtractor>(clock, recording_ != nullptr ? *recording_ : *metered_,
                                     metrics, log, ExtractorOptions(settings, usage));
  by_model_ = by_model.get();
  ModelSummary::Options summaries;
  summaries.budget = Seconds(settings.reflection_timeout_s);
  summaries.may_spend = [&usage](std::string_view tenant) { return usage.MaySpend(tenant); };
  summary_ = std::make_unique<ModelSummary>(clock, *metered_, std::move(summaries));
  extractor_ = std::move(by_model);
}

std::size_t Extraction::DropAnswers() {
  return (by_model_ == nullptr ? 0 : by_model_->DropAnswers()) +
         (record_ == nullptr ? 0 : record_->Clear());
}

void Extraction::Stop() {
  if (by_model_ != nullptr) {
    by_model_->Stop();
    summary_->Stop();
  }
}

void AllowForModel(const Settings& settings, BatchProcessor::Options& options) {
  if (settings.ReflectsWithModel()) {
    options.extract_budget = ExtractBudget(settings);
  }
}

void AllowForModel(const Settings& settings, MemoryReflector::Options& options) {
  if (!settings.ReflectsWithModel()) {
    return;
  }
  // Applying and settling come after; a worker stops at nine tenths of the cap.
  options.summary_budget += Seconds(settings.reflection_timeout_s);
  options.lease_cap = std::max(options.lease_cap, ExtractBudget(settings) * 3 / 2 + Millis{60'000});
  if (settings.reflection_quiet_ms > 0) {
    options.gather = CompanyWait{.quiet = Millis{settings.reflection_quiet_ms},
                                 .wait_max = Seconds(settings.reflection_wait_s)};
  }
}

void AllowForModel(const Settings& settings, ReflectionQueue::Options& options) {
  constexpr Millis kLookAgain{500};
  if (settings.ReflectsWithModel() && settings.reflection_quiet_ms > 0) {
    options.poll = kLookAgain;
    options.poll_unhealthy = std::min(options.poll_unhealthy, kLookAgain);
  }
}

}  // namespace umbranet
