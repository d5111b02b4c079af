#include "tests/simulation/simulated_process.h"

#include <algorithm>
#include <utility>

namespace umbranet {
namespace {

constexpr Millis kClaimWait{60'000};
constexpr Millis kErrorPause{1'000};
constexpr Millis kLeaseKept{5'000};
constexpr Millis kSweepBudget{5'000};
constexpr Millis kStepBudget{10'000};
constexpr Millis kForwardPause{500};
constexpr Millis kChatBudget{5'000};
constexpr std::int64_t kThinkMsMax = 6'000;
constexpr std::int64_t kSweepMsMax = 4'000;
// Of a ring.
constexpr int kLostPerMille = 150;
constexpr int kDoubledPerMille = 100;
constexpr int kDelayedPerMille = 150;
constexpr std::int64_t kDelayMsMax = 20'000;

BatchProcessor::Options ProcessorOptions(TaskRunner& runner) {
  BatchProcessor::Options options;
  options.threads_max = 1;
  options.nice = 0;
  options.runner = &runner;
  return options;
}

MemoryReflector::Options ReflectorOptions(const Guards& guards, const std::string& name) {
  MemoryReflector::Options options;
  options.name = name;
  options.nice = 0;
  if (!guards.lease_cap) {
    options.lease_cap = std::chrono::hours{10'000};
  }
  return options;
}

ReflectionQueue::Options QueueOptions(const Guards& guards) {
  ReflectionQueue::Options options;
  if (!guards.look_without_ring) {
    options.poll = std::chrono::hours{10'000};
    options.poll_unhealthy = options.poll;
  }
  return options;
}

}  // namespace

// --- the bell ------------------------------------------------------------------------------------

void UncertainDoorbell::Ring(const ReflectionJob& /*job*/) noexcept {
  if (!Healthy() || random_.Chance(kLostPerMille)) {
    return;
  }
  const std::int64_t rings = random_.Chance(kDoubledPerMille) ? 2 : 1;
  if (random_.Chance(kDelayedPerMille)) {
    scheduler_.Spawn(StepScheduler::kNetwork, [&scheduler = scheduler_, &bell = bell_, rings,
                                               delay = Millis{random_.Below(kDelayMsMax)}] {
      scheduler.Sleep(delay);
      bell.rings += rings;
      scheduler.WakeResting();
    });
    return;
  }
  bell_.rings += rings;
  scheduler_.WakeResting();
}

bool UncertainDoorbell::Wait(std::stop_token /*stop*/, Deadline deadline) {
  if (bell_.rings == 0) {
    scheduler_.Rest(deadline.Remaining());
  }
  if (bell_.rings == 0) {
    return false;
  }
  --bell_.rings;
  return true;
}

// --- the model -----------------------------------------------------------------------------------

Poison SimulatedExtractor::PoisonOf(const Interaction& turn) const {
  const auto script = std::find_if(users_.begin(), users_.end(), [&turn](const UserScript& each) {
    return each.user == turn.user;
  });
  const auto number = static_cast<std::size_t>(History::NumberOf(turn.interaction_id));
  return script == users_.end() || number > script->poison.size() ? Poison::kNone
                                                                  : script->poison[number - 1];
}

Result<std::vector<ReflectionPlan>> SimulatedExtractor::Extract(const ExtractionInput& input,
                                                                Deadline deadline) {
  Request request{.name = "Extract"};
  for (const Interaction& turn : input.turns) {
    request.jobs.push_back(MakeJobId(turn.user, turn.interaction_id));
  }
  using Plans = std::vector<ReflectionPlan>;
  return world_.network.Call<Plans>(model_, request, deadline, [&]() -> Result<Plans> {
    Plans plans;
    for (const Interaction& turn : input.turns) {
      switch (PoisonOf(turn)) {
        case Poison::kNone:
          break;
        case Poison::kRefused:
          return InvalidArgument("simulation: this can never be worked out");
        case Poison::kMakesNoSense:
          return Error{ErrorCode::kBadGateway, "simulation: the answer makes no sense"};
        case Poison::kKillsWorkers:
          world_.network.Count("poison kills");
          scheduler_.Die();
      }
      ReflectionPlan plan;
      PlannedEpisode episode;
      episode.text = turn.interaction_id + " as plan " + std::to_string(++plans_made_);
      plan.episodes.push_back(episode);
      plans.push_back(std::move(plan));
    }
    return plans;
  });
}

// --- a reflector ---------------------------------------------------------------------------------

ReflectorProcess::ReflectorProcess(ProcessParts& parts, StepScheduler::Group group,
                                   const std::string& name, std::size_t workers)
    : parts_(parts),
      runner_(parts.scheduler, group),
      journal_(parts.world),
      ledger_(parts.world),
      episodic_(parts.world, parts.episodic),
      semantic_(parts.world, parts.semantic),
      procedural_(parts.world, parts.procedural),
      doorbell_(parts.clock, parts.scheduler, parts.random, parts.bell),
      extractor_(parts.world, parts.model, parts.scheduler, parts.users, parts.plans_made),
      queue_(parts.clock, ledger_, doorbell_, QueueOptions(parts.world.guards)),
      summarizer_(journal_, short_term_, parts.metrics, parts.log, {}),
      processor_(parts.clock, {journal_, ledger_, episodic_, semantic_, procedural_}, extractor_,
                 parts.metrics, parts.log, ProcessorOptions(runner_)),
      reflector_(parts.clock, queue_, processor_, summarizer_, parts.metrics, parts.log,
                 ReflectorOptions(parts.world.guards, name)) {
  SpawnActors(group, workers);
}

void ReflectorProcess::SpawnActors(StepScheduler::Group group, std::size_t workers) {
  StepScheduler& scheduler = parts_.scheduler;
  const Clock& clock = parts_.clock;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    scheduler.Spawn(group, [this, &scheduler, &clock, name = std::to_string(worker)] {
      for (;;) {
        const Deadline deadline = parts_.world.guards.look_without_ring
                                      ? Deadline::After(clock, kClaimWait)
                                      : Deadline::Never();
        if (!reflector_.WorkOnce(name, {}, deadline).ok()) {
          scheduler.Sleep(kErrorPause);
        }
      }
    });
  }
  scheduler.Spawn(group, [this, &scheduler] {
    for (;;) {
      scheduler.Sleep(kLeaseKept);
      reflector_.ExtendLeases();
    }
  });
  if (!parts_.world.guards.sweeper) {
    return;
  }
  scheduler.Spawn(group, [this, &scheduler, &clock] {
    for (;;) {
      [[maybe_unused]] const auto swept = queue_.Sweep(Deadline::After(clock, kSweepBudget));
      scheduler.Sleep(Millis{parts_.random.Between(1'000, kSweepMsMax)});
    }
  });
}

// --- who takes turns in --------------------------------------------------------------------------

ApiProcess::ApiProcess(ProcessParts& parts, StepScheduler::Group group, std::size_t number,
                       TurnSpool* spool)
    : parts_(parts),
      runner_(parts.scheduler, group),
      stored_(parts.world),
      ledger_(parts.world),
      episodic_(parts.world, parts.episodic),
      semantic_(parts.world, parts.semantic),
      procedural_(parts.world, parts.procedural),
      doorbell_(parts.clock, parts.scheduler, parts.random, parts.bell),
      spool_(spool),
      recall_pool_({.name = "recall", .threads_min = 0}),
      manager_(parts.clock, recall_pool_,
               {.journal = spool == nullptr ? static_cast<Journal&>(stored_)
                                            : spooling_.emplace(parts.clock, stored_, *spool, book_,
                                                                SpoolingJournal::Options{}),
                .ledger = ledger_,
                .doorbell = doorbell_,
                .short_term = short_term_,
                .episodic = episodic_,
                .semantic = semantic_,
                .procedural = procedural_,
                .spool = spool},
               MemoryManager::Options{}) {
  if (spool != nullptr) {
    const auto waiting = spool->WaitingByUser(Deadline::Never());
    for (const auto& [user, turns] : *waiting) {
      book_.Add(user, turns);
    }
    SpoolForwarder::Options options;
    options.runner = &runner_;
    forwarder_.emplace(parts.clock, stored_, *spool, book_, &doorbell_, parts.metrics, parts.log,
                       options);
  }
  SpawnActors(group, number);
}

void ApiProcess::SpawnActors(StepScheduler::Group group, std::size_t number) {
  StepScheduler& scheduler = parts_.scheduler;
  for (UserScript& script : parts_.users) {
    if (script.home == number) {
      scheduler.Spawn(group, [this, &script] { Talk(script); });
    }
  }
  if (forwarder_) {
    scheduler.Spawn(group, [this, &scheduler] {
      for (;;) {
        const auto report = forwarder_->Step(Deadline::After(parts_.clock, kStepBudget));
        if (!report.ok() || report->forwarded == 0) {
          scheduler.Sleep(kForwardPause);
        }
      }
    });
  }
}

void ApiProcess::Talk(UserScript& script) {
  for (;;) {
    parts_.scheduler.Sleep(Millis{parts_.random.Below(kThinkMsMax)});
    if (script.answered == script.forget_after) {
      if (Forget(script)) {
        script.forget_after = -1;
      }
    } else if (script.answered == script.turns) {
      return;
    } else if (Say(script)) {
      ++script.answered;
    }
  }
}

bool ApiProcess::Say(UserScript& script) {
  const std::int64_t number = script.answered + 1;
  Interaction turn;
  turn.interaction_id = History::TurnId(script.user, number);
  turn.user = script.user;
  turn.session_id = number % 3 == 0 ? "evening" : "morning";
  turn.user_message = "This is turn " + turn.interaction_id;
  turn.priority = static_cast<Priority>(number % 3);
  const std::vector<Interaction> turns = {turn};
  const bool answers_first = !parts_.world.guards.durable_before_answer;
  if (answers_first) {
    script.answered = number;
    parts_.world.history.Accepted(script.user, number);
  }
  const auto remembered = manager_.Remember(turns, RunMode::kBackground, "",
                                            Deadline::After(parts_.clock, kChatBudget));
  if (!parts_.world.guards.spool_keeps_order) {
    book_.Remove(script.user, book_.Waiting());
  }
  if (!remembered.ok() || answers_first) {
    return false;
  }
  parts_.world.history.Accepted(script.user, number);
  return true;
}

bool ApiProcess::Forget(UserScript& script) {
  const auto forgotten =
      manager_.ForgetUser(script.user, Deadline::After(parts_.clock, kChatBudget));
  if (forgotten.ok()) {
    parts_.world.history.Forgotten(script.user, script.answered);
  }
  return forgotten.ok();
}

}  // namespace umbranet
