#include "umbranet/adapters/postgres/postgres_model_usage_book.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace umbranet {
namespace {

constexpr std::string_view kVersion1 = R"sql(
-- What models were asked on a day, counted from 1970-01-01; the total stands under day -1.
CREATE TABLE model_usage(
  day bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  first_day bigint NOT NULL,
  calls bigint NOT NULL,
  failed bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cost double precision NOT NULL,
  PRIMARY KEY(day, tenant, model, purpose)
) WITH (fillfactor = 70);
-- The last batch of each writer, so that one that comes again is known.
CREATE TABLE model_usage_writer(
  writer text COLLATE "C" PRIMARY KEY,
  batch bigint NOT NULL,
  day bigint NOT NULL
);
)sql";

constexpr std::string_view kEnterBatch =
    "INSERT INTO model_usage_writer AS w(writer, batch, day) VALUES($1, $2, $3)"
    " ON CONFLICT(writer) DO UPDATE SET batch = excluded.batch, day = excluded.day"
    " WHERE w.batch < excluded.batch RETURNING 1";
// In the order of the key, whoever writes, so that two writers never wait for one another in turn.
constexpr std::string_view kAdd =
    "INSERT INTO model_usage AS u(day, tenant, model, purpose, first_day, calls, failed,"
    " prompt_tokens, completion_tokens, cost) SELECT * FROM unnest($1::bigint[], $2::text[],"
    " $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],"
    " $9::bigint[], $10::float8[])"
    " ON CONFLICT(day, tenant, model, purpose) DO UPDATE SET"
    " first_day = LEAST(u.first_day, excluded.first_day), calls = u.calls + excluded.calls,"
    " failed = u.failed + excluded.failed,"
    " prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,"
    " completion_tokens = u.completion_tokens + excluded.completion_tokens,"
    " cost = u.cost + excluded.cost";
constexpr std::string_view kDeleteDays = "DELETE FROM model_usage WHERE day >= 0 AND day < $1";
constexpr std::string_view kDeleteWriters = "DELETE FROM model_usage_writer WHERE day < $1";
constexpr std::string_view kSelect =
    "SELECT day, tenant, model, purpose, first_day, calls, failed, prompt_tokens,"
    " completion_tokens, cost FROM model_usage WHERE day IN (-1, $1)"
    " ORDER BY day, tenant, model, purpose";

struct Summed {
  std::int64_t first_day = 0;
  UsageCounts counts;
};

// Each entry twice, under its day and in the total; by key, each once.
std::map<std::pair<std::int64_t, UsageKey>, Summed> RowsOf(std::span<const DayUsage> entries) {
  std::map<std::pair<std::int64_t, UsageKey>, Summed> rows;
  for (const DayUsage& entry : entries) {
    for (const std::int64_t day : {entry.day, kUsageTotal}) {
      const auto [row, is_new] = rows.try_emplace({day, entry.row.key}, Summed{entry.day, {}});
      row->second.first_day = std::min(row->second.first_day, entry.day);
      row->second.counts += entry.row.counts;
    }
  }
  return rows;
}

PostgresCommand AddCommand(std::span<const DayUsage> entries) {
  std::vector<std::int64_t> days;
  std::vector<std::string> tenants;
  std::vector<std::string> models;
  std::vector<std::string> purposes;
  std::vector<std::int64_t> first_days;
  std::vector<std::uint64_t> calls;
  std::vector<std::uint64_t> failed;
  std::vector<std::uint64_t> prompt_tokens;
  std::vector<std::uint64_t> completion_tokens;
  std::vector<double> costs;
  for (const auto& [place, row] : RowsOf(entries)) {
    days.push_back(place.first);
    tenants.push_back(place.second.tenant);
    models.push_back(place.second.model);
    purposes.push_back(place.second.purpose);
    first_days.push_back(row.first_day);
    calls.push_back(row.counts.calls);
    failed.push_back(row.counts.failed);
    prompt_tokens.push_back(row.counts.prompt_tokens);
    completion_tokens.push_back(row.counts.completion_tokens);
    costs.push_back(row.counts.cost);
  }
  return MakeCommand(kAdd, days, tenants, models, purposes, first_days, calls, failed,
                     prompt_tokens, completion_tokens, costs);
}

}  // namespace

std::vector<PostgresMigration> PostgresModelUsageMigrations() {
  return {{.component = "usage", .version = 1, .script = kVersion1, .extension = {}}};
}

Status PostgresModelUsageBook::Enter(std::string_view writer, std::uint64_t batch,
                                     std::span<const DayUsage> entries, Deadline deadline) {
  if (entries.empty()) {
    return {};
  }
  const std::int64_t newest = NewestDay(entries);
  const std::int64_t oldest = newest - kUsageDaysMax;
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows entered,
                                  connection.Query(kEnterBatch, writer, batch, newest));
        if (entered.empty()) {
          return {};
        }
        const std::vector<PostgresCommand> commands{AddCommand(entries),
                                                    MakeCommand(kDeleteDays, oldest),
                                                    MakeCommand(kDeleteWriters, oldest)};
        UMBRANET_RETURN_IF_ERROR(connection.RunAllAndCommit(commands));
        return {};
      });
}

Result<UsagePage> PostgresModelUsageBook::Read(std::int64_t day, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, pool_.Ask(deadline, kSelect, day));
  UsagePage page;
  for (const PostgresRow row : rows) {
    FileUsageRow(row, page);
  }
  return page;
}

}  // namespace umbranet
