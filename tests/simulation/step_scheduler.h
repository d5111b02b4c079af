// Who does the next step, and when: actors take turns, one at a time, in an order that a seed
// decides, on a clock that moves only here. An actor is code that blocks as it does in the product,
// and says so to the scheduler in place of the operating system.
//
// Actors belong to groups, which stand for processes: a group is paused or killed as a whole. A
// killed actor is unwound by an exception that nobody catches but the scheduler, so that it leaves
// nothing behind in this process; everything it would still have done to the world outside stays
// undone.
//
// For one thread. The methods of the first section are for actors, those of the second for who runs
// the scheduler.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/task_runner.h"

#include "tests/doubles/manual_clock.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/seeded_random.h"

namespace umbranet {

class StepScheduler {
 public:
  using Group = std::size_t;
  // Of actors that are nobody's: requests that have left their sender.
  static constexpr Group kNetwork = 0;

  StepScheduler(ManualClock& clock, SeededRandom& random);
  // Kills every actor.
  ~StepScheduler();
  StepScheduler(const StepScheduler&) = delete;
  StepScheduler& operator=(const StepScheduler&) = delete;

  // --- for actors

  // Lets others have their turn.
  void Step();
  void Sleep(std::chrono::nanoseconds time);
  // As Sleep, for one who only looks now and then: alone he does not make time pass.
  void Rest(std::chrono::nanoseconds at_most);
  // As Sleep, but ends as soon as an actor of the same group has finished.
  void AwaitAnother(std::chrono::nanoseconds at_most);
  // For one that never comes back: until it is killed.
  [[noreturn]] void Hang();
  // The end of the actor's whole group.
  [[noreturn]] void Die();

  // --- for all

  Group NewGroup();
  void Spawn(Group group, std::function<void()> body);
  // Ends the rests of all actors.
  void WakeResting();

  // --- for who runs it

  // One step of one actor; when nobody is ready, time passes until somebody is. False: there is no
  // actor.
  bool RunOne();
  void Pause(Group group, Millis time);
  void Kill(Group group);
  // Groups that died by their own hand since this was last asked.
  std::vector<Group> TakeDead();

  [[nodiscard]] bool IsPaused(Group group) const;

  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  struct Killed {};

  enum class Wait : std::uint8_t { kNothing, kTime, kRest, kAnother, kForEver };

  struct Actor {
    explicit Actor(std::function<void()> body) : fiber(std::move(body)) {}

    Group group = kNetwork;
    Wait wait = Wait::kNothing;
    SteadyTime until{};
    bool killed = false;
    Fiber fiber;
  };

  void Yield(Wait wait, std::chrono::nanoseconds at_most);
  [[nodiscard]] bool IsReady(const Actor& actor) const;
  Actor* PickReady();
  void PassTime();
  void Finish(const Actor& actor);
  void Unwind(Actor& actor);

  ManualClock& clock_;
  SeededRandom& random_;
  std::vector<std::unique_ptr<Actor>> actors_;  // In the order of their making.
  std::vector<SteadyTime> paused_until_;        // Of each group.
  std::vector<Group> dead_;
  Actor* current_ = nullptr;
  std::uint64_t steps_ = 0;
};

// Runs the tasks of one group as actors.
class SteppedRunner final : public TaskRunner {
 public:
  SteppedRunner(StepScheduler& scheduler, StepScheduler::Group group)
      : scheduler_(scheduler), group_(group) {}

  [[nodiscard]] bool TrySubmit(Task task) override;
  void WaitOn(ConditionVariable& changed, Mutex& mutex, std::stop_token stop,
              std::chrono::nanoseconds at_most) override;

 private:
  StepScheduler& scheduler_;
  const StepScheduler::Group group_;
};

}  // namespace umbranet
