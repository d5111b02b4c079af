#include "umbranet/reflection/metered_language_model.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "umbranet/base/token_estimate.h"

namespace umbranet {
namespace {

std::uint64_t EstimatePrompt(const CompletionRequest& request) {
  std::uint64_t tokens = request.answer_schema ? EstimateTokens(request.answer_schema->schema) : 0;
  for (const ChatMessage& message : request.messages) {
    tokens += EstimateTokens(message.content);
  }
  return tokens;
}

bool MayPass(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kResourceExhausted ||
         code == ErrorCode::kDeadlineExceeded;
}

Error Stopped() {
  return {ErrorCode::kCancelled, "model: stopped"};
}

}  // namespace

Result<std::uint64_t> MeteredLanguageModel::AwaitTurn(std::uint64_t tokens,
                                                      const std::stop_token& stop,
                                                      Deadline deadline) {
  for (;;) {
    if (stop.stop_requested()) {
      return Stopped();
    }
    MutexLock lock(mutex_);
    const ModelLimits::Verdict verdict = limits_.TryBegin(tokens);
    if (verdict.begun) {
      return verdict.ticket;
    }
    if (deadline.Expired()) {
      // Nobody was asked: the model is no slower for it.
      return Error{ErrorCode::kResourceExhausted, "model: its limits leave no room in time",
                   verdict.wait};
    }
    ended_.WaitFor(mutex_, stop,
                   std::min<std::chrono::nanoseconds>(verdict.wait, deadline.Remaining()));
  }
}

std::uint64_t MeteredLanguageModel::Enter(const CompletionRequest& request,
                                          const Result<Completion>& outcome) {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  if (outcome.ok()) {
    // Servers that count nothing still want to be paid.
    prompt = outcome->prompt_tokens != 0 ? outcome->prompt_tokens : EstimatePrompt(request);
    completion = outcome->completion_tokens != 0 ? outcome->completion_tokens
                                                 : EstimateTokens(outcome->text);
  }
  const UsageKey key{request.account.tenant, std::string(inner_.Name()), request.account.purpose};
  const double cost = usage_.Record(key, !outcome.ok(), prompt, completion);
  metrics_.CountModelCall({.tenant = key.tenant, .model = key.model, .purpose = key.purpose},
                          outcome.ok(), static_cast<double>(prompt),
                          static_cast<double>(completion), cost);
  return prompt + completion;
}

Result<Completion> MeteredLanguageModel::TryOnce(const CompletionRequest& request,
                                                 const std::stop_token& stop, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t ticket,
                            AwaitTurn(EstimatePrompt(request), stop, deadline));
  const Deadline until = options_.attempt_budget.count() > 0
                             ? deadline.Within(clock_, options_.attempt_budget)
                             : deadline;
  Result<Completion> outcome = inner_.Complete(request, stop, until);
  const std::uint64_t tokens = Enter(request, outcome);
  MutexLock lock(mutex_);
  limits_.End(ticket, tokens);
  if (!outcome.ok() && outcome.error().retry_after) {
    limits_.HoldOff(std::min(*outcome.error().retry_after, options_.retry_after_max));
  }
  ended_.NotifyAll();
  return outcome;
}

Result<Completion> MeteredLanguageModel::Complete(const CompletionRequest& request,
                                                  std::stop_token stop, Deadline deadline) {
  for (int attempt = 1;; ++attempt) {
    Result<Completion> outcome = TryOnce(request, stop, deadline);
    if (outcome.ok() || !MayPass(outcome.error().code) || attempt >= options_.attempts_max) {
      return outcome;
    }
    const Millis asked = outcome.error().retry_after.value_or(Millis{0});
    const Millis pause =
        std::max(asked, options_.backoff_first * (std::int64_t{1} << std::min(attempt - 1, 20)));
    if (asked > options_.retry_after_max || pause >= deadline.Remaining()) {
      return outcome;
    }
    const SteadyTime until = clock_.SteadyNow() + pause;
    MutexLock lock(mutex_);
    while (!stop.stop_requested() && clock_.SteadyNow() < until) {
      ended_.WaitFor(mutex_, stop, until - clock_.SteadyNow());
    }
    if (stop.stop_requested()) {
      return Stopped();
    }
  }
}

Result<Completion> MeteredLanguageModel::Stream(const CompletionRequest& request,
                                                const DeltaSink& sink, std::stop_token stop,
                                                Deadline deadline) {
  Result<Completion> outcome = inner_.Stream(request, sink, std::move(stop), deadline);
  Enter(request, outcome);
  return outcome;
}

}  // namespace umbranet
