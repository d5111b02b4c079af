// Reaping: what becomes of the jobs of a worker that is gone.
#pragma once

#include <cstdint>

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

struct Reaping {
  // Leases of processes that are gone, and not those whose time is over.
  bool only_of_the_dead = false;
  // For how long after its own start the server's word that a process is gone is not taken: its
  // locks went with the restart, and those who live need a moment to come back.
  Millis grace{3'000};
};

struct ReapReport {
  std::uint64_t expired = 0;
  std::uint64_t killed = 0;
};

Result<ReapReport> ReapLeases(PostgresLedgerStore& store, const Reaping& reaping,
                              Deadline deadline);
// The same within a transaction. Whoever's rows are locked at this moment is left to the next time.
Result<ReapReport> ReapLeases(PostgresConnection& connection, PostgresLedgerStore& store,
                              std::int64_t now, const Reaping& reaping);

}  // namespace umbranet
