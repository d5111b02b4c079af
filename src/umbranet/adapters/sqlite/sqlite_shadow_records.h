// The runs of a shadow in the ledger's file. See ports/shadow_records.h for the promises. Any
// thread.
#pragma once

#include <string>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_migrations.h"
#include "umbranet/ports/shadow_records.h"

namespace umbranet {

std::vector<SqliteMigration> ShadowMigrations();

class SqliteShadowRecords final : public ShadowRecords {
 public:
  // `store` must outlive it.
  explicit SqliteShadowRecords(SqliteLedgerStore& store) : store_(store) {}

  Status Save(const ShadowRun& run, Deadline deadline) override;
  Result<ShadowSummary> Summarize(const std::string& candidate, Deadline deadline) override;
  Result<std::uint64_t> Clear(Deadline deadline) override;

 private:
  SqliteLedgerStore& store_;
};

}  // namespace umbranet
