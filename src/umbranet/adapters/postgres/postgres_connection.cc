#include "umbranet/adapters/postgres/postgres_connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <libpq-fe.h>
#include <poll.h>

#include "umbranet/adapters/postgres/postgres_errors.h"
#include "umbranet/base/utf8.h"

namespace umbranet {

namespace {

// Looked at this often, since a deadline may be on a clock that is turned by hand.
constexpr std::int64_t kSliceMs = 50;
// Beyond that statements are prepared for one use.
constexpr std::size_t kPreparedMax = 500;
// The server ends a statement by itself when its time is over. The limit is told in these steps, so
// that it seldom has to be told.
constexpr std::int64_t kTimeoutSteps[] = {250, 1'000, 3'000, 10'000, 30'000, 60'000, 300'000};

// Every query of this program has its index. Plans are made once, without looking at the values,
// since making them anew takes longer than running them; the tables may be empty at that time, so
// that a scan of all of it would look cheap. Sessions whose client is gone end within a second,
// also in the middle of a statement.
constexpr std::string_view kSetUp =
    "SELECT set_config('search_path', CASE WHEN $1 = '' THEN current_setting('search_path')"
    " ELSE quote_ident($1) || ', public' END, false),"
    " set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),"
    " set_config('plan_cache_mode', 'force_generic_plan', false),"
    " set_config('random_page_cost', '1.1', false),"
    " set_config('client_min_messages', 'warning', false),"
    " set_config('lock_timeout', '0', false),"
    " set_config('idle_in_transaction_session_timeout', '10000', false),"
    " set_config('tcp_keepalives_idle', '5', false),"
    " set_config('tcp_keepalives_interval', '2', false),"
    " set_config('tcp_keepalives_count', '3', false)";
constexpr std::string_view kWatchClient =
    "SELECT set_config('client_connection_check_interval', '1000', false)";
constexpr std::string_view kSetTimeout = "SELECT set_config('statement_timeout', $1, false)";
constexpr std::string_view kCommit = "COMMIT";
constexpr std::string_view kRollback = "ROLLBACK";
constexpr std::string_view kIdleInTransaction = "25P03";
constexpr int kVersionWatchesClient = 140'000;
constexpr int kVersionMin = 130'000;
constexpr std::size_t kNoticeBytesMax = 300;

std::int64_t RemainingMs(const Deadline& deadline) {
  return std::chrono::duration_cast<Millis>(deadline.Remaining()).count();
}

}  // namespace

PostgresConnection::PostgresConnection(const PostgresEndpoint& endpoint, pg_conn* connection,
                                       StructuredLog* log)
    : endpoint_(endpoint), connection_(connection), log_(log) {
  // Without a processor of ours notices would go to the standard error output.
  PQsetNoticeProcessor(connection_, TakeNotice, this);
}

void PostgresConnection::TakeNotice(void* connection, const char* text) {
  const auto& self = *static_cast<const PostgresConnection*>(connection);
  if (self.log_ == nullptr) {
    return;
  }
  // The first line says what it is about; what follows may quote a statement.
  std::string_view line(text);
  line = TruncateUtf8(line.substr(0, line.find('\n')), kNoticeBytesMax);
  self.log_->Warning("postgres_notice", {{"server", self.endpoint_.name}, {"notice", line}});
}

PostgresConnection::~PostgresConnection() {
  PQfinish(connection_);
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(
    const PostgresEndpoint& endpoint, const Options& options, Deadline deadline) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  const auto add = [&](const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  };
  // A setting of the URL goes before ours: the last of a keyword counts.
  for (const auto& [keyword, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"application_name", "umbranet"},
                                                                  {"keepalives_idle", "5"},
                                                                  {"keepalives_interval", "2"},
                                                                  {"keepalives_count", "3"}}) {
    add(keyword, value);
  }
  for (const auto& [keyword, value] : endpoint.settings) {
    add(keyword.c_str(), value.c_str());
  }
  add("client_encoding", "UTF8");
  if (!options.host_address.empty()) {
    add("hostaddr", options.host_address.c_str());
  }
  add(nullptr, nullptr);
  pg_conn* const started = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (started == nullptr) {
    return Error{ErrorCode::kResourceExhausted, endpoint.name + ": no memory for a connection"};
  }
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(endpoint, started, options.log));
  connection->set_deadline(deadline);
  UMBRANET_RETURN_IF_ERROR(connection->Connect());
  UMBRANET_RETURN_IF_ERROR(connection->SetUpSession(options));
  return connection;
}

Status PostgresConnection::Connect() {
  PQsetErrorVerbosity(connection_, PQERRORS_SQLSTATE);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (PQstatus(connection_) != CONNECTION_BAD && wanted != PGRES_POLLING_OK &&
         wanted != PGRES_POLLING_FAILED) {
    UMBRANET_RETURN_IF_ERROR(WaitForSocket(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT));
    wanted = PQconnectPoll(connection_);
  }
  if (PQstatus(connection_) != CONNECTION_OK) {
    broken_ = true;
    return ExplainConnectFailure(PQerrorMessage(connection_), endpoint_);
  }
  PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
  if (PQserverVersion(connection_) < kVersionMin) {
    broken_ = true;
    return FailedPrecondition(endpoint_.name + ": its version " +
                              std::to_string(PQserverVersion(connection_) / 10'000) +
                              " is too old; 13 or later is needed");
  }
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) {
    return Lost();
  }
  return {};
}

Status PostgresConnection::SetUpSession(const Options& options) {
  std::vector<PostgresCommand> commands;
  commands.push_back(MakeCommand(kSetUp, options.schema));
  if (PQserverVersion(connection_) >= kVersionWatchesClient) {
    commands.push_back(MakeCommand(kWatchClient));
  }
  Result<std::vector<PostgresRows>> done = RunAll(commands);
  if (!done.ok()) {
    return std::move(done).error();
  }
  return {};
}

int PostgresConnection::backend_pid() const {
  return PQbackendPID(connection_);
}

int PostgresConnection::socket() const {
  return broken_ ? -1 : PQsocket(connection_);
}

bool PostgresConnection::IsAlive() {
  if (broken_ || PQstatus(connection_) != CONNECTION_OK) {
    return false;
  }
  pollfd one{.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
  if (poll(&one, 1, 0) > 0) {
    // The server speaks first only to say something in passing, or good-bye.
    if (PQconsumeInput(connection_) != 1 || PQstatus(connection_) != CONNECTION_OK) {
      broken_ = true;
    } else if (poll(&one, 1, 0) > 0) {
      broken_ = PQconsumeInput(connection_) != 1;
    }
  }
  return !broken_;
}

void PostgresConnection::StageBegin(std::vector<PostgresCommand> begin) {
  staged_ = std::move(begin);
  commit_sent_ = false;
  committed_ = false;
}

std::vector<PostgresCommand> PostgresConnection::TimeoutCommands() {
  const std::int64_t remaining = RemainingMs(deadline_);
  std::int64_t limit = 0;  // None.
  for (const std::int64_t step : kTimeoutSteps) {
    if (remaining <= step) {
      limit = step;
      break;
    }
  }
  std::vector<PostgresCommand> commands;
  if (limit != timeout_ms_) {
    commands.push_back(MakeCommand(kSetTimeout, std::to_string(limit)));
    timeout_ms_ = limit;
  }
  return commands;
}

Result<std::vector<PostgresRows>> PostgresConnection::RunAll(
    std::span<const PostgresCommand> commands) {
  if (broken_) {
    return Lost();
  }
  sqlstate_.clear();
  std::vector<Sent> sent;
  std::vector<PostgresCommand> ahead = std::exchange(staged_, {});
  // Within a transaction the limit stays, since it would go back with it.
  if (PQtransactionStatus(connection_) == PQTRANS_IDLE) {
    std::vector<PostgresCommand> timeout = TimeoutCommands();
    ahead.insert(ahead.end(), std::make_move_iterator(timeout.begin()),
                 std::make_move_iterator(timeout.end()));
  }
  for (const PostgresCommand& command : ahead) {
    UMBRANET_RETURN_IF_ERROR(Send(command, /*is_staged=*/true, sent));
  }
  for (const PostgresCommand& command : commands) {
    UMBRANET_RETURN_IF_ERROR(Send(command, /*is_staged=*/false, sent));
  }
  if (PQpipelineSync(connection_) != 1) {
    return Lost();
  }
  return Receive(sent);
}

Status PostgresConnection::Send(const PostgresCommand& command, bool is_staged,
                                std::vector<Sent>& sent) {
  const std::size_t size = command.values.size();
  std::vector<Oid> types(size);
  std::vector<const char*> values(size);
  std::vector<int> lengths(size);
  const std::vector<int> formats(size, 1);
  for (std::size_t i = 0; i < size; ++i) {
    const PostgresValue& value = command.values[i];
    types[i] = static_cast<Oid>(value.type());
    values[i] = value.is_null() ? nullptr : value.bytes().data();
    lengths[i] = static_cast<int>(value.bytes().size());
  }
  std::string name;
  if (const auto known = prepared_.find(command.sql); known != prepared_.end()) {
    name = known->second;
  } else {
    // The same text may come twice in one pipeline.
    const auto coming = std::find_if(sent.begin(), sent.end(), [&command](const Sent& one) {
      return !one.prepared_as.empty() && one.sql == command.sql;
    });
    if (coming != sent.end()) {
      name = coming->prepared_as;
    } else if (prepared_.size() + sent.size() < kPreparedMax) {
      name = "s" + std::to_string(++names_given_);
      if (PQsendPrepare(connection_, name.c_str(), std::string(command.sql).c_str(),
                        static_cast<int>(size), types.data()) != 1) {
        return Lost();
      }
      sent.push_back({.sql = command.sql, .prepared_as = name, .is_staged = true});
    }
  }
  const int count = static_cast<int>(size);
  const int done =
      name.empty()
          ? PQsendQueryParams(connection_, std::string(command.sql).c_str(), count, types.data(),
                              values.data(), lengths.data(), formats.data(), 1)
          : PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), lengths.data(),
                                formats.data(), 1);
  if (done != 1) {
    return Lost();
  }
  sent.push_back({.sql = command.sql, .prepared_as = {}, .is_staged = is_staged});
  return {};
}

Result<std::vector<PostgresRows>> PostgresConnection::Receive(const std::vector<Sent>& sent) {
  std::vector<PostgresRows> rows;
  std::optional<Error> refusal;
  std::size_t at = 0;
  for (;;) {
    UMBRANET_RETURN_IF_ERROR(WaitForResult());
    PostgresRows result;
    pg_result* const raw = PQgetResult(connection_);
    if (raw == nullptr) {
      ++at;
      continue;
    }
    result = PostgresRows(raw);
    switch (PQresultStatus(raw)) {
      case PGRES_PIPELINE_SYNC:
        if (refusal.has_value()) {
          // What was set in this transaction is not any more.
          timeout_ms_ = -1;
          return *std::move(refusal);
        }
        return rows;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (at < sent.size() && !sent[at].prepared_as.empty()) {
          prepared_.emplace(sent[at].sql, sent[at].prepared_as);
        } else if (at < sent.size() && !sent[at].is_staged) {
          rows.push_back(std::move(result));
        }
        break;
      case PGRES_PIPELINE_ABORTED:
        break;
      default:
        if (PQstatus(connection_) != CONNECTION_OK) {
          return Lost();
        }
        if (!refusal.has_value()) {
          refusal = Refusal(raw);
        }
        break;
    }
    if (PQstatus(connection_) != CONNECTION_OK) {
      return Lost();
    }
  }
}

Status PostgresConnection::WaitForResult() {
  for (;;) {
    const int flushed = PQflush(connection_);
    if (flushed < 0) {
      return Lost();
    }
    if (flushed == 0 && PQisBusy(connection_) == 0) {
      return {};
    }
    const short events = flushed == 1 ? POLLIN | POLLOUT : POLLIN;
    UMBRANET_RETURN_IF_ERROR(WaitForSocket(events));
    if (PQconsumeInput(connection_) != 1) {
      return Lost();
    }
  }
}

Status PostgresConnection::WaitForSocket(short events) {
  for (;;) {
    pollfd one{.fd = PQsocket(connection_), .events = events, .revents = 0};
    const std::int64_t remaining = RemainingMs(deadline_);
    const int ready = poll(&one, 1, static_cast<int>(std::min(remaining + 1, kSliceMs)));
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return Lost();
    }
    if (deadline_.Expired()) {
      broken_ = true;
      return DeadlineExceeded(endpoint_.name + ": it did not answer in time");
    }
  }
}

Error PostgresConnection::Lost() {
  broken_ = true;
  const std::string said = WithoutPassword(PQerrorMessage(connection_), endpoint_);
  return Unavailable(endpoint_.name + ": the connection was lost; try again" +
                     (said.empty() ? "" : " (" + said + ")"));
}

Error PostgresConnection::Refusal(const pg_result* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (sqlstate == nullptr) {
    return Lost();
  }
  sqlstate_ = sqlstate;
  // The server ends the session, or what it knows of our statements is out of date.
  if (sqlstate_.starts_with("57P") || sqlstate_ == kIdleInTransaction || IsStalePlan(sqlstate_)) {
    broken_ = true;
  }
  return ExplainSqlState(sqlstate_, message != nullptr ? message : "", endpoint_);
}

Result<std::vector<PostgresRows>> PostgresConnection::RunAllAndCommit(
    std::span<const PostgresCommand> commands) {
  std::vector<PostgresCommand> all(commands.begin(), commands.end());
  all.push_back(MakeCommand(kCommit));
  commit_sent_ = true;
  UMBRANET_ASSIGN_OR_RETURN(std::vector<PostgresRows> rows, RunAll(all));
  UMBRANET_RETURN_IF_ERROR(CheckCommitted(rows.back()));
  rows.pop_back();
  return rows;
}

Status PostgresConnection::Commit() {
  if (committed_) {
    return {};
  }
  if (!staged_.empty()) {
    staged_.clear();
    return {};
  }
  commit_sent_ = true;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows done, Query(kCommit));
  return CheckCommitted(done);
}

Status PostgresConnection::CheckCommitted(const PostgresRows& done) {
  if (done.tag() != "COMMIT") {
    // Somebody went on after a statement had failed.
    commit_sent_ = false;
    return Internal(endpoint_.name + ": a failed transaction cannot be committed");
  }
  committed_ = true;
  return {};
}

void PostgresConnection::Rollback() {
  staged_.clear();
  timeout_ms_ = -1;
  if (broken_ || PQtransactionStatus(connection_) == PQTRANS_IDLE) {
    return;
  }
  if (!Query(kRollback).ok()) {
    broken_ = true;
  }
}

Status PostgresConnection::RunScript(const std::string& script) {
  if (broken_) {
    return Lost();
  }
  if (!staged_.empty() || PQtransactionStatus(connection_) == PQTRANS_IDLE) {
    // The script's protocol knows no pipeline: what is staged, and the limit of time, which would
    // else be that of whatever went before, go ahead in one of their own.
    UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const auto begun, RunAll({}));
  }
  sqlstate_.clear();
  if (PQexitPipelineMode(connection_) != 1 || PQsendQuery(connection_, script.c_str()) != 1) {
    return Lost();
  }
  std::optional<Error> refusal;
  for (;;) {
    UMBRANET_RETURN_IF_ERROR(WaitForResult());
    pg_result* const raw = PQgetResult(connection_);
    if (raw == nullptr) {
      break;
    }
    const PostgresRows result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !refusal.has_value()) {
      refusal = Refusal(raw);
    }
  }
  if (PQstatus(connection_) != CONNECTION_OK || PQenterPipelineMode(connection_) != 1) {
    return Lost();
  }
  if (refusal.has_value()) {
    return *std::move(refusal);
  }
  return {};
}

}  // namespace umbranet
