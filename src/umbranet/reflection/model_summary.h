// Has a language model write the running summary of a conversation. What is shown to it is quoted
// as data, under no name of user or session; what it writes is bounded, and used for nothing but to
// remind the assistant of the conversation: no fact is ever learnt from it.
//
// All methods may be called from any thread. The model must outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

class ModelSummary {
 public:
  struct Options {
    std::size_t prompt_bytes_max = 24'000;  // Of the turns; the newest that fit.
    std::size_t message_bytes_max = 600;    // Of one half of a turn.
    Millis budget{60'000};                  // What is left of a deadline is for saving it.
    // Whether the tenant may still pay for a call; empty: always.
    std::function<bool(std::string_view tenant)> may_spend = {};
  };

  ModelSummary(const Clock& clock, LanguageModel& model, Options options)
      : clock_(clock), model_(model), options_(std::move(options)) {}

  // Folds `turns`, oldest first and of one user, into `previous`, as SummarizeTurns does.
  // kBadGateway: the answer was none. kResourceExhausted: the budget is spent. Otherwise the
  // model's errors.
  Result<std::string> Write(std::string_view previous, std::span<const Interaction> turns,
                            std::size_t token_budget, Deadline deadline);

  // Ends calls that are being waited for, and every later one.
  void Stop() { stop_.request_stop(); }

 private:
  const Clock& clock_;
  LanguageModel& model_;
  const Options options_;
  std::stop_source stop_;
};

}  // namespace umbranet
