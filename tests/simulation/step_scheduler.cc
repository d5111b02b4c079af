#include "tests/simulation/step_scheduler.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace umbranet {
namespace {

// How far time moves with one step, at most.
constexpr std::int64_t kStepMsMax = 20;
// A wait without an end that anybody could reach.
constexpr std::chrono::hours kLong{24 * 365};

}  // namespace

StepScheduler::StepScheduler(ManualClock& clock, SeededRandom& random)
    : clock_(clock), random_(random), paused_until_(1) {}

StepScheduler::~StepScheduler() {
  for (Group group = paused_until_.size(); group-- > 0;) {
    Kill(group);
  }
}

void StepScheduler::Yield(Wait wait, std::chrono::nanoseconds at_most) {
  Actor& self = *current_;
  if (std::uncaught_exceptions() > 0) {
    return;  // It is being unwound: what it does on the way is done without anybody's help.
  }
  self.wait = wait;
  self.until = clock_.SteadyNow() + std::min<std::chrono::nanoseconds>(at_most, kLong);
  self.fiber.Yield();
  if (self.killed) {
    throw Killed{};
  }
}

void StepScheduler::Step() {
  Yield(Wait::kNothing, {});
}

void StepScheduler::Sleep(std::chrono::nanoseconds time) {
  Yield(Wait::kTime, time);
}

void StepScheduler::Rest(std::chrono::nanoseconds at_most) {
  Yield(Wait::kRest, at_most);
}

void StepScheduler::AwaitAnother(std::chrono::nanoseconds at_most) {
  Yield(Wait::kAnother, at_most);
}

void StepScheduler::Hang() {
  for (;;) {
    Yield(Wait::kForEver, kLong);
  }
}

void StepScheduler::Die() {
  dead_.push_back(current_->group);
  throw Killed{};
}

StepScheduler::Group StepScheduler::NewGroup() {
  paused_until_.emplace_back();
  return paused_until_.size() - 1;
}

void StepScheduler::Spawn(Group group, std::function<void()> body) {
  auto actor = std::make_unique<Actor>([body = std::move(body)] {
    try {
      body();
    } catch (const Killed&) {
      return;  // That is all that is left of it.
    }
  });
  actor->group = group;
  actors_.push_back(std::move(actor));
}

void StepScheduler::WakeResting() {
  for (const auto& actor : actors_) {
    if (actor->wait == Wait::kRest) {
      actor->until = clock_.SteadyNow();
    }
  }
}

bool StepScheduler::IsPaused(Group group) const {
  return paused_until_[group] > clock_.SteadyNow();
}

bool StepScheduler::IsReady(const Actor& actor) const {
  return actor.wait != Wait::kForEver && !IsPaused(actor.group) &&
         (actor.wait == Wait::kNothing || actor.until <= clock_.SteadyNow());
}

StepScheduler::Actor* StepScheduler::PickReady() {
  const auto ready = std::count_if(actors_.begin(), actors_.end(),
                                   [this](const auto& actor) { return IsReady(*actor); });
  if (ready == 0) {
    return nullptr;
  }
  std::int64_t chosen = random_.Below(ready);
  for (const auto& actor : actors_) {
    if (IsReady(*actor) && chosen-- == 0) {
      return actor.get();
    }
  }
  return nullptr;
}

void StepScheduler::PassTime() {
  std::optional<SteadyTime> next;
  for (const bool resting : {false, true}) {
    for (const auto& actor : actors_) {
      if (actor->wait != Wait::kForEver && (actor->wait == Wait::kRest) == resting) {
        const SteadyTime at = std::max(actor->until, paused_until_[actor->group]);
        next = std::min(next.value_or(at), at);
      }
    }
    if (next) {
      break;
    }
  }
  const SteadyTime now = clock_.SteadyNow();
  clock_.Advance(!next || *next <= now ? Millis{1} : std::chrono::ceil<Millis>(*next - now));
}

void StepScheduler::Finish(const Actor& actor) {
  for (const auto& other : actors_) {
    if (other->group == actor.group && other->wait == Wait::kAnother) {
      other->until = clock_.SteadyNow();
    }
  }
  std::erase_if(actors_, [&actor](const auto& each) { return each.get() == &actor; });
}

bool StepScheduler::RunOne() {
  if (actors_.empty()) {
    return false;
  }
  ++steps_;
  clock_.Advance(Millis{random_.Below(kStepMsMax)});
  Actor* actor = PickReady();
  while (actor == nullptr) {
    PassTime();
    actor = PickReady();
  }
  current_ = actor;
  actor->fiber.Resume();
  current_ = nullptr;
  if (actor->fiber.finished()) {
    Finish(*actor);
  }
  return true;
}

void StepScheduler::Pause(Group group, Millis time) {
  paused_until_[group] = std::max(paused_until_[group], clock_.SteadyNow() + time);
}

void StepScheduler::Unwind(Actor& actor) {
  if (!actor.fiber.started()) {
    return;
  }
  actor.killed = true;
  Actor* const before = std::exchange(current_, &actor);
  while (!actor.fiber.finished()) {
    actor.fiber.Resume();
  }
  current_ = before;
}

void StepScheduler::Kill(Group group) {
  // The youngest first: a task may know its maker's stack.
  for (std::size_t i = actors_.size(); i-- > 0;) {
    if (actors_[i]->group == group) {
      Unwind(*actors_[i]);
      actors_.erase(actors_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  paused_until_[group] = {};
}

std::vector<StepScheduler::Group> StepScheduler::TakeDead() {
  return std::exchange(dead_, {});
}

bool SteppedRunner::TrySubmit(Task task) {
  scheduler_.Spawn(group_, std::move(task));
  return true;
}

void SteppedRunner::WaitOn(ConditionVariable& /*changed*/, Mutex& mutex, std::stop_token /*stop*/,
                           std::chrono::nanoseconds at_most) NO_THREAD_SAFETY_ANALYSIS {
  mutex.unlock();

  // An exception would find the mutex unlocked, and its guard would unlock it again.
  struct Relock {
    explicit Relock(Mutex& relocked) : mutex(relocked) {}

    ~Relock() NO_THREAD_SAFETY_ANALYSIS { mutex.lock(); }

    Mutex& mutex;
  } const relock(mutex);

  scheduler_.AwaitAnother(at_most);
}

}  // namespace umbranet
