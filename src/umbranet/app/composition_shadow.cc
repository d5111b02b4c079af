#include "umbranet/app/composition_shadow.h"

#include <utility>

#include "umbranet/extraction/llm_extractor.h"
#include "umbranet/extraction/rule_extractor.h"

namespace umbranet {

std::string ShadowCandidate(const Settings& settings) {
  switch (settings.shadow_mode) {
    case ShadowMode::kOff:
      return {};
    case ShadowMode::kInline:
      return "inline";
    case ShadowMode::kRules:
      return "rules";
  }
  return {};
}

ShadowPath::ShadowPath(const Clock& clock)
    : metrics_({.version = {}, .commit = {}}), log_(clock, {.level = LogLevel::kOff}) {}

std::unique_ptr<ShadowPath> ShadowPath::Open(const Settings& settings, const Clock& clock,
                                             ShadowRecords& records, AnswerCache* record,
                                             std::string model_name, Metrics& metrics,
                                             StructuredLog& log) {
  if (settings.shadow_mode == ShadowMode::kOff) {
    return nullptr;
  }
  std::unique_ptr<ShadowPath> path(new ShadowPath(clock));
  ShadowRunner::Options options;
  options.candidate = ShadowCandidate(settings);
  options.percent = settings.shadow_percent;
  if (settings.shadow_mode == ShadowMode::kInline && record != nullptr) {
    path->model_ = std::make_unique<ReplayedLanguageModel>(std::move(model_name), *record);
    LlmExtractor::Options extractor;
    extractor.per_tier = settings.reflection_calls == ReflectionCalls::kPerTier;
    extractor.patience = Millis{0};
    extractor.cache.entries_max = 0;
    path->candidate_ = std::make_unique<LlmExtractor>(clock, *path->model_, path->metrics_,
                                                      path->log_, std::move(extractor));
    options.unanswered = [model = path->model_.get()] { return model->Unanswered(); };
  } else {
    path->candidate_ = std::make_unique<RuleExtractor>();
  }
  path->runner_ = std::make_unique<ShadowRunner>(clock, *path->candidate_, records, metrics, log,
                                                 std::move(options));
  return path;
}

}  // namespace umbranet
