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
// Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "umbranet/base/clock.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

struct QueueLoad {
  std::optional<LedgerStats> ledger;  // Nothing: it is away.
  std::uint64_t workers = 0;          // That are known of.
  double spool_share = 0;             // Of what it may hold, 0 to 1.
  bool room_is_left = true;           // Above the disk's reserve.
};

std::uint32_t BackpressureLevel(const QueueLoad& load, Timestamp now);

}  // namespace umbranet
