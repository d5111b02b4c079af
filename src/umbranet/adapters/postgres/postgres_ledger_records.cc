#include "umbranet/adapters/postgres/postgres_ledger_records.h"

#include <limits>
#include <utility>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectActs =
    "SELECT " UMBRANET_ACT_COLUMNS
    " FROM audit r"
    " JOIN account a ON a.user_key = r.user_key WHERE a.tenant = $1 AND r.id < $2"
    " ORDER BY r.id DESC LIMIT $3";
// Two tiers beside the ledger leave a marker for every job that is done.
#define UMBRANET_MARKED_TIERS "2"
// Times are counted back from the ledger's own.
#define UMBRANET_COMPARED                         \
  " FROM turn t LEFT JOIN job j ON j.seq = t.seq" \
  " WHERE t.accepted_at < $1 AND t.accepted_at > $2"
constexpr std::string_view kCompare =
    "SELECT " UMBRANET_COMPARISON(UMBRANET_MARKED_TIERS, "j.user_key") UMBRANET_COMPARED;
constexpr std::string_view kSelectExamples =
    "SELECT t.interaction_id" UMBRANET_COMPARED " AND (" UMBRANET_LACKS_JOB
    " OR " UMBRANET_LACKS_MARKER(UMBRANET_MARKED_TIERS, "j.user_key") ") ORDER BY t.seq LIMIT 10";

}  // namespace

Result<ActPage> PostgresLedgerRecords::ListActs(std::string_view tenant, std::string_view cursor,
                                                std::size_t limit, Deadline deadline) {
  const auto parsed = ParseJournalCursor(cursor);
  if (!parsed.has_value()) {
    return InvalidArgument("postgres: this cursor is none of the record's; start without one");
  }
  const std::int64_t before =
      cursor.empty() ? std::numeric_limits<std::int64_t>::max() : std::int64_t{*parsed};
  const auto rows_max = static_cast<std::int64_t>(limit) + 1;
  return store_.pool().Read(deadline, [&](PostgresConnection& connection) -> Result<ActPage> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kSelectActs, tenant, before, rows_max));
    ActPage page;
    std::int64_t last = 0;
    for (const PostgresRow row : rows) {
      if (page.acts.size() == limit) {
        page.next_cursor = std::to_string(last);
        break;
      }
      last = row.Int(0);
      page.acts.push_back({.at = row.Time(1),
                           .actor = row.String(2),
                           .action = row.String(3),
                           .job_id = row.String(4),
                           .user_id = row.String(5),
                           .reason = row.String(6)});
    }
    return page;
  });
}

Result<LedgerComparison> PostgresLedgerRecords::Compare(Timestamp accepted_before,
                                                        Deadline deadline) {
  const std::int64_t until = ToUnixMillis(accepted_before);
  const std::int64_t since = until - (store_.options().done_retention - kBeforeRetention).count();
  return store_.pool().Read(
      deadline, [&](PostgresConnection& connection) -> Result<LedgerComparison> {
        LedgerComparison comparison;
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows counts,
                                  connection.Query(kCompare, until, since));
        comparison.turns = static_cast<std::uint64_t>(counts[0].Int(0));
        comparison.without_job = static_cast<std::uint64_t>(counts[0].Int(1));
        comparison.without_marker = static_cast<std::uint64_t>(counts[0].Int(2));
        comparison.unfinished = static_cast<std::uint64_t>(counts[0].Int(3));
        if (comparison.Missing() == 0) {
          return comparison;
        }
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                                  connection.Query(kSelectExamples, until, since));
        for (const PostgresRow row : rows) {
          comparison.examples.push_back(row.String(0));
        }
        return comparison;
      });
}

}  // namespace umbranet
