// Puts together what works out what turns teach: the rules, or a language model with the rules
// behind it.
#pragma once

#include <memory>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/extraction/answer_cache.h"
#include "umbranet/extraction/llm_extractor.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/memory_reflector.h"
#include "umbranet/reflection/model_summary.h"
#include "umbranet/reflection/reflection_queue.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/model_usage.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// The model that reflects; null when the settings leave it to the rules.
Result<std::unique_ptr<LanguageModel>> OpenReflectionModel(const Settings& settings,
                                                           const Clock& clock);

// The books of what models cost.
ModelUsage::Options UsageOptions(const Settings& settings);

// `model` with its calls counted, for replies; null where that is.
std::unique_ptr<LanguageModel> CountCalls(const Clock& clock, LanguageModel* model,
                                          ModelUsage& usage, Metrics& metrics);

class Extraction {
 public:
  // `model` may be null. Everything that is referred to must outlive it.
  Extraction(const Settings& settings, const Clock& clock, LanguageModel* model, ModelUsage& usage,
             Metrics& metrics, StructuredLog& log);

  [[nodiscard]] Extractor& extractor() const { return *extractor_; }

  // Ends calls that nobody waits for any more.
  void Stop();

  // Forgets what a model answered. How many answers.
  std::size_t DropAnswers();

  // What the model answered, for a path that is tried beside this one. Null: nothing is written
  // down.
  [[nodiscard]] AnswerCache* record() const { return record_.get(); }

  // The model that reflects, within its limits and with its calls counted. Null when the rules do.
  [[nodiscard]] LanguageModel* model() const { return metered_.get(); }

  // Null when the rules reflect.
  [[nodiscard]] ModelSummary* summary() const { return summary_.get(); }

 private:
  std::unique_ptr<LanguageModel> metered_;
  std::unique_ptr<AnswerCache> record_;
  std::unique_ptr<LanguageModel> recording_;  // Around the metered one; null without a record.
  LlmExtractor* by_model_ = nullptr;
  std::unique_ptr<ModelSummary> summary_;
  std::unique_ptr<Extractor> extractor_;
};

// A batch that asks a model takes as long as that may take, and its lease lasts as long.
void AllowForModel(const Settings& settings, BatchProcessor::Options& options);
void AllowForModel(const Settings& settings, MemoryReflector::Options& options);
// Turns that wait for company have to be looked at when they have waited enough: nobody rings then.
void AllowForModel(const Settings& settings, ReflectionQueue::Options& options);

}  // namespace umbranet
