// A language model whose calls are limited, counted and, where that helps, tried again.
//
// Each try of Complete waits for its turn (ModelLimits), is entered into the books (ModelUsage) and
// into the metrics, and holds no place while it waits for the next one. What may pass (away,
// patience asked for, too slow) is tried again within the deadline; Retry-After holds everybody
// back, not this call alone. A stream is counted only: whoever waits for a reply is not held up.
//
// All methods may be called from any thread. Everything that is referred to must outlive it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/reflection/model_limits.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/model_usage.h"

namespace umbranet {

class MeteredLanguageModel final : public LanguageModel {
 public:
  struct Options {
    ModelLimits::Options limits = {};
    int attempts_max = 3;       // The first included. 1: the model below tries again by itself.
    Millis attempt_budget{0};   // Of one try; 0: what is left of the deadline.
    Millis backoff_first{500};  // Doubled for each further try.
    Millis retry_after_max{15'000};  // A longer wait is the caller's.
  };

  MeteredLanguageModel(const Clock& clock, LanguageModel& inner, ModelUsage& usage,
                       Metrics& metrics, Options options)
      : clock_(clock),
        inner_(inner),
        usage_(usage),
        metrics_(metrics),
        options_(options),
        limits_(clock, options.limits) {}

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override;
  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return inner_.Name(); }

  Status Probe(Deadline deadline) override { return inner_.Probe(deadline); }

 private:
  Result<Completion> TryOnce(const CompletionRequest& request, const std::stop_token& stop,
                             Deadline deadline);
  Result<std::uint64_t> AwaitTurn(std::uint64_t tokens, const std::stop_token& stop,
                                  Deadline deadline);
  // What was asked and answered goes into the books; how many tokens that were.
  std::uint64_t Enter(const CompletionRequest& request, const Result<Completion>& outcome);

  const Clock& clock_;
  LanguageModel& inner_;
  ModelUsage& usage_;
  Metrics& metrics_;
  const Options options_;
  ModelLimits limits_;
  Mutex mutex_;
  ConditionVariable ended_;  // A call has: somebody may begin.
};

}  // namespace umbranet
