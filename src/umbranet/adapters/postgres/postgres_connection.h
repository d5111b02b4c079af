// One session with the server.
//
//   UMBRANET_ASSIGN_OR_RETURN(const PostgresRows turns,
//                             connection.Query(kSelectTurns, user_key, limit));
//   for (const PostgresRow turn : turns) {
//     Take(turn.Text(0), turn.Int(1));
//   }
//
// Statements are constants with $1, $2 ... for every value; each is prepared once in a session.
// Everything goes through libpq's pipeline mode: a call takes one round trip, also one that
// prepares, begins a transaction or runs many statements.
//
// Belongs to one thread at a time. A call waits no longer than the deadline that the pool has set,
// whatever the server does; a session that did not answer in time or that broke is good for nothing
// any more, and the pool drops it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/postgres_endpoint.h"
#include "umbranet/adapters/postgres/postgres_rows.h"
#include "umbranet/adapters/postgres/postgres_value.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/telemetry/structured_log.h"

struct pg_conn;
struct pg_result;

namespace umbranet {

struct PostgresCommand {
  std::string_view sql;  // Must stay as it is until the command was run.
  std::vector<PostgresValue> values;
};

template <typename... Values>
PostgresCommand MakeCommand(std::string_view sql, const Values&... values) {
  PostgresCommand command{.sql = sql, .values = {}};
  command.values.reserve(sizeof...(values));
  (command.values.push_back(PostgresValue::Of(values)), ...);
  return command;
}

class PostgresConnection {
 public:
  struct Options {
    std::string schema;        // First in the search path; empty: the server's choice.
    std::string host_address;  // The resolved address of the endpoint's host; may be empty.
    // Hears the server's warnings; may be null. Must outlive the connection.
    StructuredLog* log = nullptr;
  };

  // `endpoint` must outlive the connection.
  static Result<std::unique_ptr<PostgresConnection>> Open(const PostgresEndpoint& endpoint,
                                                          const Options& options,
                                                          Deadline deadline);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // The rows of one statement.
  template <typename... Values>
  Result<PostgresRows> Query(std::string_view sql, const Values&... values) {
    const PostgresCommand command = MakeCommand(sql, values...);
    Result<std::vector<PostgresRows>> results =
        RunAll(std::span<const PostgresCommand>(&command, 1));
    if (!results.ok()) {
      return std::move(results).error();
    }
    return std::move(results->front());
  }

  // How many rows it touched.
  template <typename... Values>
  Result<std::int64_t> Run(std::string_view sql, const Values&... values) {
    Result<PostgresRows> rows = Query(sql, values...);
    if (!rows.ok()) {
      return std::move(rows).error();
    }
    return rows->affected();
  }

  // All of them, in this order, in one round trip. Each sees what those before it did, and what
  // others committed meanwhile. The first that fails ends it, and its error is returned. Outside a
  // transaction they are one of their own.
  Result<std::vector<PostgresRows>> RunAll(std::span<const PostgresCommand> commands);

  // As RunAll, as the last that a transaction does: its COMMIT goes out with them and saves a round
  // trip. Nothing may follow, and the work must succeed when this does.
  Result<std::vector<PostgresRows>> RunAllAndCommit(std::span<const PostgresCommand> commands);

  // Statements separated by semicolons and without values, for migrations.
  Status RunScript(const std::string& script);

  // The five characters of the last error that the server reported; empty when there was none, or
  // the connection was lost.
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

  // It can only be dropped.
  [[nodiscard]] bool broken() const { return broken_; }

  [[nodiscard]] const std::string& name() const { return endpoint_.name; }

  // Of the server's process that serves this session.
  [[nodiscard]] int backend_pid() const;
  // For whoever waits for the server to say or end something; -1 when it is broken.
  [[nodiscard]] int socket() const;
  // Looks, without waiting, whether the server has closed the connection.
  [[nodiscard]] bool IsAlive();

  // The pool's.
  void set_deadline(Deadline deadline) { deadline_ = deadline; }

  // `begin` and what follows it go out together with the first statement.
  void StageBegin(std::vector<PostgresCommand> begin);
  // Commits what was begun; nothing when no statement was run, or RunAllAndCommit has done it.
  Status Commit();

  // Whether a commit went out, so that its outcome is unknown when the connection was lost.
  [[nodiscard]] bool commit_sent() const { return commit_sent_; }

  // A connection that cannot roll back is broken afterwards.
  void Rollback();

 private:
  PostgresConnection(const PostgresEndpoint& endpoint, pg_conn* connection, StructuredLog* log);

  // libpq's: `connection` is the PostgresConnection.
  static void TakeNotice(void* connection, const char* text);

  struct Sent {
    std::string_view sql;
    std::string prepared_as;  // Not empty: the step that prepares it.
    bool is_staged = false;   // Its rows are nobody's.
  };

  Status Connect();
  Status SetUpSession(const Options& options);
  Status Send(const PostgresCommand& command, bool is_staged, std::vector<Sent>& sent);
  Result<std::vector<PostgresRows>> Receive(const std::vector<Sent>& sent);
  // Until a result can be taken without waiting; what has to be sent is sent meanwhile.
  Status WaitForResult();
  Status WaitForSocket(short events);
  Status CheckCommitted(const PostgresRows& done);
  Error Lost();
  Error Refusal(const pg_result* result);
  [[nodiscard]] std::vector<PostgresCommand> TimeoutCommands();

  const PostgresEndpoint& endpoint_;
  pg_conn* const connection_;
  StructuredLog* const log_;
  Deadline deadline_;

  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  // The names of prepared statements by their text.
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> prepared_;
  std::uint64_t names_given_ = 0;
  std::vector<PostgresCommand> staged_;
  std::string sqlstate_;
  std::int64_t timeout_ms_ = 0;  // The session's statement_timeout.
  bool commit_sent_ = false;
  bool committed_ = false;
  bool broken_ = false;
};

}  // namespace umbranet
