// What the PostgreSQL journal and the PostgreSQL ledger have in common: the pool, the ledger's
// time, the rules, and this process's sign of life.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/adapters/postgres/worker_identity.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/retry_policy.h"

namespace umbranet {

class PostgresLedgerStore {
 public:
  struct Options {
    RetryPolicy retry;
    Millis done_retention = std::chrono::days(7);  // Of done and cancelled jobs.
    Millis dead_retention = std::chrono::days(30);
    Millis answer_retention = std::chrono::hours(24);
    Millis audit_retention = std::chrono::days(365);
    std::size_t sweep_max = 500;  // Leases, retries, and rows of each kind to purge, in one sweep.
    // Null: the server's clock, the only one that many processes share. A test brings its own.
    const Clock* clock = nullptr;
    // Turns that are accepted in one transaction, and how many such transactions run at once.
    std::size_t accept_turns_max = 256;
    std::size_t accept_threads = 2;
    // How long Open waits for the server before it leaves the rest to later.
    Millis open_budget{2'000};
  };

  // Opens the ledger in the schema of `pool`, which must outlive it. Leases of processes that are
  // gone are void: their jobs count a crash and are ready again. A server that is away at this
  // moment is no error; whether the schema fits is for CheckSchema.
  static Result<std::unique_ptr<PostgresLedgerStore>> Open(PostgresPool& pool, Options options);

  PostgresLedgerStore(const PostgresLedgerStore&) = delete;
  PostgresLedgerStore& operator=(const PostgresLedgerStore&) = delete;

  [[nodiscard]] PostgresPool& pool() { return pool_; }

  [[nodiscard]] const Options& options() const { return options_; }

  // For the worker_number of leases.
  [[nodiscard]] std::optional<std::int64_t> worker_number() const { return identity_.number(); }

  // Asks for the ledger's time, Unix milliseconds: the clock's, or the latest seen when that was
  // set back. Its row goes to ReadNow.
  [[nodiscard]] PostgresCommand NowCommand() const;
  std::int64_t ReadNow(const PostgresRows& rows);
  Result<std::int64_t> Now(PostgresConnection& connection);

  // The two arguments of ledger_now, for statements that ask for the time by themselves.
  [[nodiscard]] std::optional<std::int64_t> given_now() const;

  [[nodiscard]] std::int64_t seen_now() const { return last_now_; }

  void Observe(std::int64_t now);

 private:
  PostgresLedgerStore(PostgresPool& pool, Options options);

  PostgresPool& pool_;
  const Options options_;
  const SystemClock clock_;
  std::atomic<std::int64_t> last_now_{0};
  PostgresWorkerIdentity identity_;
};

}  // namespace umbranet
