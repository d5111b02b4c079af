// How a tier in the ledger's database keeps out a worker that was declared dead.
//
// Locks are taken in one order everywhere: the row of an account first, then rows of jobs. A tier
// that has called CheckLease must not lock a row of account any more.
#pragma once

#include <span>
#include <string>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

// kAborted unless every one of these jobs is leased under `lease`. Within a transaction: until that
// ends nobody else settles, reaps or forgets these jobs.
Status CheckLease(PostgresConnection& connection, const Lease& lease,
                  std::span<const std::string> job_ids);

}  // namespace umbranet
