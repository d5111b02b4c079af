// This process's sign of life: a session that holds an advisory lock on a number of its own.
//
// Leases carry the number. The server drops the lock when the process dies, since it sees the
// connection close, so that anyone's sweep can tell a worker that is gone from one that takes its
// time, long before its leases expire. A process that lost its session opens another and goes on
// under its number when nobody noticed.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

class PostgresWorkerIdentity {
 public:
  // Tries to take a number at once, for no longer than `deadline`; when the server is away, a
  // thread goes on trying. `pool` must outlive it.
  PostgresWorkerIdentity(PostgresPool& pool, Deadline deadline);
  // Gives the lock back before it returns, as far as the server answers.
  ~PostgresWorkerIdentity();
  PostgresWorkerIdentity(const PostgresWorkerIdentity&) = delete;
  PostgresWorkerIdentity& operator=(const PostgresWorkerIdentity&) = delete;

  // Nothing while the lock is not held: a lease that is taken then is known by its time alone.
  [[nodiscard]] std::optional<std::int64_t> number() const;

 private:
  Status TakeNumber(Deadline deadline);
  void Watch(const std::stop_token& stop);
  // Whether the session is still there; asks the server when it has been silent for long.
  bool StillHeld(SteadyTime& asked_at);

  PostgresPool& pool_;
  const SystemClock clock_;
  std::atomic<std::int64_t> held_{0};  // 0: none.
  std::int64_t number_ = 0;            // The latest; of the watching thread, once that runs.
  std::unique_ptr<PostgresConnection> session_;
  Mutex mutex_;
  ConditionVariable woken_;
  std::jthread watcher_;  // Last.
};

}  // namespace umbranet
