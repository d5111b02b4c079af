#include "umbranet/reflection/episode_consolidator.h"

#include <string>
#include <utility>

#include "umbranet/base/crash_point.h"
#include "umbranet/base/thread_urgency.h"

namespace umbranet {
namespace {

constexpr int kNice = 19;

}  // namespace

EpisodeConsolidator::EpisodeConsolidator(const Clock& clock, LanguageModel& model,
                                         EpisodeConsolidation& store, StructuredLog& log,
                                         Options options)
    : clock_(clock), model_(model), store_(store), log_(log), options_(std::move(options)) {}

EpisodeConsolidator::~EpisodeConsolidator() {
  Stop();
}

void EpisodeConsolidator::Start() {
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
}

void EpisodeConsolidator::Stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

bool EpisodeConsolidator::IsIdle() {
  return options_.is_idle(ForStore()).value_or(false);
}

Result<Completion> EpisodeConsolidator::Ask(const ConsolidationClaim& claim,
                                            const std::stop_token& stop) {
  CompletionRequest request = BuildConsolidationRequest(claim.episodes, options_.limits);
  request.account = {claim.user.tenant, "consolidation"};
  std::stop_source interrupt;
  const std::stop_callback pass_on(stop, [&interrupt] { interrupt.request_stop(); });
  const std::jthread watch([this, &interrupt](const std::stop_token& answered) {
    while (!answered.stop_requested() && !interrupt.stop_requested()) {
      {
        const MutexLock lock(mutex_);
        changed_.WaitFor(mutex_, answered, options_.look_for_work);
      }
      if (!answered.stop_requested() && !IsIdle()) {
        interrupt.request_stop();
      }
    }
  });
  Result<Completion> answer = model_.Complete(request, interrupt.get_token(),
                                              Deadline::After(clock_, options_.call_budget));
  const bool whole = answer.ok() && answer->finish_reason != "cancelled";
  if (interrupt.stop_requested() && !whole) {
    return Error{ErrorCode::kCancelled, "consolidation: it gave way to work"};
  }
  return answer;
}

Result<ConsolidationOutcome> EpisodeConsolidator::GiveBack(const ConsolidationClaim& claim,
                                                           const ConsolidationRest& rest,
                                                           ConsolidationOutcome outcome) {
  UMBRANET_RETURN_IF_ERROR(store_.PutOff(claim, rest, ForStore()));
  return outcome;
}

Result<ConsolidationOutcome> EpisodeConsolidator::Keep(const ConsolidationClaim& claim,
                                                       const Completion& completion) {
  const Result<std::string> text =
      completion.finish_reason == "length" || completion.finish_reason == "cancelled"
          ? Error{ErrorCode::kBadGateway, "consolidation: the answer was cut off"}
          : ReadConsolidationAnswer(completion.text, claim.episodes, options_.limits);
  if (!text.ok()) {
    log_.Warning("consolidation_refused", {{"tenant", claim.user.tenant},
                                           {"episodes", std::uint64_t{claim.episodes.size()}},
                                           {"error", text.error().message}});
    return GiveBack(claim, {.user = Millis{0}, .episodes = options_.refused_rest},
                    ConsolidationOutcome::kRefused);
  }
  UMBRANET_CRASH_POINT("consolidate.before_save");
  const Result<ConsolidatedEpisode> saved = store_.Save(claim, *text, model_.Name(), ForStore());
  if (!saved.ok() && saved.error().code == ErrorCode::kAborted) {
    return GiveBack(claim, {}, ConsolidationOutcome::kVoid);
  }
  if (!saved.ok()) {
    return saved.error();
  }
  log_.Info("consolidated", {{"tenant", claim.user.tenant},
                             {"memory_id", saved->memory_id},
                             {"episodes", std::uint64_t{claim.episodes.size()}}});
  return ConsolidationOutcome::kConsolidated;
}

Result<ConsolidationOutcome> EpisodeConsolidator::ConsolidateOne(const std::stop_token& stop) {
  if (!IsIdle()) {
    return ConsolidationOutcome::kBusy;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<ConsolidationClaim> claim,
                            store_.Claim(options_.policy, ForStore()));
  if (!claim) {
    return ConsolidationOutcome::kNothingToDo;
  }
  if (options_.may_spend && !options_.may_spend(claim->user.tenant)) {
    return GiveBack(*claim, {.user = options_.no_budget_rest, .episodes = Millis{0}},
                    ConsolidationOutcome::kNoBudget);
  }
  const Result<Completion> answer = Ask(*claim, stop);
  if (answer.ok()) {
    return Keep(*claim, *answer);
  }
  if (answer.error().code == ErrorCode::kCancelled) {
    return GiveBack(*claim, {}, ConsolidationOutcome::kInterrupted);
  }
  // One that refuses this prompt for good, which another group's may not be.
  const bool for_good = answer.error().code == ErrorCode::kBadGateway;
  UMBRANET_RETURN_IF_ERROR(store_.PutOff(
      *claim, {.user = Millis{0}, .episodes = for_good ? options_.refused_rest : Millis{0}},
      ForStore()));
  return answer.error();
}

Millis EpisodeConsolidator::PauseAfter(const Result<ConsolidationOutcome>& outcome) const {
  if (!outcome.ok()) {
    return options_.after_failure;
  }
  switch (*outcome) {
    case ConsolidationOutcome::kNothingToDo:
      return options_.look_again;
    case ConsolidationOutcome::kBusy:
    case ConsolidationOutcome::kInterrupted:
      return options_.while_busy;
    case ConsolidationOutcome::kConsolidated:
    case ConsolidationOutcome::kNoBudget:
    case ConsolidationOutcome::kRefused:
    case ConsolidationOutcome::kVoid:
      break;
  }
  return options_.pause;
}

void EpisodeConsolidator::Run(const std::stop_token& stop) {
  WorkBehindAnswers(kNice);
  {
    // Work that was left comes first, and a command that is done at once is not held up.
    const MutexLock lock(mutex_);
    changed_.WaitFor(mutex_, stop, options_.while_busy);
  }
  while (!stop.stop_requested()) {
    const Result<ConsolidationOutcome> outcome = ConsolidateOne(stop);
    if (!outcome.ok()) {
      log_.Warning("consolidation_failed", {{"error", outcome.error().message}});
    }
    const MutexLock lock(mutex_);
    changed_.WaitFor(mutex_, stop, PauseAfter(outcome));
  }
}

}  // namespace umbranet
