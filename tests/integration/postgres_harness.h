// A place of a test's own on the PostgreSQL server that scripts/services started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_pool.h"

#include "tests/contract/ledger_engines.h"

namespace umbranet {

// Why tests over PostgreSQL are skipped; empty when the server is there.
std::string MissingPostgres();

// A schema that is made with all tables and dropped with everything in it at the end.
class PostgresSchema {
 public:
  PostgresSchema();
  ~PostgresSchema();
  PostgresSchema(const PostgresSchema&) = delete;
  PostgresSchema& operator=(const PostgresSchema&) = delete;

  // A pool over it. Each stands for a process.
  [[nodiscard]] std::unique_ptr<PostgresPool> OpenPool(std::size_t connections_max = 4) const;
  [[nodiscard]] PostgresPool::Options Options() const;
  // The same by way of another address: a proxy in front of the server.
  [[nodiscard]] PostgresPool::Options OptionsAt(const std::string& host, std::uint16_t port) const;
  [[nodiscard]] std::uint16_t ServerPort() const;

  // The one number that the query gives; -1 when the server does not answer. By a pool of its own:
  // the sessions of another may have died with the server.
  [[nodiscard]] std::int64_t Count(std::string_view sql) const;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const std::string name_;
};

// A schema that other tests of this program have used before, emptied: making one takes its time,
// and a suite that makes up sequences of steps wants hundreds of them.
class BorrowedPostgresSchema {
 public:
  BorrowedPostgresSchema();
  ~BorrowedPostgresSchema();
  BorrowedPostgresSchema(const BorrowedPostgresSchema&) = delete;
  BorrowedPostgresSchema& operator=(const BorrowedPostgresSchema&) = delete;

  const PostgresSchema* operator->() const { return schema_.get(); }

  const PostgresSchema& operator*() const { return *schema_; }

 private:
  std::unique_ptr<PostgresSchema> schema_;
};

// Journal and ledger on the server.
LedgerEngine PostgresLedgerEngine();

}  // namespace umbranet
