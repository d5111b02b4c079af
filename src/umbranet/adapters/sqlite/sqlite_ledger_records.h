// The records of the SQLite ledger. See ports/ledger_records.h for the promises. All three
// reflected tiers leave their markers in the same file. Any thread.
#pragma once

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/ports/ledger_records.h"

namespace umbranet {

class SqliteLedgerRecords final : public LedgerRecords {
 public:
  // `store` must outlive it.
  explicit SqliteLedgerRecords(SqliteLedgerStore& store) : store_(store) {}

  Result<ActPage> ListActs(std::string_view tenant, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override;
  Result<LedgerComparison> Compare(Timestamp accepted_before, Deadline deadline) override;

 private:
  SqliteLedgerStore& store_;
};

}  // namespace umbranet
