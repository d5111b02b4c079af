// The runs of a shadow on PostgreSQL. See ports/shadow_records.h for the promises. Any thread.
#pragma once

#include <string>
#include <vector>

#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/ports/shadow_records.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresShadowMigrations();

class PostgresShadowRecords final : public ShadowRecords {
 public:
  // `store` must outlive it.
  explicit PostgresShadowRecords(PostgresLedgerStore& store) : store_(store) {}

  Status Save(const ShadowRun& run, Deadline deadline) override;
  Result<ShadowSummary> Summarize(const std::string& candidate, Deadline deadline) override;
  Result<std::uint64_t> Clear(Deadline deadline) override;

 private:
  PostgresLedgerStore& store_;
};

}  // namespace umbranet
