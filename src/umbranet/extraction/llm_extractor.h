// Makes plans by asking a language model: one call for a batch of one user's turns.
//
// A bad answer is ordinary and no turn ends with nothing:
// - An answer that cannot be used is asked for once more, with what was wrong with it. Turns that
//   are still not answered get the rules' plan, marked in ReflectionPlan::fallback.
// - A model that is away or asks for patience is an error (kUnavailable, kResourceExhausted), so
//   that the jobs wait for it; when it has been so for `patience`, the rules' plans are made.
// - Time-outs, refusals and a budget that is spent give the rules' plans at once.
// What no model need be asked about is not: a turn of pleasantries alone has the rules' plan for
// good, and the same question is answered from memory.
//
// Thread safety: all methods may be called from any thread. Model, metrics and log must outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/extraction/answer_cache.h"
#include "umbranet/extraction/reflection_answer.h"
#include "umbranet/extraction/reflection_prompt.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// Why the rules' plan stands in a turn's plan for the model's; as ReflectionPlan::fallback says it.
inline constexpr std::string_view kFallbackMalformed = "malformed";    // Nothing could be read.
inline constexpr std::string_view kFallbackUnanswered = "unanswered";  // Of other turns it could.
inline constexpr std::string_view kFallbackRefused = "refused";
inline constexpr std::string_view kFallbackTimeout = "timeout";
inline constexpr std::string_view kFallbackAway = "away";
inline constexpr std::string_view kFallbackBudget = "budget";

class LlmExtractor final : public Extractor {
 public:
  struct Options {
    bool per_tier = false;  // Three calls, one for each tier, instead of one for all.
    PromptLimits limits = {};
    std::size_t prompt_bytes_max = 48'000;  // Of the turns in one call; more turns, more calls.
    Millis patience{600'000};
    std::size_t failing_batches_max = 4'096;
    // Of the deadline, for the rules and for handing the plans over.
    Millis reserve{500};
    AnswerCache::Options cache = {};
    // Whether the tenant may still pay for a call; empty: always.
    std::function<bool(std::string_view tenant)> may_spend = {};
  };

  LlmExtractor(const Clock& clock, LanguageModel& model, Metrics& metrics, StructuredLog& log,
               Options options);

  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override;

  // "model/" and the model's name.
  [[nodiscard]] std::string_view Name() const override { return name_; }

  [[nodiscard]] ExtractionScope Scope() const override {
    return {.sessions_together = true, .known_facts = true};
  }

  // Ends calls that are being waited for, and every later one: kCancelled.
  void Stop() { stop_.request_stop(); }

  // Forgets what the model answered, since whose turns an answer is of is not known. How many.
  std::size_t DropAnswers() { return cache_.Clear(); }

 private:
  // What came of asking: an answer, or why the rules have to do, or an error to hand on.
  struct Asked {
    ReflectionAnswer answer;
    std::string_view fallback = {};
    std::optional<Error> error = std::nullopt;
  };

  // Turns that are asked about together; `plans` holds the rules' plans and takes the model's.
  Status PlanTogether(const ExtractionInput& input, std::span<ReflectionPlan*> plans,
                      Deadline deadline);
  Asked AskForParts(const ExtractionInput& input, Deadline deadline);
  Asked Ask(const ExtractionInput& input, AnswerParts parts, Deadline deadline);
  [[nodiscard]] Asked Judge(const Error& error, const ExtractionInput& input);
  // True while the jobs may still wait for the model.
  [[nodiscard]] bool HasPatience(const ExtractionInput& input);
  void ForgetFailure(const ExtractionInput& input);
  void Adopt(const ExtractionInput& input, const ReflectionAnswer& answer,
             std::span<ReflectionPlan*> plans);
  void FallBack(std::string_view reason, std::span<ReflectionPlan*> plans);

  const Clock& clock_;
  LanguageModel& model_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  const std::string name_;
  RuleExtractor rules_;
  AnswerCache cache_;
  std::stop_source stop_;

  Mutex mutex_;
  // When the batch that begins with this turn failed first.
  std::map<std::string, SteadyTime> failing_since_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
