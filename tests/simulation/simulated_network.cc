#include "tests/simulation/simulated_network.h"

#include <algorithm>

namespace umbranet {
namespace {

// A job is tried four times; one failure may still come of something else.
constexpr int kFailuresOfAJobMax = 2;
constexpr std::int64_t kSlowMsMax = 9'000;
// Longer than a tier, and than a lease.
constexpr std::int64_t kOverstayMsLeast = 16'000;
constexpr std::int64_t kOverstayMsMost = 70'000;
// Nobody waits longer for a server that says nothing.
constexpr Millis kSilenceMax{10'000};

}  // namespace

bool SimulatedNetwork::CanBear(const std::vector<std::string>& jobs) {
  const bool can = std::all_of(jobs.begin(), jobs.end(), [this](const std::string& job_id) {
    return failed_[job_id] < kFailuresOfAJobMax;
  });
  if (can) {
    for (const std::string& job_id : jobs) {
      ++failed_[job_id];
    }
  }
  return can;
}

SimulatedNetwork::Fault SimulatedNetwork::PickFault(const SimulatedServer& server,
                                                    const Request& request) {
  if (!random_.Chance(per_mille_)) {
    return Fault::kNone;
  }
  if (request.may_hang && !hung_) {
    hung_ = true;
    return Fault::kHangs;
  }
  switch (random_.Below(7)) {
    case 0:
      return Fault::kSlow;
    case 1:
      return CanBear(request.jobs) ? Fault::kOverstays : Fault::kSlow;
    case 2:
    case 3:
      return request.may_come_late && !server.at_home && CanBear(request.jobs) ? Fault::kLate
                                                                               : Fault::kRefused;
    case 4:
    case 5:
      return server.at_home ? Fault::kRefused : Fault::kAnswerLost;
    default:
      return Fault::kRefused;
  }
}

Status SimulatedNetwork::BeAway(const SimulatedServer& server, Deadline deadline) {
  if (server.answers_nothing) {
    scheduler_.Sleep(std::min<std::chrono::nanoseconds>(deadline.Remaining(), kSilenceMax));
  }
  return Unavailable("simulation: " + std::string(server.name) + " is away");
}

Status SimulatedNetwork::Suffer(Fault fault, const SimulatedServer& server, const Request& request,
                                Deadline deadline) {
  if (server.away_until > clock_.SteadyNow()) {
    return BeAway(server, deadline);
  }
  switch (fault) {
    case Fault::kNone:
      return {};
    case Fault::kRefused:
      Count("refused");
      return Unavailable("simulation: " + std::string(request.name) + " is refused");
    case Fault::kSlow:
      Count("slow");
      scheduler_.Sleep(Millis{random_.Below(kSlowMsMax)});
      return {};
    case Fault::kOverstays:
      Count("overstays");
      history_.MayBePassed(request.jobs);
      scheduler_.Sleep(Millis{random_.Between(kOverstayMsLeast, kOverstayMsMost)});
      return {};
    case Fault::kLate:
      Count("late");
      scheduler_.Sleep(std::min<std::chrono::nanoseconds>(deadline.Remaining(), kSilenceMax));
      return DeadlineExceeded("simulation: no answer in time");
    case Fault::kAnswerLost:
      Count("answer lost");
      return {};
    case Fault::kHangs:
      Count("hangs");
      scheduler_.Hang();
  }
  return {};
}

}  // namespace umbranet
