// Has a language model sum up old episodes while there is nothing else to do.
//
// One group of one user at a time: claimed (ports/episode_consolidation.h), shown to the model,
// and what comes back kept only if it is what it must be (consolidation_prompt.h). Before a call
// and while one is under way it looks whether work has come, and gives way to it: the call is
// ended and the claim given back. A tenant whose budget of the day is spent is passed over. Nothing
// that it does can fail anything else, and dying in the middle leaves a claim that runs out.
//
// What a consolidated episode says goes nowhere but into recall: no plan, fact or rule is made of
// it, since it was said by nobody.
//
// All methods may be called from any thread. The collaborators must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/episode_consolidation.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/reflection/consolidation_prompt.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

enum class ConsolidationOutcome : std::uint8_t {
  kConsolidated,
  kNothingToDo,
  kBusy,         // There is work: nobody was asked.
  kInterrupted,  // Work came, or it was stopped, while the model was asked.
  kNoBudget,     // The tenant's is spent: the user is passed over for a while.
  kRefused,      // The answer was not what it must be: its episodes are left alone for a while.
  kVoid,         // What was shown was erased or changed meanwhile.
};

class EpisodeConsolidator {
 public:
  struct Options {
    ConsolidationPolicy policy;
    ConsolidationLimits limits;
    Millis call_budget{60'000};
    Millis store_budget{10'000};  // For one call to the store, or to `is_idle`.
    Millis look_for_work{1'000};  // How often, while the model is asked.
    Millis pause{1'000};          // Between two groups.
    Millis while_busy{5'000};     // At the start, and after which it looks again.
    Millis look_again{600'000};   // After it found nothing to do.
    Millis after_failure{60'000};
    Millis no_budget_rest{3'600'000};                  // Of a user of that tenant.
    Millis refused_rest = std::chrono::hours{24 * 7};  // Of the episodes of that group.
    // Whether no turn waits for anything. A failure counts as work.
    std::function<Result<bool>(Deadline)> is_idle;
    // Whether the tenant may still pay for a call; empty: always.
    std::function<bool(std::string_view tenant)> may_spend = {};
  };

  EpisodeConsolidator(const Clock& clock, LanguageModel& model, EpisodeConsolidation& store,
                      StructuredLog& log, Options options);
  ~EpisodeConsolidator();
  EpisodeConsolidator(const EpisodeConsolidator&) = delete;
  EpisodeConsolidator& operator=(const EpisodeConsolidator&) = delete;

  // Works in the background from now on. Idempotent, and it can be started again after Stop.
  void Start();
  // Ends the call that is under way.
  void Stop();

  // One group, if there is one and nothing else to do. Fails when the store or the model does.
  Result<ConsolidationOutcome> ConsolidateOne(const std::stop_token& stop);

 private:
  void Run(const std::stop_token& stop);
  // How long to wait after this.
  [[nodiscard]] Millis PauseAfter(const Result<ConsolidationOutcome>& outcome) const;
  [[nodiscard]] bool IsIdle();
  // The model's answer; kCancelled when work came meanwhile, or `stop` was requested.
  Result<Completion> Ask(const ConsolidationClaim& claim, const std::stop_token& stop);
  Result<ConsolidationOutcome> GiveBack(const ConsolidationClaim& claim,
                                        const ConsolidationRest& rest,
                                        ConsolidationOutcome outcome);
  Result<ConsolidationOutcome> Keep(const ConsolidationClaim& claim, const Completion& completion);

  [[nodiscard]] Deadline ForStore() const { return Deadline::After(clock_, options_.store_budget); }

  const Clock& clock_;
  LanguageModel& model_;
  EpisodeConsolidation& store_;
  StructuredLog& log_;
  const Options options_;

  Mutex mutex_;
  ConditionVariable changed_;
  std::jthread thread_;
};

}  // namespace umbranet
