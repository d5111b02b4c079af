// The books of what models cost, in the ledger's file. See ports/model_usage_book.h for the
// promises. What was entered survives the death of the process; a power cut may take the last of
// it. Any thread.
#pragma once

#include <vector>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_migrations.h"
#include "umbranet/ports/model_usage_book.h"

namespace umbranet {

std::vector<SqliteMigration> ModelUsageMigrations();

class SqliteModelUsageBook final : public ModelUsageBook {
 public:
  // `store` must outlive it.
  explicit SqliteModelUsageBook(SqliteLedgerStore& store) : store_(store) {}

  Status Enter(std::string_view writer, std::uint64_t batch, std::span<const DayUsage> entries,
               Deadline deadline) override;
  Result<UsagePage> Read(std::int64_t day, Deadline deadline) override;

 private:
  SqliteLedgerStore& store_;
};

}  // namespace umbranet
