// Which of many jobs the ledger on PostgreSQL has, in one question: for messages of a broker that
// mostly tell of what is known. Any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Parallel to `job_ids`: whether JobLedger::Find would find it, whatever has become of it.
Result<std::vector<bool>> FindKnownJobs(PostgresLedgerStore& store,
                                        std::span<const std::string> job_ids, Deadline deadline);

}  // namespace umbranet
