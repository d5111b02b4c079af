// How a tier in the ledger's file keeps out a worker that was declared dead.
#pragma once

#include <span>
#include <string>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

// kAborted unless every one of these jobs is leased under `lease` as this transaction sees it. On
// the connection's thread.
Status CheckLease(SqliteConnection& connection, const Lease& lease,
                  std::span<const std::string> job_ids);

}  // namespace umbranet
