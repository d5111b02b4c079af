#include "umbranet/reflection/shadow_runner.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "umbranet/base/thread_urgency.h"
#include "umbranet/reflection/plan_codec.h"

namespace umbranet {
namespace {

std::uint32_t MillisOf(std::chrono::nanoseconds time) {
  const auto millis = std::chrono::duration_cast<Millis>(time).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(millis, 0, std::numeric_limits<std::uint32_t>::max()));
}

// The first digits of a job id, which is a hash, as a share of a hundred.
std::uint32_t ShareOf(const std::string& job_id) {
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : job_id) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  }
  return hash % 100;
}

}  // namespace

ExtractionInput InputOfTurnAlone(const ShadowTurn& turn, std::size_t preceding_max) {
  const ExtractionInput& batch = *turn.input;
  const Interaction& alone = batch.turns[turn.index];
  ExtractionInput input;
  for (const std::vector<Interaction>* turns : {&batch.preceding, &batch.turns}) {
    for (const Interaction& other : *turns) {
      if (other.session_id == alone.session_id && other.sequence < alone.sequence) {
        input.preceding.push_back(other);
      }
    }
  }
  std::sort(input.preceding.begin(), input.preceding.end(),
            [](const Interaction& a, const Interaction& b) { return a.sequence < b.sequence; });
  if (input.preceding.size() > preceding_max) {
    input.preceding.erase(input.preceding.begin(),
                          input.preceding.end() - static_cast<std::ptrdiff_t>(preceding_max));
  }
  input.turns = {alone};
  input.known_entities = batch.known_entities;
  input.known_rules = batch.known_rules;
  input.known_facts = batch.known_facts;
  return input;
}

ShadowRunner::ShadowRunner(const Clock& clock, Extractor& candidate, ShadowRecords& records,
                           Metrics& metrics, StructuredLog& log, Options options)
    : clock_(clock),
      candidate_(candidate),
      records_(records),
      metrics_(metrics),
      log_(log),
      options_(std::move(options)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ShadowRunner::~ShadowRunner() {
  thread_.request_stop();
  const MutexLock lock(mutex_);
  waiting_.clear();
  changed_.NotifyAll();
}

bool ShadowRunner::IsChosen(const std::string& job_id) const {
  return ShareOf(job_id) < options_.percent;
}

void ShadowRunner::Offer(ShadowTurn turn) {
  if (!IsChosen(turn.in_force.job_id)) {
    return;
  }
  const MutexLock lock(mutex_);
  if (waiting_.size() >= options_.waiting_max) {
    metrics_.reflection_shadow_total.At("passed_over").Increment();
    return;
  }
  waiting_.push_back(std::move(turn));
  changed_.NotifyAll();
}

bool ShadowRunner::AwaitIdle(Deadline deadline) {
  const MutexLock lock(mutex_);
  while (at_work_ || !waiting_.empty()) {
    if (deadline.Expired()) {
      return false;
    }
    changed_.WaitFor(mutex_, Millis{10});
  }
  return true;
}

void ShadowRunner::Run(const std::stop_token& stop) {
  WorkBehindAnswers(options_.nice);
  for (;;) {
    ShadowTurn turn;
    {
      const MutexLock lock(mutex_);
      at_work_ = false;
      changed_.NotifyAll();
      while (waiting_.empty() && !stop.stop_requested()) {
        changed_.Wait(mutex_);
      }
      if (stop.stop_requested()) {
        return;
      }
      turn = std::move(waiting_.front());
      waiting_.pop_front();
      at_work_ = true;
    }
    Try(turn);
  }
}

void ShadowRunner::Try(const ShadowTurn& turn) {
  const ReflectionPlan& in_force = turn.in_force;
  ShadowRun run{.job_id = in_force.job_id,
                .user = in_force.user,
                .candidate = options_.candidate,
                .at = clock_.Now(),
                .control_ms = turn.control_ms};
  const std::uint64_t unanswered = options_.unanswered ? options_.unanswered() : 0;
  const SteadyTime from = clock_.SteadyNow();
  auto plans = candidate_.Extract(InputOfTurnAlone(turn, options_.preceding_max),
                                  Deadline::After(clock_, options_.extract_budget));
  run.candidate_ms = MillisOf(clock_.SteadyNow() - from);
  // What the plan in force took is taken off, and the candidate's own time put in its place.
  const Timestamp accepted_at = turn.input->turns[turn.index].accepted_at;
  const std::uint32_t until_now = MillisOf(run.at - accepted_at);
  run.end_to_end_ms = until_now - std::min(until_now, run.control_ms) + run.candidate_ms;
  if (options_.unanswered && options_.unanswered() != unanswered) {
    run.outcome = ShadowOutcome::kUnanswered;
    run.error = "the model was not asked this before";
  } else if (!plans.ok() || plans->size() != 1) {
    run.outcome = ShadowOutcome::kFailed;
    run.error = plans.ok() ? "not one plan for one turn" : plans.error().message;
  } else {
    ReflectionPlan& plan = plans->front();
    plan.job_id = in_force.job_id;
    plan.interaction_id = in_force.interaction_id;
    plan.user = in_force.user;
    plan.session_id = in_force.session_id;
    plan.occurred_at = in_force.occurred_at;
    plan.sequence = in_force.sequence;
    run.comparison = ComparePlans(in_force, plan);
    auto bytes = EncodePlan(plan);
    run.plan = bytes.ok() && bytes->size() <= kShadowPlanBytes ? std::move(bytes).value() : "";
  }
  metrics_.reflection_shadow_total
      .At(run.outcome == ShadowOutcome::kFailed ? "failed"
          : run.outcome == ShadowOutcome::kUnanswered
              ? "unanswered"
              : PlanDifferenceName(run.comparison.difference))
      .Increment();
  const Status saved = records_.Save(run, Deadline::After(clock_, options_.store_budget));
  if (!saved.ok()) {
    log_.Warning("shadow_run_not_saved",
                 {{"job_id", run.job_id}, {"error", saved.error().message}});
  }
}

}  // namespace umbranet
