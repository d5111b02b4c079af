#include "umbranet/adapters/sqlite/sqlite_model_usage_book.h"

#include <algorithm>

namespace umbranet {
namespace {

constexpr std::string_view kVersion1 = R"sql(
-- What models were asked on a day, counted from 1970-01-01; the total stands under day -1.
CREATE TABLE model_usage(
  day INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  model TEXT NOT NULL,
  purpose TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  PRIMARY KEY(day, tenant, model, purpose)
) STRICT, WITHOUT ROWID;
-- The last batch of each writer, so that one that comes again is known.
CREATE TABLE model_usage_writer(
  writer TEXT PRIMARY KEY,
  batch INTEGER NOT NULL,
  day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kEnterBatch =
    "INSERT INTO model_usage_writer(writer, batch, day) VALUES(?, ?, ?)"
    " ON CONFLICT(writer) DO UPDATE SET batch = excluded.batch, day = excluded.day"
    " WHERE batch < excluded.batch";
constexpr std::string_view kAdd =
    "INSERT INTO model_usage(day, tenant, model, purpose, first_day, calls, failed, prompt_tokens,"
    " completion_tokens, cost) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(day, tenant, model, purpose) DO UPDATE SET"
    " first_day = min(first_day, excluded.first_day), calls = calls + excluded.calls,"
    " failed = failed + excluded.failed, prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
    " completion_tokens = completion_tokens + excluded.completion_tokens,"
    " cost = cost + excluded.cost";
constexpr std::string_view kDeleteDays = "DELETE FROM model_usage WHERE day >= 0 AND day < ?";
constexpr std::string_view kDeleteWriters = "DELETE FROM model_usage_writer WHERE day < ?";
constexpr std::string_view kSelect =
    "SELECT day, tenant, model, purpose, first_day, calls, failed, prompt_tokens,"
    " completion_tokens, cost FROM model_usage WHERE day IN (-1, ?)"
    " ORDER BY day, tenant, model, purpose";

Status Add(SqliteConnection& connection, std::int64_t day, const DayUsage& entry) {
  const auto& [key, counts] = entry.row;
  return connection.Run(kAdd, day, key.tenant, key.model, key.purpose, entry.day, counts.calls,
                        counts.failed, counts.prompt_tokens, counts.completion_tokens, counts.cost);
}

}  // namespace

std::vector<SqliteMigration> ModelUsageMigrations() {
  return {{.component = "usage", .version = 1, .script = kVersion1}};
}

Status SqliteModelUsageBook::Enter(std::string_view writer, std::uint64_t batch,
                                   std::span<const DayUsage> entries, Deadline deadline) {
  if (entries.empty()) {
    return {};
  }
  const std::int64_t newest = NewestDay(entries);
  return store_.database().Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kEnterBatch, writer, batch, newest));
        if (connection.Changes() == 0) {
          return {};
        }
        for (const DayUsage& entry : entries) {
          UMBRANET_RETURN_IF_ERROR(Add(connection, entry.day, entry));
          UMBRANET_RETURN_IF_ERROR(Add(connection, kUsageTotal, entry));
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteDays, newest - kUsageDaysMax));
        return connection.Run(kDeleteWriters, newest - kUsageDaysMax);
      },
      deadline);
}

Result<UsagePage> SqliteModelUsageBook::Read(std::int64_t day, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  UsagePage page;
  SqliteStatement row = reader->Prepare(kSelect);
  row.BindAll(day);
  while (row.Step()) {
    FileUsageRow(row, page);
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return page;
}

}  // namespace umbranet
