// A bounded set of sessions with one server, opened as they are needed and kept for the next.
//
// All methods may be called from any thread. A session is lent for one work; a work must not wait
// for anything but the server, and must not ask the pool for another session.
//
// A work may be run more than once, each time from the beginning: it keeps what it found in
// variables that it sets anew, and has no other effect than on the database.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_endpoint.h"
#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/circuit_breaker.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/gathered_calls.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/net/address_resolver.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

enum class PostgresIsolation {
  kReadCommitted,   // Each statement sees what was committed before it.
  kRepeatableRead,  // All see what was committed before the first.
  kSerializable,
};

// Whether a transaction is on the server's disk when it returns. What is not may be gone after a
// power cut at the server, and everything that came after it as well; never a part of it.
enum class PostgresDurability { kDurable, kSoon };

class PostgresPool {
 public:
  struct Options {
    std::string url;
    std::string schema = "umbranet";  // Where the tables are; made by Migrate.
    std::size_t connections_max = 8;
    Millis connect_budget{2'000};  // For one connection, within the caller's deadline.
    Millis call_limit{60'000};     // For callers who would wait for ever.
    // After so many calls in a row that could not connect, or waited in vain for an answer, the
    // rest are told at once that the server is away, but for one a pause.
    CircuitBreaker::Options breaker{
        .failures_to_open = 5, .pause_first = Millis{100}, .pause_max = Millis{1'000}};
    StructuredLog* log = nullptr;  // May be null; must outlive the pool.
  };

  struct Counts {
    std::size_t in_use = 0;
    std::size_t idle = 0;
    std::size_t waiting = 0;       // Callers who wait for a session.
    std::uint64_t reconnects = 0;  // Sessions that were lost, and made anew where they were needed.
  };

  // Reads the URL (kInvalidArgument); nothing is connected yet, so that a server that is away at
  // start does not matter.
  static Result<std::unique_ptr<PostgresPool>> Open(Options options);

  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;
  ~PostgresPool();

  // Each runs `work` with a session and returns what it returned, a Status or a Result. Errors of
  // their own: kUnavailable (server away; retry_after), kDeadlineExceeded (also: every session was
  // busy until then), and what postgres_errors.h says.

  // Each call of the session is a transaction of its own, and none is repeated.
  template <typename Work>
  std::invoke_result_t<Work, PostgresConnection&> Run(Deadline deadline, const Work& work) {
    return Return<Work>(
        work, [&](const StatusWork& body) { return RunStatus(deadline, Repeat::kNever, body); });
  }

  // As Run, for works that change nothing: a connection that turns out to be lost is replaced once.
  template <typename Work>
  std::invoke_result_t<Work, PostgresConnection&> Read(Deadline deadline, const Work& work) {
    return Return<Work>(
        work, [&](const StatusWork& body) { return RunStatus(deadline, Repeat::kOnce, body); });
  }

  // The rows of one small statement that reads. Those that are asked at the same time, whoever
  // asks, share a round trip and a session; each sees what was committed before it was asked.
  template <typename... Values>
  Result<PostgresRows> Ask(Deadline deadline, std::string_view sql, const Values&... values) {
    return asked_.Call(MakeCommand(sql, values...), Limit(deadline));
  }

  // All that `work` does is one transaction: committed when it succeeds, else nothing was done.
  // Run again after a deadlock, a serialization failure, or a connection that was lost before the
  // commit. kUnavailable and kDeadlineExceeded from the commit itself leave the outcome unknown.
  template <typename Work>
  std::invoke_result_t<Work, PostgresConnection&> Transact(
      Deadline deadline, PostgresIsolation isolation, const Work& work,
      PostgresDurability durability = PostgresDurability::kDurable) {
    return Return<Work>(work, [&](const StatusWork& body) {
      return TransactStatus(deadline, {isolation, durability, /*read_only=*/false}, body);
    });
  }

  // As Read, where several statements must see the same state.
  template <typename Work>
  std::invoke_result_t<Work, PostgresConnection&> Snapshot(Deadline deadline, const Work& work) {
    return Return<Work>(work, [&](const StatusWork& body) {
      return TransactStatus(
          deadline,
          {PostgresIsolation::kRepeatableRead, PostgresDurability::kSoon, /*read_only=*/true},
          body);
    });
  }

  // A session of the caller's own, beside the bound: for advisory locks that are held for long.
  // `deadline` of its calls is for set_deadline.
  Result<std::unique_ptr<PostgresConnection>> OpenSession(Deadline deadline);

  // Asks the server for a sign of life. As opposed to all others it returns kFailedPrecondition
  // where the server refuses the credentials: at the start an operator looks on; later a password
  // that does not fit any more is one way of being away.
  Status Ping(Deadline deadline);

  // "PostgreSQL at 127.0.0.1:5432"
  [[nodiscard]] const std::string& name() const { return endpoint_.name; }

  [[nodiscard]] const Options& options() const { return options_; }

  // For tests and gauges.
  [[nodiscard]] Counts ReadCounts() const;

  [[nodiscard]] const CircuitBreaker& breaker() const { return breaker_; }

 private:
  using StatusWork = std::function<Status(PostgresConnection&)>;
  using ConnectionPtr = std::unique_ptr<PostgresConnection>;

  enum class Repeat { kNever, kOnce };

  struct Transaction {
    PostgresIsolation isolation;
    PostgresDurability durability;
    bool read_only;
  };

  PostgresPool(Options options, PostgresEndpoint endpoint);

  // Runs a work that gives a value as one that gives a Status.
  template <typename Work, typename Runner>
  static std::invoke_result_t<Work, PostgresConnection&> Return(const Work& work,
                                                                const Runner& run) {
    using Outcome = std::invoke_result_t<Work, PostgresConnection&>;
    if constexpr (std::is_same_v<Outcome, Status>) {
      return run(StatusWork(std::cref(work)));
    } else {
      std::optional<typename Outcome::value_type> value;
      Status done = run([&work, &value](PostgresConnection& connection) -> Status {
        value.reset();
        Outcome outcome = work(connection);
        if (!outcome.ok()) {
          return std::move(outcome).error();
        }
        value.emplace(std::move(outcome).value());
        return {};
      });
      if (!done.ok()) {
        return std::move(done).error();
      }
      return *std::move(value);
    }
  }

  Status RunStatus(Deadline deadline, Repeat repeat, const StatusWork& work);
  Status TransactStatus(Deadline deadline, const Transaction& transaction, const StatusWork& work);
  // One try of it. *repeat: nothing was done, and another try makes sense.
  Status TryTransaction(PostgresConnection& connection, const Transaction& transaction,
                        const StatusWork& work, bool* repeat);

  std::vector<Result<PostgresRows>> AskTogether(std::span<const PostgresCommand* const> commands,
                                                Deadline deadline);

  // Never Never().
  [[nodiscard]] Deadline Limit(Deadline deadline) const;
  Result<ConnectionPtr> Take(Deadline deadline);
  Result<ConnectionPtr> Connect(Deadline deadline);
  Result<ConnectionPtr> ConnectForCall(Deadline deadline);
  // Tells the breaker, and the log where that changed something. `why` is for the log.
  void Report(bool answered, const std::string& why);
  // What a call that has used this session says of the server.
  void ReportCall(const PostgresConnection& connection, const Status& outcome, bool had_time);
  // Keeps it for the next, or drops it; cancels what it may still be doing.
  void GiveBack(ConnectionPtr connection);
  void CancelLater(int backend_pid);
  void Pause(int tries, Deadline deadline);

  const Options options_;
  const PostgresEndpoint endpoint_;
  const SystemClock clock_;
  CircuitBreaker breaker_;
  std::unique_ptr<AddressResolver> resolver_;  // Null when there is nothing to look up.
  mutable Mutex mutex_;
  ConditionVariable given_back_;
  std::vector<ConnectionPtr> idle_ GUARDED_BY(mutex_);
  std::size_t lent_ GUARDED_BY(mutex_) = 0;
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  std::uint64_t reconnects_ GUARDED_BY(mutex_) = 0;
  GatheredCalls<PostgresCommand, PostgresRows> asked_;
  BoundedWorkerPool canceller_;  // Last: its task uses what is above.
};

}  // namespace umbranet
