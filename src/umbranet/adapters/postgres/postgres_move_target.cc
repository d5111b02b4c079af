#include "umbranet/adapters/postgres/postgres_move_target.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "umbranet/adapters/postgres/ledger_rows.h"

namespace umbranet {
namespace {

constexpr std::string_view kVersion1 = R"sql(
-- A move of another installation into this one; at most one, ever.
CREATE TABLE data_move(
  id smallint PRIMARY KEY CHECK(id = 1),
  fingerprint text NOT NULL,
  began_at bigint NOT NULL,
  finished_at bigint
);
-- What of each user is here; empty again when all is.
CREATE TABLE data_move_step(
  user_key bigint NOT NULL,
  step text NOT NULL,
  PRIMARY KEY(user_key, step)
);
)sql";

constexpr std::string_view kLock =
    "SELECT pg_try_advisory_lock(hashtext('umbranet move'), hashtext($1))";
constexpr std::string_view kSelectMove =
    "SELECT fingerprint, finished_at FROM data_move WHERE id = 1";
constexpr std::string_view kHasData =
    "SELECT EXISTS(SELECT FROM account) OR EXISTS(SELECT FROM turn) OR EXISTS(SELECT FROM job)";
constexpr std::string_view kInsertMove =
    "INSERT INTO data_move(id, fingerprint, began_at) VALUES(1, $1, $2)";
constexpr std::string_view kRaisePlaces = "SELECT setval('ledger_seq', $1::bigint)";
constexpr std::string_view kRaiseFence = "SELECT setval('ledger_fence', $1::bigint)";
constexpr std::string_view kRaiseNow =
    "UPDATE ledger_value SET value = GREATEST(value, $1) WHERE name = 'last_now'";
// Keys that were given elsewhere must not be given again.
constexpr std::array<std::string_view, 7> kRaiseKeys = {
    "SELECT setval(pg_get_serial_sequence('account', 'user_key'), GREATEST(max(user_key), 1))"
    " FROM account",
    "SELECT setval(pg_get_serial_sequence('audit', 'id'), GREATEST(max(id), 1)) FROM audit",
    "SELECT setval(pg_get_serial_sequence('embedding_space', 'space_key'),"
    " GREATEST(max(space_key), 1)) FROM embedding_space",
    "SELECT setval(pg_get_serial_sequence('episode', 'episode_key'),"
    " GREATEST(max(episode_key), 1)) FROM episode",
    "SELECT setval(pg_get_serial_sequence('episode_vector', 'vector_key'),"
    " GREATEST(max(vector_key), 1)) FROM episode_vector",
    "SELECT setval(pg_get_serial_sequence('rule_statement', 'statement_key'),"
    " GREATEST(max(statement_key), 1)) FROM rule_statement",
    "SELECT setval(pg_get_serial_sequence('consolidated_episode', 'consolidated_key'),"
    " GREATEST(max(consolidated_key), 1)) FROM consolidated_episode"};
constexpr std::string_view kSelectSteps = "SELECT step FROM data_move_step WHERE user_key = $1";
constexpr std::string_view kInsertStep =
    "INSERT INTO data_move_step(user_key, step) VALUES($1, $2) ON CONFLICT DO NOTHING";
constexpr std::string_view kMakeEpisodeBook =
    "INSERT INTO episode_book(user_key, last_episode, last_vector, user_documents, user_terms,"
    " assistant_documents, assistant_terms)"
    " SELECT $1, max(episode_key),"
    " (SELECT COALESCE(max(vector_key), 0) FROM episode_vector WHERE user_key = $1),"
    " count(*) FILTER (WHERE role = 0), COALESCE(sum(length) FILTER (WHERE role = 0), 0),"
    " count(*) FILTER (WHERE role = 1), COALESCE(sum(length) FILTER (WHERE role = 1), 0)"
    " FROM episode WHERE user_key = $1 HAVING count(*) > 0 ON CONFLICT(user_key) DO NOTHING";
constexpr std::string_view kRaiseVersion =
    "UPDATE account SET memory_version = memory_version + 1 WHERE user_key = $1";
constexpr std::string_view kFinishMove =
    "UPDATE data_move SET finished_at = $1 WHERE id = 1 AND finished_at IS NULL";
constexpr std::string_view kDeleteSteps = "DELETE FROM data_move_step";

// The type of a parameter that holds a column, and what makes a value of it.
struct ColumnForm {
  std::string_view array;
  std::string_view prefix;  // Before its name where it is inserted.
  std::string_view suffix;  // And after it.
};

ColumnForm FormOf(MovedKind kind) {
  switch (kind) {
    case MovedKind::kInteger:
      return {"bigint[]", "", ""};
    case MovedKind::kFlag:
      return {"bigint[]", "", " <> 0"};
    case MovedKind::kReal:
      return {"double precision[]", "", ""};
    case MovedKind::kId:
    case MovedKind::kWords:
      return {"text[]", "", ""};
    case MovedKind::kTerms:
      return {"text[]", "string_to_array(", ", ' ')"};
    case MovedKind::kBytes:
      break;
  }
  return {"bytea[]", "", ""};
}

// INSERT INTO plan(seq, plan) OVERRIDING SYSTEM VALUE SELECT x.seq, x.plan FROM
// unnest($1::bigint[], $2::bytea[]) AS x(seq, plan) ON CONFLICT DO NOTHING
std::string InsertStatement(const MovedTable& table) {
  std::string columns;
  std::string selected;
  std::string parameters;
  int number = 0;
  for (const MovedColumn& column : table.columns) {
    const std::string comma = ++number == 1 ? "" : ", ";
    const ColumnForm form = FormOf(column.kind);
    columns.append(comma).append(column.name);
    selected.append(comma).append(form.prefix).append("x.").append(column.name).append(form.suffix);
    parameters.append(comma)
        .append("$")
        .append(std::to_string(number))
        .append("::")
        .append(form.array);
  }
  return "INSERT INTO " + std::string(table.name) + "(" + columns +
         ") OVERRIDING SYSTEM VALUE SELECT " + selected + " FROM unnest(" + parameters + ") AS x(" +
         columns + ") ON CONFLICT DO NOTHING";
}

std::string CountStatement(const MovedTable& table) {
  const std::string name(table.name);
  bool of_user = false;
  for (const MovedColumn& column : table.columns) {
    of_user = of_user || column.name == "user_key";
  }
  const std::string parent(table.parent);
  const std::string key(table.parent_key);
  return of_user ? "SELECT count(*) FROM " + name + " WHERE user_key = $1"
                 : "SELECT count(*) FROM " + parent + " p JOIN " + name + " x ON x." + key +
                       " = p." + key + " WHERE p.user_key = $1";
}

struct TableStatements {
  std::string insert;
  std::string count;
};

// Made of the names of MovedTables and of nothing else.
const TableStatements* StatementsOf(const MovedTable& table) {
  static const std::map<std::string, TableStatements, std::less<>> kStatements = [] {
    std::map<std::string, TableStatements, std::less<>> statements;
    const auto add = [&](const MovedTable& one) {
      statements[std::string(one.name)] = {InsertStatement(one), CountStatement(one)};
    };
    add(MovedAccounts());
    for (const std::span<const MovedTable> tables : {MovedCommonTables(), MovedTables()}) {
      std::for_each(tables.begin(), tables.end(), add);
    }
    return statements;
  }();
  const auto found = kStatements.find(table.name);
  return found == kStatements.end() ? nullptr : &found->second;
}

template <typename Value, typename Stored, typename Convert>
PostgresValue ColumnOf(std::span<const MovedRow> rows, std::size_t column, const Convert& convert) {
  std::vector<std::optional<Value>> values;
  values.reserve(rows.size());
  for (const MovedRow& row : rows) {
    const auto* stored = std::get_if<Stored>(&row[column]);
    values.push_back(stored == nullptr ? std::nullopt : std::optional<Value>(convert(*stored)));
  }
  return PostgresValue::Of(values);
}

PostgresValue ColumnOf(std::span<const MovedRow> rows, std::size_t column, MovedKind kind) {
  switch (kind) {
    case MovedKind::kInteger:
    case MovedKind::kFlag:
      return ColumnOf<std::int64_t, std::int64_t>(rows, column, std::identity());
    case MovedKind::kReal:
      return ColumnOf<double, double>(rows, column, std::identity());
    case MovedKind::kId:
      return ColumnOf<std::string, std::string>(rows, column, std::identity());
    case MovedKind::kWords:
    case MovedKind::kTerms:
      return ColumnOf<std::string, std::string>(rows, column, TextForPostgres);
    case MovedKind::kBytes:
      break;
  }
  return ColumnOf<PostgresBytes, std::string>(
      rows, column, [](const std::string& bytes) { return PostgresBytes{bytes}; });
}

}  // namespace

std::vector<PostgresMigration> PostgresMoveMigrations() {
  return {{.component = "move", .version = 1, .script = kVersion1}};
}

Status CheckNothingHalfMoved(PostgresPool& pool, Deadline deadline) {
  return pool.Read(deadline, [&](PostgresConnection& connection) -> Status {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows move, connection.Query(kSelectMove));
    if (!move.empty() && move[0].IsNull(1)) {
      return FailedPrecondition(pool.name() +
                                ": another installation is being moved here and not all of it has"
                                " come; let umbranet migrate-data end, or run it again");
    }
    return {};
  });
}

Status PostgresMoveTarget::Lock(Deadline deadline) {
  if (lock_ != nullptr) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(lock_, pool_.OpenSession(deadline));
  lock_->set_deadline(deadline);
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, lock_->Query(kLock, pool_.options().schema));
  if (rows.empty() || !rows[0].Bool(0)) {
    lock_.reset();
    return FailedPrecondition(pool_.name() +
                              ": another umbranet migrate-data is at work here; let it end first");
  }
  return {};
}

Result<MoveTarget::Progress> PostgresMoveTarget::Begin(const MovedBounds& source,
                                                       Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(Lock(deadline));
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<Progress> {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows move, connection.Query(kSelectMove));
        if (!move.empty()) {
          if (move[0].Text(0) != source.fingerprint) {
            return FailedPrecondition(
                pool_.name() +
                ": what is to be moved is not what was begun to be moved here; it"
                " has changed since, or is another installation. Empty the database"
                " and begin anew");
          }
          return move[0].IsNull(1) ? Progress::kBegun : Progress::kFinished;
        }
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows data, connection.Query(kHasData));
        if (data[0].Bool(0)) {
          return FailedPrecondition(pool_.name() +
                                    ": there is memory here already, which a move would mix with"
                                    " its own; name an empty database");
        }
        UMBRANET_RETURN_IF_ERROR(connection.Query(kInsertMove, source.fingerprint, clock_.Now()));
        // One beyond is as good, and 0 is no value of a sequence.
        const std::array<PostgresCommand, 3> raise = {
            MakeCommand(kRaisePlaces, source.last_sequence + 1),
            MakeCommand(kRaiseFence, source.last_fence + 1),
            MakeCommand(kRaiseNow, source.last_now)};
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(raise));
        return Progress::kNew;
      });
}

Result<std::set<std::string, std::less<>>> PostgresMoveTarget::StepsDone(std::int64_t user_key,
                                                                         Deadline deadline) {
  using Steps = std::set<std::string, std::less<>>;
  return pool_.Read(deadline, [&](PostgresConnection& connection) -> Result<Steps> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectSteps, user_key));
    Steps steps;
    for (const PostgresRow row : rows) {
      steps.insert(row.String(0));
    }
    return steps;
  });
}

Status PostgresMoveTarget::Write(const MovedTable& table, std::span<const MovedRow> rows,
                                 std::int64_t user_key, std::string_view step_done,
                                 Deadline deadline) {
  const TableStatements* statements = StatementsOf(table);
  if (statements == nullptr) {
    return Internal("postgres: no rows of " + std::string(table.name) + " are moved");
  }
  std::vector<PostgresCommand> commands;
  if (!rows.empty()) {
    PostgresCommand insert{.sql = statements->insert, .values = {}};
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      insert.values.push_back(ColumnOf(rows, i, table.columns[i].kind));
    }
    commands.push_back(std::move(insert));
  }
  if (!step_done.empty()) {
    commands.push_back(MakeCommand(kInsertStep, user_key, step_done));
  }
  if (commands.empty()) {
    return {};
  }
  return pool_.Transact(deadline, PostgresIsolation::kReadCommitted,
                        [&](PostgresConnection& connection) -> Status {
                          UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
                          return {};
                        });
}

Status PostgresMoveTarget::NoteStep(std::int64_t user_key, std::string_view step,
                                    Deadline deadline) {
  return pool_.Run(deadline, [&](PostgresConnection& connection) -> Status {
    UMBRANET_RETURN_IF_ERROR(connection.Query(kInsertStep, user_key, step));
    return {};
  });
}

Status PostgresMoveTarget::FinishUser(std::int64_t user_key, std::string_view step,
                                      Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        const std::array<PostgresCommand, 4> commands = {
            MakeCommand(kMakeEpisodeBook, user_key), MakeCommand(kRaiseVersion, user_key),
            RefreshHeadsCommand(std::span<const std::int64_t>(&user_key, 1)),
            MakeCommand(kInsertStep, user_key, step)};
        UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
        return {};
      });
}

Status PostgresMoveTarget::Finish(Deadline deadline) {
  return pool_.Transact(deadline, PostgresIsolation::kReadCommitted,
                        [&](PostgresConnection& connection) -> Status {
                          std::vector<PostgresCommand> commands;
                          for (const std::string_view raise : kRaiseKeys) {
                            commands.push_back(MakeCommand(raise));
                          }
                          commands.push_back(MakeCommand(kFinishMove, clock_.Now()));
                          commands.push_back(MakeCommand(kDeleteSteps));
                          UMBRANET_RETURN_IF_ERROR(connection.RunAll(commands));
                          return {};
                        });
}

Result<std::uint64_t> PostgresMoveTarget::Count(const MovedTable& table, std::int64_t user_key,
                                                Deadline deadline) {
  const TableStatements* statements = StatementsOf(table);
  if (statements == nullptr) {
    return Internal("postgres: no rows of " + std::string(table.name) + " are moved");
  }
  return pool_.Read(deadline, [&](PostgresConnection& connection) -> Result<std::uint64_t> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(statements->count, user_key));
    return static_cast<std::uint64_t>(rows[0].Int(0));
  });
}

}  // namespace umbranet
