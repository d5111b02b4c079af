#include "umbranet/reflection/batch_processor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "umbranet/base/crash_point.h"
#include "umbranet/reflection/completed_plan.h"
#include "umbranet/reflection/failure_classification.h"
#include "umbranet/reflection/plan_codec.h"
#include "umbranet/reflection/plan_extraction.h"
#include "umbranet/reflection/shadow_runner.h"
#include "umbranet/reflection/supervised_calls.h"

namespace umbranet {
namespace {

using Plans = std::vector<ReflectionPlan>;

// One job of the batch, and how far it has come.
struct JobWork {
  const ClaimedJob* claimed = nullptr;
  const Interaction* turn = nullptr;
  std::optional<ReflectionPlan> plan;
  TierMask done = 0;
  std::optional<JobFailure> failure;

  [[nodiscard]] bool Finished() const { return done == kAllReflectedTiers; }
};

int Severity(FailureKind kind) {
  switch (kind) {
    case FailureKind::kSystemic:
      return 0;
    case FailureKind::kTransient:
      return 1;
    case FailureKind::kPermanent:
      return 2;
  }
  return 1;
}

// A job has one failure on record: the gravest, with everything that was said.
void AddFailure(JobWork& job, FailureKind kind, std::string_view tier, const Error& error) {
  const std::string said = tier.empty() ? error.message : std::string(tier) + ": " + error.message;
  if (!job.failure) {
    job.failure =
        JobFailure{job.claimed->job.job_id, kind, std::string(tier), said, error.retry_after};
    return;
  }
  JobFailure& failure = *job.failure;
  if (Severity(kind) > Severity(failure.kind)) {
    failure.kind = kind;
    failure.tier = tier;
  }
  failure.error += "; " + said;
  if (error.retry_after) {
    failure.retry_after = std::max(failure.retry_after.value_or(Millis{0}), *error.retry_after);
  }
}

}  // namespace

// --- one batch -----------------------------------------------------------------------------------

class BatchProcessor::Run {
 public:
  Run(BatchProcessor& processor, const ClaimedBatch& batch, std::stop_token stop, Deadline deadline)
      : processor_(processor),
        batch_(batch),
        stop_(std::move(stop)),
        deadline_(deadline),
        // A batch has as many origins as it has turns, so it is a trace of its own.
        span_(processor.clock_, processor.log_, "reflect_batch", NewTrace()) {}

  BatchResult Work() {
    Prepare();
    LoadTurns();
    ReadSavedPlans();
    ExtractMissingPlans();
    ApplyPlans();
    return Conclude();
  }

 private:
  [[nodiscard]] bool Over() const { return ending_ != BatchResult::Ending::kSettle; }

  [[nodiscard]] Deadline StoreDeadline() const {
    return deadline_.Within(processor_.clock_, processor_.options_.store_budget);
  }

  // True when the error ends the whole batch.
  bool LosesLease(const Error& error) {
    if (error.code != ErrorCode::kAborted) {
      return false;
    }
    ending_ = BatchResult::Ending::kLeaseLost;
    return true;
  }

  template <typename Predicate>
  void FailEach(const Error& error, std::string_view tier, Predicate concerned) {
    const auto inputs =
        static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), concerned));
    for (JobWork& job : jobs_) {
      if (concerned(job)) {
        AddFailure(job, ClassifyFailure(error.code, inputs), tier, error);
      }
    }
  }

  void Prepare() {
    for (const ClaimedJob& claimed : batch_.jobs) {
      JobWork& job = jobs_.emplace_back();
      job.claimed = &claimed;
      job.done = claimed.tiers_done & kAllReflectedTiers;
      processor_.metrics_.reflection_tier_already_applied_total.Increment(
          static_cast<double>(std::popcount(job.done)));
    }
  }

  void LoadTurns() {
    std::vector<std::string> ids;
    for (const JobWork& job : jobs_) {
      ids.push_back(job.claimed->job.interaction_id);
    }
    auto turns = processor_.stores_.journal.Read(batch_.user, ids, StoreDeadline());
    if (!turns.ok()) {
      if (!LosesLease(turns.error())) {
        FailEach(turns.error(), "", [](const JobWork& job) { return !job.Finished(); });
      }
      return;
    }
    turns_ = std::move(turns).value();
    std::vector<TierProgress> gone;
    for (JobWork& job : jobs_) {
      const auto turn = std::find_if(turns_.begin(), turns_.end(), [&job](const Interaction& each) {
        return each.interaction_id == job.claimed->job.interaction_id;
      });
      if (turn != turns_.end()) {
        job.turn = &*turn;
      } else if (!job.Finished()) {
        // The turn was erased after its job was claimed: there is nothing left to work out.
        gone.push_back({job.claimed->job.job_id, kAllReflectedTiers});
        job.done = kAllReflectedTiers;
        processor_.log_.Info("reflection_turn_gone", {{"job_id", job.claimed->job.job_id}});
      }
    }
    if (!gone.empty()) {
      MarkDone(gone);
    }
  }

  void MarkDone(std::span<const TierProgress> progress) {
    const Status marked =
        processor_.stores_.ledger.MarkTiersDone(batch_.lease, progress, StoreDeadline());
    UMBRANET_CRASH_POINT_PASSED("progress.after_commit");
    if (marked.ok() || LosesLease(marked.error())) {
      return;
    }
    // The tiers hold their rows and markers; the next attempt finds them and only marks again.
    for (const TierProgress& each : progress) {
      for (JobWork& job : jobs_) {
        if (job.claimed->job.job_id == each.job_id) {
          AddFailure(job, ClassifyFailure(marked.error().code, progress.size()), "",
                     marked.error());
        }
      }
    }
  }

  void ReadSavedPlans() {
    for (JobWork& job : jobs_) {
      if (!Over() && !job.Finished() && !job.failure && !job.claimed->plan.empty()) {
        UsePlan(job, job.claimed->plan);
      }
    }
  }

  void UsePlan(JobWork& job, std::string_view bytes) {
    auto plan = DecodePlan(bytes);
    if (!plan.ok()) {
      // It is the plan in force and will not get better.
      AddFailure(job, FailureKind::kPermanent, "", plan.error());
    } else if (plan->job_id != job.claimed->job.job_id || plan->user != batch_.user) {
      AddFailure(job, FailureKind::kPermanent, "",
                 {ErrorCode::kDataLoss, "plan: it was made for another job", std::nullopt});
    } else {
      job.plan = std::move(plan).value();
    }
  }

  void ExtractMissingPlans() {
    const auto groups = GroupTurns();
    if (Over() || groups->empty() || Interrupted()) {
      return;
    }
    TraceSpan span(span_, "extract");
    const Deadline until = deadline_.Within(processor_.clock_, processor_.options_.extract_budget);
    const Deadline last = WithOverstay(until);
    SupervisedCalls<std::vector<ExtractedGroup>> calls(processor_.runner());
    // It may outlive the run: it knows the processor's own alone.
    calls.Start(0, [sources = processor_.Sources(), user = batch_.user, groups, until] {
      return ExtractGroups(sources, user, *groups, until);
    });
    auto finished = Await(calls, last);
    if (Over()) {
      return;
    }
    const auto lacks_plan = [](const JobWork& job) {
      return !job.Finished() && !job.failure && !job.plan;
    };
    if (finished.empty()) {
      FailEach(DeadlineExceeded("extractor: no plan within its time"), "", lacks_plan);
      return;
    }
    if (!finished.front().result.ok()) {
      FailEach(finished.front().result.error(), "", lacks_plan);
      return;
    }
    SavePlans(*groups, std::move(finished.front().result).value());
  }

  [[nodiscard]] std::shared_ptr<std::vector<TurnGroup>> GroupTurns() const {
    const bool together = processor_.extractor_.Scope().sessions_together;
    auto groups = std::make_shared<std::vector<TurnGroup>>();
    std::map<std::string_view, std::size_t> place;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const JobWork& job = jobs_[i];
      if (job.Finished() || job.failure || job.plan || job.turn == nullptr) {
        continue;
      }
      const auto [at, first] = place.try_emplace(
          together ? std::string_view() : std::string_view(job.turn->session_id), groups->size());
      if (first) {
        groups->emplace_back();
      }
      (*groups)[at->second].jobs.push_back(i);
    }
    for (TurnGroup& group : *groups) {
      std::sort(group.jobs.begin(), group.jobs.end(), [this](std::size_t a, std::size_t b) {
        return jobs_[a].turn->sequence < jobs_[b].turn->sequence;
      });
      for (const std::size_t i : group.jobs) {
        group.input.turns.push_back(*jobs_[i].turn);
      }
    }
    return groups;
  }

  void SavePlans(const std::vector<TurnGroup>& groups, std::vector<ExtractedGroup> extracted) {
    const bool cancelled =
        std::any_of(extracted.begin(), extracted.end(), [](const ExtractedGroup& group) {
          return group.error && group.error->code == ErrorCode::kCancelled;
        });
    if (cancelled) {
      // The extractor was stopped: that is nobody's failure.
      ending_ = BatchResult::Ending::kInterrupted;
      return;
    }
    std::vector<PlanRecord> records;
    std::vector<std::size_t> owners;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::vector<std::size_t>& members = groups[g].jobs;
      for (std::size_t i = 0; i < members.size(); ++i) {
        JobWork& job = jobs_[members[i]];
        if (extracted[g].error) {
          AddFailure(job, ClassifyFailure(extracted[g].error->code, members.size()),
                     extracted[g].tier, *extracted[g].error);
          continue;
        }
        const ReflectionPlan plan =
            CompletedPlan(std::move(extracted[g].plans[i]), job.claimed->job.job_id, *job.turn,
                          processor_.extractor_.Name());
        auto bytes = EncodePlan(plan);
        if (bytes.ok()) {
          records.push_back({plan.job_id, std::move(bytes).value(), plan.fallback});
          owners.push_back(members[i]);
        } else {
          // A model may do better the next time, so this counts and is tried again.
          AddFailure(job, FailureKind::kTransient, "", bytes.error());
        }
      }
    }
    if (records.empty()) {
      return;
    }
    UMBRANET_CRASH_POINT_PASSED("plan.before_save");
    auto in_force = processor_.stores_.ledger.SavePlans(batch_.lease, records, StoreDeadline());
    UMBRANET_CRASH_POINT_PASSED("plan.after_save");
    if (!in_force.ok() && LosesLease(in_force.error())) {
      return;
    }
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (in_force.ok()) {
        UsePlan(jobs_[owners[i]], (*in_force)[i].plan);
      } else {
        AddFailure(jobs_[owners[i]], ClassifyFailure(in_force.error().code, owners.size()), "",
                   in_force.error());
      }
    }
    OfferToShadow(groups, extracted);
  }

  void OfferToShadow(const std::vector<TurnGroup>& groups,
                     const std::vector<ExtractedGroup>& extracted) {
    for (std::size_t g = 0; processor_.stores_.shadow != nullptr && g < groups.size(); ++g) {
      for (std::size_t i = 0; extracted[g].input != nullptr && i < groups[g].jobs.size(); ++i) {
        const JobWork& job = jobs_[groups[g].jobs[i]];
        if (job.plan) {
          processor_.stores_.shadow->Offer({.input = extracted[g].input,
                                            .index = i,
                                            .in_force = *job.plan,
                                            .control_ms = extracted[g].took_ms});
        }
      }
    }
  }

  void ApplyPlans() {
    if (Over()) {
      return;
    }
    const std::array<TierProcessor*, 3> tiers = {&processor_.episodic_, &processor_.semantic_,
                                                 &processor_.procedural_};
    // Counted from here, and not from when a thread gets round to it.
    const Deadline until = deadline_.Within(processor_.clock_, processor_.options_.tier_budget);
    const Deadline last = WithOverstay(until);
    SupervisedCalls<void> calls(processor_.runner());
    std::array<bool, 3> open{};
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      const auto plans = PlansLacking(tiers[i]->tier());
      if (!plans->empty()) {
        open.at(i) = true;
        calls.Start(i, [tier = tiers[i], plans, lease = batch_.lease, until] {
          return tier->Process(*plans, lease, until);
        });
      }
    }
    // Set while tiers are done of which the ledger has not been told.
    std::optional<Deadline> mark_by;
    while (calls.Running() > 0) {
      const auto finished =
          Await(calls, mark_by ? last.Within(processor_.clock_, mark_by->Remaining()) : last);
      if (finished.empty() && (!mark_by || last.Expired() || Over())) {
        break;
      }
      RecordTiers(tiers, open, finished);
      if (applied_ == 0) {
        continue;
      }
      if (!mark_by) {
        mark_by = Deadline::After(processor_.clock_, processor_.options_.progress_grace);
      }
      if (calls.Running() == 0 || mark_by->Expired()) {
        MarkApplied();
        mark_by.reset();
      }
    }
    MarkApplied();
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      if (open.at(i) && !Over()) {
        FailTier(tiers[i]->tier(), DeadlineExceeded("not done within its time"));
      }
    }
  }

  // Of the jobs that can be applied at all, those that lack the tier.
  [[nodiscard]] std::shared_ptr<const Plans> PlansLacking(Tier tier) const {
    auto plans = std::make_shared<Plans>();
    for (const JobWork& job : jobs_) {
      if (Lacks(job, tier)) {
        plans->push_back(*job.plan);
      }
    }
    return plans;
  }

  static bool Lacks(const JobWork& job, Tier tier) {
    return job.plan.has_value() && (job.done & TierBit(tier)) == 0;
  }

  void RecordTiers(const std::array<TierProcessor*, 3>& tiers, std::array<bool, 3>& open,
                   const std::vector<SupervisedCalls<void>::Finished>& finished) {
    for (const auto& [call, status] : finished) {
      open.at(call) = false;
      const Tier tier = tiers.at(call)->tier();
      if (status.ok()) {
        applied_ |= TierBit(tier);
      } else if (!LosesLease(status.error())) {
        FailTier(tier, status.error());
      }
    }
  }

  // Tells the ledger of the tiers that are done. A transaction each would cost more than most tiers
  // do: those that are done within a moment of one another are told of together.
  void MarkApplied() {
    const TierMask applied = std::exchange(applied_, TierMask{0});
    if (applied == 0 || ending_ == BatchResult::Ending::kLeaseLost) {
      return;
    }
    std::vector<TierProgress> progress;
    for (JobWork& job : jobs_) {
      const auto news = static_cast<TierMask>(applied & ~job.done);
      if (job.plan && news != 0) {
        progress.push_back({job.claimed->job.job_id, news});
        job.done |= news;
      }
    }
    MarkDone(progress);
  }

  void FailTier(Tier tier, const Error& error) {
    FailEach(error, TierName(tier), [tier](const JobWork& job) { return Lacks(job, tier); });
  }

  // Calls that keep to their deadline come back with an error of their own just after it.
  [[nodiscard]] Deadline WithOverstay(Deadline until) const {
    return Deadline::After(
        processor_.clock_,
        until.Remaining() + std::chrono::nanoseconds(processor_.options_.overstay));
  }

  // Waits for calls to finish, at the longest until `last`, or for the grace after a stop. Empty:
  // whoever still runs has overstayed, or the stop's grace is over (and then Over()).
  template <typename T>
  std::vector<typename SupervisedCalls<T>::Finished> Await(SupervisedCalls<T>& calls,
                                                           Deadline last) {
    if (!stop_.stop_requested()) {
      auto finished = calls.Collect(stop_, last);
      if (!finished.empty() || !stop_.stop_requested()) {
        return finished;
      }
    }
    if (!grace_) {
      grace_ = Deadline::After(processor_.clock_, processor_.options_.stop_grace);
    }
    auto finished = calls.Collect({}, last.Within(processor_.clock_, grace_->Remaining()));
    if (finished.empty() && grace_->Expired() && !Over()) {
      ending_ = BatchResult::Ending::kInterrupted;
    }
    return finished;
  }

  // A stop that came between two steps: what follows can wait for the next start.
  bool Interrupted() {
    if (!stop_.stop_requested()) {
      return false;
    }
    const bool unfinished = std::any_of(jobs_.begin(), jobs_.end(), [](const JobWork& job) {
      return !job.Finished() && !job.failure;
    });
    if (unfinished && !Over()) {
      ending_ = BatchResult::Ending::kInterrupted;
    }
    return Over();
  }

  BatchResult Conclude() {
    BatchResult result;
    result.ending = ending_;
    if (Over()) {
      span_.End(ending_ == BatchResult::Ending::kLeaseLost ? "lease_lost" : "interrupted");
      return result;
    }
    for (JobWork& job : jobs_) {
      if (job.failure) {
        result.failures.push_back(std::move(*job.failure));
      } else if (job.Finished()) {
        result.reflected.push_back(
            {job.claimed->job.job_id, job.claimed->job.priority,
             job.turn == nullptr ? std::string() : job.turn->session_id,
             job.turn == nullptr ? std::optional<Timestamp>() : job.turn->accepted_at});
      }
    }
    span_.End(result.failures.empty() ? "ok" : "failed");
    return result;
  }

  BatchProcessor& processor_;
  const ClaimedBatch& batch_;
  const std::stop_token stop_;
  const Deadline deadline_;
  TraceSpan span_;
  std::optional<Deadline> grace_;
  std::vector<Interaction> turns_;
  std::vector<JobWork> jobs_;
  TierMask applied_ = 0;  // By this run, and not marked yet.
  BatchResult::Ending ending_ = BatchResult::Ending::kSettle;
};

// --- the processor -------------------------------------------------------------------------------

BatchProcessor::BatchProcessor(const Clock& clock, Stores stores, Extractor& extractor,
                               Metrics& metrics, StructuredLog& log, Options options)
    : clock_(clock),
      stores_(stores),
      extractor_(extractor),
      metrics_(metrics),
      log_(log),
      options_(options),
      episodic_(clock, metrics, stores.episodic, options.tier_budget, stores.embedder),
      semantic_(clock, metrics, stores.semantic, options.tier_budget),
      procedural_(clock, metrics, stores.procedural, options.tier_budget),
      pool_({.name = "reflect-tier",
             .threads_min = 0,
             .threads_max = options.threads_max,
             .queue_max = options.threads_max,
             .idle_after = Millis{10'000},
             .nice = options.nice}) {}

BatchProcessor::~BatchProcessor() = default;

PlanSources BatchProcessor::Sources() {
  return {.clock = clock_,
          .journal = stores_.journal,
          .semantic = stores_.semantic,
          .procedural = stores_.procedural,
          .extractor = extractor_,
          .preceding_turns_max = options_.preceding_turns_max,
          .known_entities_max = options_.known_entities_max,
          .known_rules_max = options_.known_rules_max,
          .known_facts_max = options_.known_facts_max};
}

BatchResult BatchProcessor::Process(const ClaimedBatch& batch, std::stop_token stop,
                                    Deadline deadline) {
  return Run(*this, batch, std::move(stop), deadline).Work();
}

}  // namespace umbranet
