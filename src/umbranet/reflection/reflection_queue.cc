#include "umbranet/reflection/reflection_queue.h"

#include <algorithm>
#include <utility>

namespace umbranet {
namespace {

// How soon a waiting claim sees that a sweep made something ready. A second of it would be half of
// the time in which the work of a killed process is taken over.
constexpr Millis kSweepLook{100};

}  // namespace

ReflectionQueue::ReflectionQueue(const Clock& clock, JobLedger& ledger, Doorbell& doorbell,
                                 Options options)
    : clock_(clock), ledger_(ledger), doorbell_(doorbell), options_(std::move(options)) {}

ReflectionQueue::~ReflectionQueue() {
  Stop();
}

void ReflectionQueue::Start() {
  MutexLock lock(mutex_);
  if (!sweeper_.joinable()) {
    sweeper_ = std::jthread([this](std::stop_token stop) { SweepUntilStopped(std::move(stop)); });
  }
}

void ReflectionQueue::Stop() {
  std::jthread leaving;
  {
    MutexLock lock(mutex_);
    leaving = std::move(sweeper_);
  }
  // The destructor of `leaving` requests the stop, which wakes the sweeper, and joins it.
}

Result<std::optional<ClaimedBatch>> ReflectionQueue::Claim(const ClaimOptions& options,
                                                           std::stop_token stop,
                                                           Deadline deadline) {
  while (!stop.stop_requested()) {
    const std::uint64_t sweeps_seen = sweeps_with_work_.load();
    auto batch = ledger_.Claim(options, deadline);
    if (batch.ok() && batch->has_value()) {
      return batch;
    }
    if (!batch.ok() &&
        !(batch.error().code == ErrorCode::kDeadlineExceeded && deadline.Expired())) {
      return batch;
    }
    // The doorbell is waited on in short steps, since a sweep does not ring.
    const Millis poll = doorbell_.Healthy() ? options_.poll : options_.poll_unhealthy;
    const Deadline next_look = deadline.Within(clock_, poll);
    bool rung = false;
    while (!rung && !stop.stop_requested() && !next_look.Expired() &&
           sweeps_with_work_.load() == sweeps_seen) {
      rung = doorbell_.Wait(stop, next_look.Within(clock_, kSweepLook));
    }
    if (deadline.Expired()) {
      break;
    }
  }
  return std::optional<ClaimedBatch>();
}

Result<SweepReport> ReflectionQueue::Sweep(Deadline deadline) {
  auto report = ledger_.Sweep(deadline);
  // Whoever is reaped is ready again too, unless the crash was its last.
  if (report.ok() && report->promoted + report->expired > report->killed) {
    ++sweeps_with_work_;
  }
  if (report.ok() && options_.on_sweep) {
    options_.on_sweep(*report);
  }
  return report;
}

void ReflectionQueue::SweepUntilStopped(std::stop_token stop) {
  while (!stop.stop_requested()) {
    // A sweep that failed is made good by the next one.
    [[maybe_unused]] const auto report = Sweep(Deadline::After(clock_, options_.sweep_budget));
    const SteadyTime next = SystemClock{}.SteadyNow() + options_.sweep_every;
    MutexLock lock(mutex_);
    stopped_.WaitUntil(mutex_, stop, next);
  }
}

}  // namespace umbranet
