#include "umbranet/extraction/llm_extractor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "umbranet/base/unique_id.h"
#include "umbranet/extraction/draft_plans.h"

namespace umbranet {
namespace {

constexpr std::string_view kAccountCombined = "reflection";

std::string_view AccountOf(AnswerParts parts) {
  switch (parts) {
    case kEpisodePart:
      return "episodic";
    case kFactPart:
      return "semantic";
    case kRulePart:
      return "procedural";
    default:
      return kAccountCombined;
  }
}

std::string BatchKey(const ExtractionInput& input) {
  const Interaction& first = input.turns.front();
  return first.user.tenant + '\x1f' + first.user.user_id + '\x1f' + first.interaction_id;
}

// Takes the parts that `more` holds into `draft`; each part was asked for once.
void Merge(TurnDraft more, AnswerParts parts, TurnDraft& draft) {
  if ((parts & kEpisodePart) != 0) {
    draft.keep = more.keep;
    draft.skip_reason = std::move(more.skip_reason);
    draft.summary = std::move(more.summary);
    draft.importance = more.importance;
    draft.dates = std::move(more.dates);
  }
  if ((parts & kFactPart) != 0) {
    draft.entities = std::move(more.entities);
    draft.facts = std::move(more.facts);
  }
  if ((parts & kRulePart) != 0) {
    draft.rules = std::move(more.rules);
  }
}

// Whether anything in a turn can be learnt by asking: the rules found more than pleasantries, and
// the user said something.
bool IsWorthAsking(const Interaction& turn, const ReflectionPlan& by_rules) {
  return by_rules.skipped_reason.empty() && !turn.user_message.empty();
}

}  // namespace

LlmExtractor::LlmExtractor(const Clock& clock, LanguageModel& model, Metrics& metrics,
                           StructuredLog& log, Options options)
    : clock_(clock),
      model_(model),
      metrics_(metrics),
      log_(log),
      options_(std::move(options)),
      name_("model/" + std::string(model.Name())),
      cache_(options_.cache) {}

Result<std::vector<ReflectionPlan>> LlmExtractor::Extract(const ExtractionInput& input,
                                                          Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(std::vector<ReflectionPlan> plans, rules_.Extract(input, deadline));
  const auto reserve = std::min<std::chrono::nanoseconds>(options_.reserve, deadline.Remaining());
  const Deadline until =
      deadline.IsNever() ? deadline : deadline.Within(clock_, deadline.Remaining() - reserve);
  ExtractionInput together = input;
  std::vector<ReflectionPlan*> theirs;
  std::size_t bytes = 0;
  together.turns.clear();
  const auto ask = [&]() -> Status {
    Status asked;
    if (!theirs.empty()) {
      asked = PlanTogether(together, theirs, until);
    }
    together.turns.clear();
    theirs.clear();
    bytes = 0;
    return asked;
  };
  for (std::size_t i = 0; i < input.turns.size(); ++i) {
    if (!IsWorthAsking(input.turns[i], plans[i])) {
      metrics_.reflection_planned_turns_total.At("trivial").Increment();
      continue;
    }
    const std::size_t more = PromptBytesOf(input.turns[i], options_.limits);
    if (bytes + more > options_.prompt_bytes_max) {
      UMBRANET_RETURN_IF_ERROR(ask());
    }
    together.turns.push_back(input.turns[i]);
    theirs.push_back(&plans[i]);
    bytes += more;
  }
  UMBRANET_RETURN_IF_ERROR(ask());
  return plans;
}

Status LlmExtractor::PlanTogether(const ExtractionInput& input, std::span<ReflectionPlan*> plans,
                                  Deadline deadline) {
  Asked asked = AskForParts(input, deadline);
  if (asked.error) {
    return std::move(*asked.error);
  }
  ForgetFailure(input);
  if (!asked.fallback.empty()) {
    FallBack(asked.fallback, plans);
  } else {
    Adopt(input, asked.answer, plans);
  }
  return {};
}

LlmExtractor::Asked LlmExtractor::AskForParts(const ExtractionInput& input, Deadline deadline) {
  if (!options_.per_tier) {
    return Ask(input, kAllAnswerParts, deadline);
  }
  Asked whole;
  whole.answer.turns.assign(input.turns.size(), TurnDraft());
  for (const AnswerParts parts : {kEpisodePart, kFactPart, kRulePart}) {
    Asked part = Ask(input, parts, deadline);
    if (part.error || !part.fallback.empty()) {
      return part;
    }
    whole.answer.items_refused += part.answer.items_refused;
    for (std::size_t i = 0; i < whole.answer.turns.size(); ++i) {
      // A turn that one of the calls says nothing of was not understood.
      if (!part.answer.turns[i] || !whole.answer.turns[i]) {
        whole.answer.turns[i].reset();
      } else {
        Merge(std::move(*part.answer.turns[i]), parts, *whole.answer.turns[i]);
      }
    }
  }
  return whole;
}

LlmExtractor::Asked LlmExtractor::Ask(const ExtractionInput& input, AnswerParts parts,
                                      Deadline deadline) {
  const std::string& tenant = input.turns.front().user.tenant;
  CompletionRequest request = BuildReflectionRequest(input, parts, options_.limits);
  request.account = {tenant, std::string(AccountOf(parts))};
  const std::string key = QuestionKey(request, model_.Name());
  if (const auto known = cache_.Find(key)) {
    metrics_.reflection_model_answers_total.At("cached").Increment();
    return {.answer = ReadReflectionAnswer(*known, input.turns.size(), parts)};
  }
  CompletionRequest next = request;
  for (int question = 1;; ++question) {
    if (options_.may_spend && !options_.may_spend(tenant)) {
      return {.answer = {}, .fallback = kFallbackBudget};
    }
    auto completion = model_.Complete(next, stop_.get_token(), deadline);
    if (!completion.ok()) {
      // An empty or broken answer may be a good one the next time; a refusal will not.
      const bool again = completion.error().code == ErrorCode::kBadGateway && question == 1;
      if (!again) {
        return Judge(completion.error(), input);
      }
      continue;
    }
    const bool cut = completion->finish_reason == "length";
    ReflectionAnswer answer = ReadReflectionAnswer(completion->text, input.turns.size(), parts);
    if (answer.problem.empty() || (question > 1 && answer.Usable())) {
      metrics_.reflection_model_answers_total.At(question == 1 ? "good" : "repaired").Increment();
      cache_.Keep(key, std::move(completion->text));
      return {.answer = std::move(answer)};
    }
    metrics_.reflection_model_answers_total.At(cut ? "cut" : "malformed").Increment();
    if (question > 1) {
      log_.Warning("reflection_answer_unusable",
                   {{"turns", input.turns.size()}, {"problem", answer.problem}});
      return {.answer = {}, .fallback = kFallbackMalformed};
    }
    next = BuildRepairRequest(request, completion->text,
                              cut ? "it was too long and was cut short" : answer.problem);
  }
}

LlmExtractor::Asked LlmExtractor::Judge(const Error& error, const ExtractionInput& input) {
  switch (error.code) {
    case ErrorCode::kCancelled:
      return {.answer = {}, .fallback = {}, .error = error};
    case ErrorCode::kUnavailable:
    case ErrorCode::kResourceExhausted:
      metrics_.reflection_model_answers_total.At("away").Increment();
      if (HasPatience(input)) {
        return {.answer = {}, .fallback = {}, .error = error};
      }
      log_.Warning("reflection_model_away", {{"error", error.message}});
      return {.answer = {}, .fallback = kFallbackAway};
    case ErrorCode::kDeadlineExceeded:
      metrics_.reflection_model_answers_total.At("timeout").Increment();
      return {.answer = {}, .fallback = kFallbackTimeout};
    default:
      metrics_.reflection_model_answers_total.At("refused").Increment();
      log_.Warning("reflection_model_refused", {{"error", error.message}});
      return {.answer = {}, .fallback = kFallbackRefused};
  }
}

bool LlmExtractor::HasPatience(const ExtractionInput& input) {
  const SteadyTime now = clock_.SteadyNow();
  MutexLock lock(mutex_);
  if (failing_since_.size() >= options_.failing_batches_max) {
    failing_since_.clear();  // They are waited for a little longer.
  }
  const SteadyTime since = failing_since_.try_emplace(BatchKey(input), now).first->second;
  return now - since < options_.patience;
}

void LlmExtractor::ForgetFailure(const ExtractionInput& input) {
  MutexLock lock(mutex_);
  failing_since_.erase(BatchKey(input));
}

void LlmExtractor::Adopt(const ExtractionInput& input, const ReflectionAnswer& answer,
                         std::span<ReflectionPlan*> plans) {
  DraftPlanner planner(input, name_);
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (answer.turns[i]) {
      *plans[i] = planner.PlanTurn(i, *answer.turns[i], *plans[i]);
      metrics_.reflection_planned_turns_total.At("model").Increment();
    } else {
      FallBack(kFallbackUnanswered, plans.subspan(i, 1));
    }
  }
  metrics_.reflection_unfounded_total.Increment(
      static_cast<double>(planner.unfounded() + answer.items_refused));
}

void LlmExtractor::FallBack(std::string_view reason, std::span<ReflectionPlan*> plans) {
  metrics_.reflection_planned_turns_total.At(reason).Increment(static_cast<double>(plans.size()));
  for (ReflectionPlan* plan : plans) {
    plan->fallback = std::string(reason);
  }
}

}  // namespace umbranet
