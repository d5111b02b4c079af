#include "umbranet/adapters/postgres/postgres_pool.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <netdb.h>

#include "umbranet/adapters/postgres/postgres_errors.h"

namespace umbranet {

namespace {

constexpr int kTriesMax = 8;
constexpr Millis kResolvedFor{30'000};
constexpr Millis kCancelBudget{1'000};
constexpr std::string_view kCancel = "SELECT pg_cancel_backend($1::bigint::int)";
// A caller with less time than this learns nothing of a server that does not answer him.
constexpr Millis kTimeToTell{200};
// Of small reads. More of them at once would share less.
constexpr std::size_t kAskedLanes = 2;
constexpr std::size_t kAskedAtOnceMax = 64;
constexpr std::string_view kPing = "SELECT 1";
constexpr std::string_view kSoonDurable = "SET LOCAL synchronous_commit = off";

std::string_view Begin(PostgresIsolation isolation, bool read_only) {
  if (read_only) {
    return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  }
  switch (isolation) {
    case PostgresIsolation::kReadCommitted:
      return "BEGIN ISOLATION LEVEL READ COMMITTED";
    case PostgresIsolation::kRepeatableRead:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ";
    case PostgresIsolation::kSerializable:
      break;
  }
  return "BEGIN ISOLATION LEVEL SERIALIZABLE";
}

std::uint16_t PortOf(const PostgresEndpoint& endpoint) {
  std::uint16_t port = 5432;
  std::from_chars(endpoint.port.data(), endpoint.port.data() + endpoint.port.size(), port);
  return port;
}

std::string Numeric(const SocketAddress& address) {
  char host[NI_MAXHOST] = {};
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address.storage), address.size,
                                 host, sizeof(host), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? host : "";
}

// At run time refused credentials are one way of being away.
Error AsAway(Error error) {
  if (error.code == ErrorCode::kFailedPrecondition) {
    error.code = ErrorCode::kUnavailable;
    error.retry_after = Millis{5'000};
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<PostgresPool>> PostgresPool::Open(Options options) {
  UMBRANET_ASSIGN_OR_RETURN(PostgresEndpoint endpoint, ParsePostgresUrl(options.url));
  options.url.clear();
  options.connections_max = std::max<std::size_t>(options.connections_max, 1);
  return std::unique_ptr<PostgresPool>(new PostgresPool(std::move(options), std::move(endpoint)));
}

PostgresPool::PostgresPool(Options options, PostgresEndpoint endpoint)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      breaker_(clock_, options_.breaker),
      asked_({.lanes = kAskedLanes, .asks_max = kAskedAtOnceMax},
             [this](std::span<const PostgresCommand* const> commands, Deadline deadline) {
               return AskTogether(commands, deadline);
             }),
      canceller_({.name = "pg-cancel", .threads_min = 0, .threads_max = 1, .queue_max = 64}) {
  if (!endpoint_.host.empty()) {
    resolver_ =
        std::make_unique<AddressResolver>(clock_, endpoint_.host, PortOf(endpoint_), kResolvedFor);
  }
}

PostgresPool::~PostgresPool() = default;

Deadline PostgresPool::Limit(Deadline deadline) const {
  return deadline.IsNever() ? Deadline::After(clock_, options_.call_limit) : deadline;
}

Result<PostgresPool::ConnectionPtr> PostgresPool::Connect(Deadline deadline) {
  // On our own clock, since the caller's may be one that is turned by hand.
  const Deadline budget = Deadline::After(
      clock_, std::min<std::chrono::nanoseconds>(options_.connect_budget, deadline.Remaining()));
  PostgresConnection::Options options{
      .schema = options_.schema, .host_address = {}, .log = options_.log};
  if (resolver_ != nullptr) {
    const auto addresses = resolver_->Resolve(std::stop_token(), budget);
    if (!addresses.ok()) {
      Error error = addresses.error();
      error.message =
          endpoint_.name + ": its name is not found; check POSTGRES_URL (" + error.message + ")";
      return error;
    }
    options.host_address = Numeric(addresses->front());
  }
  Result<ConnectionPtr> opened = PostgresConnection::Open(endpoint_, options, budget);
  if (!opened.ok() && opened.error().code == ErrorCode::kDeadlineExceeded) {
    Error error = std::move(opened).error();
    // Nothing was asked of it yet.
    if (!deadline.Expired()) {
      error.code = ErrorCode::kUnavailable;
      error.retry_after = Millis{1'000};
    }
    error.message = endpoint_.name + ": no connection in time; is it running and reachable?";
    return error;
  }
  return opened;
}

Result<PostgresPool::ConnectionPtr> PostgresPool::ConnectForCall(Deadline deadline) {
  const bool had_time = deadline.Remaining() >= kTimeToTell;
  Result<ConnectionPtr> opened = Connect(deadline);
  if (!opened.ok() && (had_time || opened.error().code != ErrorCode::kDeadlineExceeded)) {
    Report(/*answered=*/false, opened.error().message);
  }
  return opened;
}

void PostgresPool::Report(bool answered, const std::string& why) {
  const bool changed = answered ? breaker_.Succeeded() : breaker_.Failed();
  if (!changed || options_.log == nullptr) {
    return;
  }
  if (answered) {
    options_.log->Info("postgres_back", {{"server", endpoint_.name}});
  } else {
    options_.log->Warning("postgres_away", {{"server", endpoint_.name}, {"error", why}});
  }
}

void PostgresPool::ReportCall(const PostgresConnection& connection, const Status& outcome,
                              bool had_time) {
  if (!connection.broken()) {
    Report(/*answered=*/true, "");
  } else if (!outcome.ok() && outcome.error().code == ErrorCode::kDeadlineExceeded && had_time) {
    Report(/*answered=*/false, outcome.error().message);
  }
}

Result<PostgresPool::ConnectionPtr> PostgresPool::Take(Deadline deadline) {
  if (!breaker_.Allow()) {
    Error away = Unavailable(endpoint_.name +
                             ": it has not answered of late and is asked again in a moment; is it"
                             " running, and is POSTGRES_URL right?");
    away.retry_after = Millis{1'000};
    return away;
  }
  for (;;) {
    ConnectionPtr connection;
    {
      MutexLock lock(mutex_);
      while (idle_.empty() && lent_ >= options_.connections_max) {
        if (deadline.Expired()) {
          return DeadlineExceeded(endpoint_.name + ": all " +
                                  std::to_string(options_.connections_max) +
                                  " connections were busy until the deadline");
        }
        ++waiting_;
        given_back_.WaitFor(mutex_,
                            std::min<std::chrono::nanoseconds>(deadline.Remaining(), Millis{50}));
        --waiting_;
      }
      ++lent_;
      if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    Result<ConnectionPtr> taken = Error{};
    if (connection == nullptr) {
      taken = ConnectForCall(deadline);
    } else if (connection->IsAlive()) {
      taken = std::move(connection);
    } else {
      GiveBack(std::move(connection));
      continue;
    }
    if (!taken.ok()) {
      GiveBack(nullptr);
      return taken;
    }
    taken.value()->set_deadline(deadline);
    return taken;
  }
}

void PostgresPool::GiveBack(ConnectionPtr connection) {
  ConnectionPtr dropped;
  {
    MutexLock lock(mutex_);
    --lent_;
    if (connection != nullptr && !connection->broken()) {
      idle_.push_back(std::move(connection));
    } else {
      reconnects_ += connection != nullptr ? 1U : 0U;
      dropped = std::move(connection);
    }
  }
  given_back_.NotifyOne();
}

void PostgresPool::CancelLater(int backend_pid) {
  // The server ends by itself, a second after the connection is closed or when the limit that it
  // was told is over; this is for locks that others wait for. libpq's own cancel would wait without
  // end for a server that is frozen.
  [[maybe_unused]] const bool taken = canceller_.TrySubmit([this, backend_pid] {
    const Deadline deadline = Deadline::After(clock_, kCancelBudget);
    Result<ConnectionPtr> session = Connect(deadline);
    if (session.ok()) {
      session.value()->set_deadline(deadline);
      [[maybe_unused]] const auto cancelled = session.value()->Query(kCancel, backend_pid);
    }
  });
}

void PostgresPool::Pause(int tries, Deadline deadline) {
  // Two that ran into each other should not do it again in step.
  const auto jitter = static_cast<int>(clock_.SteadyNow().time_since_epoch().count() % 7);
  const std::chrono::nanoseconds pause = std::min<std::chrono::nanoseconds>(
      Millis{(1 << std::min(tries, 6)) + jitter}, deadline.Remaining());
  Mutex mutex;
  ConditionVariable never;
  MutexLock lock(mutex);
  never.WaitFor(mutex, pause);
}

Status PostgresPool::RunStatus(Deadline deadline, Repeat repeat, const StatusWork& work) {
  deadline = Limit(deadline);
  for (int tries = 1;; ++tries) {
    Result<ConnectionPtr> taken = Take(deadline);
    if (!taken.ok()) {
      return AsAway(std::move(taken).error());
    }
    ConnectionPtr connection = std::move(taken).value();
    const bool had_time = deadline.Remaining() >= kTimeToTell;
    Status done = work(*connection);
    ReportCall(*connection, done, had_time);
    const bool lost = connection->broken();
    if (lost && deadline.Expired()) {
      CancelLater(connection->backend_pid());
    }
    GiveBack(std::move(connection));
    if (done.ok() || !lost || deadline.Expired() || repeat == Repeat::kNever || tries > 1) {
      return done;
    }
  }
}

std::vector<Result<PostgresRows>> PostgresPool::AskTogether(
    std::span<const PostgresCommand* const> commands, Deadline deadline) {
  std::vector<PostgresCommand> together;
  together.reserve(commands.size());
  for (const PostgresCommand* const command : commands) {
    together.push_back(*command);
  }
  auto answer = Read(deadline, [&together](PostgresConnection& connection) {
    return connection.RunAll(together);
  });
  std::vector<Result<PostgresRows>> answers;
  if (answer.ok()) {
    for (PostgresRows& rows : *answer) {
      answers.emplace_back(std::move(rows));
    }
    return answers;
  }
  const ErrorCode code = answer.error().code;
  const bool of_one = code != ErrorCode::kUnavailable && code != ErrorCode::kDeadlineExceeded &&
                      commands.size() > 1;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    // What is wrong with one of them is nothing to the others.
    answers.push_back(of_one ? std::move(AskTogether(commands.subspan(i, 1), deadline).front())
                             : Result<PostgresRows>(answer.error()));
  }
  return answers;
}

Status PostgresPool::TransactStatus(Deadline deadline, const Transaction& transaction,
                                    const StatusWork& work) {
  deadline = Limit(deadline);
  int losses = 0;
  for (int tries = 1;; ++tries) {
    Result<ConnectionPtr> taken = Take(deadline);
    if (!taken.ok()) {
      return AsAway(std::move(taken).error());
    }
    ConnectionPtr connection = std::move(taken).value();
    bool repeat = false;
    const bool had_time = deadline.Remaining() >= kTimeToTell;
    Status done = TryTransaction(*connection, transaction, work, &repeat);
    ReportCall(*connection, done, had_time);
    const bool lost = connection->broken();
    if (lost && deadline.Expired()) {
      CancelLater(connection->backend_pid());
    }
    GiveBack(std::move(connection));
    losses += lost ? 1 : 0;
    if (done.ok() || !repeat || deadline.Expired() || losses > 1 || tries >= kTriesMax) {
      return done;
    }
    if (!lost) {
      Pause(tries, deadline);
    }
  }
}

Status PostgresPool::TryTransaction(PostgresConnection& connection, const Transaction& transaction,
                                    const StatusWork& work, bool* repeat) {
  std::vector<PostgresCommand> begin;
  begin.push_back(MakeCommand(Begin(transaction.isolation, transaction.read_only)));
  if (transaction.durability == PostgresDurability::kSoon && !transaction.read_only) {
    begin.push_back(MakeCommand(kSoonDurable));
  }
  connection.StageBegin(std::move(begin));
  Status done = work(connection);
  if (done.ok()) {
    done = connection.Commit();
    if (done.ok()) {
      return done;
    }
  }
  const bool conflict = IsSerializationFailure(connection.sqlstate());
  // A conflict that the server reports has undone everything, also when it came with the commit.
  *repeat = conflict || (connection.broken() && !connection.commit_sent());
  connection.Rollback();
  return done;
}

Result<std::unique_ptr<PostgresConnection>> PostgresPool::OpenSession(Deadline deadline) {
  Result<ConnectionPtr> opened = Connect(Limit(deadline));
  if (!opened.ok()) {
    return AsAway(std::move(opened).error());
  }
  // Whoever holds a session of his own tries again and again: he is the first to see it come back.
  Report(/*answered=*/true, "");
  return opened;
}

Status PostgresPool::Ping(Deadline deadline) {
  deadline = Limit(deadline);
  Result<ConnectionPtr> taken = Take(deadline);
  if (!taken.ok()) {
    return std::move(taken).error();
  }
  ConnectionPtr connection = std::move(taken).value();
  const Result<PostgresRows> answer = connection->Query(kPing);
  const bool lost = connection->broken();
  if (!lost) {
    Report(/*answered=*/true, "");
  }
  GiveBack(std::move(connection));
  if (answer.ok()) {
    return {};
  }
  if (lost && !deadline.Expired()) {
    return Read(deadline, [](PostgresConnection& other) -> Status {
      UMBRANET_RETURN_IF_ERROR(other.Query(kPing));
      return {};
    });
  }
  return answer.error();
}

PostgresPool::Counts PostgresPool::ReadCounts() const {
  MutexLock lock(mutex_);
  return {.in_use = lent_, .idle = idle_.size(), .waiting = waiting_, .reconnects = reconnects_};
}

}  // namespace umbranet
