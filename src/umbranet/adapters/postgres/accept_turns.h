// Storing turns with their jobs, those of many callers in one transaction.
#pragma once

#include <span>
#include <vector>

#include "umbranet/adapters/postgres/accept_batcher.h"
#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/base/clock.h"

namespace umbranet {

// An outcome for each request, in their order. A request that cannot be stored (kAborted: its user
// was forgotten; kAlreadyExists, kInvalidArgument) does not keep the others from it. Any thread.
std::vector<AcceptBatcher::Outcome> AcceptTurns(PostgresLedgerStore& store,
                                                std::span<const AcceptRequest* const> requests,
                                                Deadline deadline);

}  // namespace umbranet
