// Who was forgotten, as the ledger's file has it. See ports/forgetting_record.h for the promises.
// Any thread.
#pragma once

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/ports/forgetting_record.h"

namespace umbranet {

class SqliteForgettingRecord final : public ForgettingRecord {
 public:
  // `store` must outlive it.
  explicit SqliteForgettingRecord(SqliteLedgerStore& store) : store_(store) {}

  Result<ForgettingNews> After(Timestamp seen, std::size_t limit, Deadline deadline) override;

 private:
  SqliteLedgerStore& store_;
};

}  // namespace umbranet
