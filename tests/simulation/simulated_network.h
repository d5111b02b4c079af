// What lies between a process and what it asks of others: every request takes its time there and
// back, may find the server away, fail, be slow, arrive after its sender has given up, or lose its
// answer. For one thread; called by actors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

#include "tests/simulation/history.h"
#include "tests/simulation/seeded_random.h"
#include "tests/simulation/step_scheduler.h"

namespace umbranet {

struct SimulatedServer {
  std::string_view name;
  SteadyTime away_until{};
  bool answers_nothing = false;  // While it is away: nobody is even refused.
  // In the process itself: it is never away, and its answers are not lost.
  bool at_home = false;
};

struct Request {
  std::string_view name;
  std::vector<std::string> jobs = {};  // That it is about.
  // `work` owns what it refers to, so that it can be carried out when its sender is gone.
  bool may_come_late = false;
  // Once in a history such a request never comes back.
  bool may_hang = false;
};

class SimulatedNetwork {
 public:
  SimulatedNetwork(const Clock& clock, StepScheduler& scheduler, SeededRandom& random,
                   History& history)
      : clock_(clock), scheduler_(scheduler), random_(random), history_(history) {}

  // From here on everything works.
  void Heal() { per_mille_ = 0; }

  void SetFaults(int per_mille) { per_mille_ = per_mille; }

  template <typename T>
  Result<T> Call(SimulatedServer& server, const Request& request, Deadline deadline,
                 const std::function<Result<T>()>& work) {
    scheduler_.Step();
    const Fault fault = PickFault(server, request);
    if (fault == Fault::kLate) {
      scheduler_.Spawn(StepScheduler::kNetwork,
                       [this, work, delay = Millis{random_.Below(30'000)}] {
                         scheduler_.Sleep(delay);
                         [[maybe_unused]] const auto unheard = work();
                       });
    }
    if (Status failed = Suffer(fault, server, request, deadline); !failed.ok()) {
      history_.MayBePassed(request.jobs);
      return std::move(failed).error();
    }
    Result<T> result = work();
    scheduler_.Step();
    if (fault == Fault::kAnswerLost) {
      result = Unavailable("simulation: the answer was lost");
    }
    if (!result.ok()) {
      history_.MayBePassed(request.jobs);
    }
    return result;
  }

  // How often what happened.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

  void Count(std::string_view what) { ++counts_[std::string(what)]; }

 private:
  enum class Fault : std::uint8_t {
    kNone,
    kRefused,
    kSlow,
    kOverstays,
    kLate,
    kAnswerLost,
    kHangs
  };

  Fault PickFault(const SimulatedServer& server, const Request& request);
  // What is to be returned in place of an answer, after the time that it took.
  Status Suffer(Fault fault, const SimulatedServer& server, const Request& request,
                Deadline deadline);
  Status BeAway(const SimulatedServer& server, Deadline deadline);
  // Whether these jobs can bear one more failure that counts against them.
  bool CanBear(const std::vector<std::string>& jobs);

  const Clock& clock_;
  StepScheduler& scheduler_;
  SeededRandom& random_;
  History& history_;
  int per_mille_ = 0;
  bool hung_ = false;
  std::map<std::string, int> failed_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace umbranet
