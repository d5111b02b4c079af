// Who was forgotten, as PostgreSQL has it. See ports/forgetting_record.h for the promises. Any
// thread.
#pragma once

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/ports/forgetting_record.h"

namespace umbranet {

class PostgresForgettingRecord final : public ForgettingRecord {
 public:
  // `store` must outlive it.
  explicit PostgresForgettingRecord(PostgresLedgerStore& store) : store_(store) {}

  Result<ForgettingNews> After(Timestamp seen, std::size_t limit, Deadline deadline) override;

 private:
  PostgresLedgerStore& store_;
};

}  // namespace umbranet
