// The records of the PostgreSQL ledger. See ports/ledger_records.h for the promises. What is
// compared are the markers of tiers 2 and 4, which are in the same database; the graph keeps its
// own. Any thread.
#pragma once

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/ports/ledger_records.h"

namespace umbranet {

class PostgresLedgerRecords final : public LedgerRecords {
 public:
  // `store` must outlive it.
  explicit PostgresLedgerRecords(PostgresLedgerStore& store) : store_(store) {}

  Result<ActPage> ListActs(std::string_view tenant, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override;
  Result<LedgerComparison> Compare(Timestamp accepted_before, Deadline deadline) override;

 private:
  PostgresLedgerStore& store_;
};

}  // namespace umbranet
