// How far behind the queue is, in five levels that an operator can act on:
//
//   0  all is well
//   1  the oldest job has been waiting for more than 15 s, or more than 2,000 wait for each worker:
//      more workers would help
//   2  the oldest for more than two minutes, or more than 50,000 wait
//   3  the ledger is away: turns go to the spool
//   4  turns are refused for want of room, or soon will be: the spool is over 80 % full, or the
//   disk
//      is down to its reserve
//
// BackpressureLevel is pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

struct QueueLoad {
  std::optional<LedgerStats> ledger;  // Nothing: it is away.
  std::uint64_t workers = 0;          // That are known of.
  double spool_share = 0;             // Of what it may hold, 0 to 1.
  bool room_is_left = true;           // Above the disk's reserve.
};

std::uint32_t BackpressureLevel(const QueueLoad& load, Timestamp now);

// The level of this moment, or of a second ago: for those who ask often. All methods may be called
// from any thread; what it is made of must outlive it.
class BackpressureWatch {
 public:
  // `rest` fills in everything but the ledger's part.
  BackpressureWatch(const Clock& clock, JobLedger& ledger, std::function<QueueLoad()> rest)
      : clock_(clock), ledger_(ledger), rest_(std::move(rest)) {}

  [[nodiscard]] std::uint32_t Level();

 private:
  const Clock& clock_;
  JobLedger& ledger_;
  const std::function<QueueLoad()> rest_;
  Mutex mutex_;
  std::optional<SteadyTime> looked_at_ GUARDED_BY(mutex_);
  std::uint32_t level_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
