// The books of what models cost, on PostgreSQL. See ports/model_usage_book.h for the promises. Any
// thread.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/ports/model_usage_book.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresModelUsageMigrations();

class PostgresModelUsageBook final : public ModelUsageBook {
 public:
  // `pool` must outlive it.
  explicit PostgresModelUsageBook(PostgresPool& pool) : pool_(pool) {}

  Status Enter(std::string_view writer, std::uint64_t batch, std::span<const DayUsage> entries,
               Deadline deadline) override;
  Result<UsagePage> Read(std::int64_t day, Deadline deadline) override;

 private:
  PostgresPool& pool_;
};

}  // namespace umbranet
