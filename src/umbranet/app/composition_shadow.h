// Puts together what shadow mode tries. Part of the composition.
#pragma once

#include <memory>
#include <string>

#include "umbranet/base/clock.h"
#include "umbranet/config/settings.h"
#include "umbranet/extraction/answer_cache.h"
#include "umbranet/extraction/recorded_answers.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/shadow_records.h"
#include "umbranet/reflection/shadow_runner.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// "inline", "rules"; empty when nothing is tried.
std::string ShadowCandidate(const Settings& settings);

class ShadowPath {
 public:
  // Null when nothing is to be tried. `record` is of what the model `model_name` answered; null
  // when the rules reflect. Everything must outlive it.
  static std::unique_ptr<ShadowPath> Open(const Settings& settings, const Clock& clock,
                                          ShadowRecords& records, AnswerCache* record,
                                          std::string model_name, Metrics& metrics,
                                          StructuredLog& log);

  [[nodiscard]] ShadowRunner& runner() { return *runner_; }

 private:
  explicit ShadowPath(const Clock& clock);

  // The candidate's own: what it counts and logs is nobody's business.
  Metrics metrics_;
  StructuredLog log_;
  std::unique_ptr<ReplayedLanguageModel> model_;
  std::unique_ptr<Extractor> candidate_;
  std::unique_ptr<ShadowRunner> runner_;
};

}  // namespace umbranet
