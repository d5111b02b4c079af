#include "umbranet/reflection/lease_keeper.h"

#include <utility>
#include <vector>

namespace umbranet {

LeaseKeeper::KeptLease::KeptLease(LeaseKeeper& keeper, const Lease& lease)
    : keeper_(keeper), lease_(lease) {
  MutexLock lock(keeper_.mutex_);
  keeper_.kept_since_.insert_or_assign(lease_, keeper_.clock_.SteadyNow());
}

LeaseKeeper::KeptLease::~KeptLease() {
  keeper_.LetGo(lease_);
}

LeaseKeeper::LeaseKeeper(const Clock& clock, JobLedger& ledger, StructuredLog& log, Options options)
    : clock_(clock), ledger_(ledger), log_(log), options_(options) {}

LeaseKeeper::~LeaseKeeper() {
  Stop();
}

void LeaseKeeper::Start() {
  MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](std::stop_token stop) { ExtendUntilStopped(std::move(stop)); });
  }
}

void LeaseKeeper::Stop() {
  std::jthread leaving;
  {
    MutexLock lock(mutex_);
    leaving = std::move(thread_);
  }
  // The destructor of `leaving` requests the stop, which wakes the thread, and joins it.
}

void LeaseKeeper::ExtendUntilStopped(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const SteadyTime next = SystemClock{}.SteadyNow() + options_.every;
    {
      MutexLock lock(mutex_);
      stopped_.WaitUntil(mutex_, stop, next);
    }
    if (!stop.stop_requested()) {
      ExtendAll();
    }
  }
}

void LeaseKeeper::ExtendAll() {
  std::vector<Lease> due;
  {
    MutexLock lock(mutex_);
    const SteadyTime now = clock_.SteadyNow();
    for (auto kept = kept_since_.begin(); kept != kept_since_.end();) {
      if (now - kept->second >= options_.cap) {
        log_.Warning("lease_cap_reached", {{"lease", kept->first.token}});
        kept = kept_since_.erase(kept);
      } else {
        due.push_back(kept->first);
        ++kept;
      }
    }
  }
  for (const Lease& lease : due) {
    const Status extended = ledger_.Extend(lease, Deadline::After(clock_, options_.call_budget));
    if (extended.ok()) {
      continue;
    }
    if (extended.error().code == ErrorCode::kAborted) {
      LetGo(lease);
    } else {
      log_.Warning("lease_not_extended",
                   {{"lease", lease.token}, {"error", extended.error().message}});
    }
  }
}

void LeaseKeeper::LetGo(const Lease& lease) {
  MutexLock lock(mutex_);
  kept_since_.erase(lease);
}

std::size_t LeaseKeeper::Count() const {
  MutexLock lock(mutex_);
  return kept_since_.size();
}

}  // namespace umbranet
