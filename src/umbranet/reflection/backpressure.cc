#include "umbranet/reflection/backpressure.h"

#include <algorithm>
#include <chrono>

namespace umbranet {
namespace {

constexpr Millis kLate = std::chrono::seconds(15);
constexpr Millis kVeryLate = std::chrono::seconds(120);
constexpr std::uint64_t kDeep = 50'000;
// More than that for each worker will take it minutes.
constexpr std::uint64_t kJobsOfAWorker = 2'000;
constexpr double kSpoolShareMax = 0.8;

constexpr Millis kLookEvery{1'000};
constexpr Millis kStatsBudget{1'000};

}  // namespace

std::uint32_t BackpressureLevel(const QueueLoad& load, Timestamp now) {
  if (!load.room_is_left || load.spool_share > kSpoolShareMax) {
    return 4;
  }
  if (!load.ledger) {
    return 3;
  }
  const std::uint64_t depth =
      load.ledger->ready_high + load.ledger->ready_normal + load.ledger->ready_low;
  const Millis age = load.ledger->oldest_ready_at ? now - *load.ledger->oldest_ready_at : Millis{0};
  if (age > kVeryLate || depth > kDeep) {
    return 2;
  }
  const std::uint64_t enough = kJobsOfAWorker * std::max<std::uint64_t>(load.workers, 1);
  return age > kLate || depth > enough ? 1 : 0;
}

std::uint32_t BackpressureWatch::Level() {
  // Whoever comes meanwhile waits and takes over what was found.
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  if (looked_at_ && now - *looked_at_ < kLookEvery) {
    return level_;
  }
  QueueLoad load = rest_();
  auto stats = ledger_.Stats(Deadline::After(clock_, kStatsBudget));
  if (stats.ok()) {
    load.ledger = std::move(stats).value();
  }
  level_ = BackpressureLevel(load, clock_.Now());
  looked_at_ = clock_.SteadyNow();
  return level_;
}

}  // namespace umbranet
