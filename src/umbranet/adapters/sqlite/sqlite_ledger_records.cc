#include "umbranet/adapters/sqlite/sqlite_ledger_records.h"

#include <limits>
#include <utility>

#include "umbranet/domain/ledger_records.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectActs =
    "SELECT " UMBRANET_ACT_COLUMNS
    " FROM audit r"
    " JOIN account a ON a.user_key = r.user_key WHERE a.tenant = ? AND r.id < ?"
    " ORDER BY r.id DESC LIMIT ?";
// Three tiers leave a marker for every job that is done.
#define UMBRANET_MARKED_TIERS "3"
#define UMBRANET_MEMORY_IN_FORCE                                                             \
  "coalesce((SELECT memory_key FROM memory_generation WHERE user_key = j.user_key AND state" \
  " = 1), j.user_key)"
#define UMBRANET_COMPARED \
  " FROM turn t LEFT JOIN job j ON j.seq = t.seq WHERE t.accepted_at < ?1 AND t.accepted_at > ?2"
constexpr std::string_view kCompare = "SELECT " UMBRANET_COMPARISON(
    UMBRANET_MARKED_TIERS, UMBRANET_MEMORY_IN_FORCE) UMBRANET_COMPARED;
constexpr std::string_view kSelectExamples =
    "SELECT t.interaction_id" UMBRANET_COMPARED " AND (" UMBRANET_LACKS_JOB
    " OR " UMBRANET_LACKS_MARKER(UMBRANET_MARKED_TIERS,
                                 UMBRANET_MEMORY_IN_FORCE) ") ORDER BY t.seq LIMIT 10";

}  // namespace

Result<ActPage> SqliteLedgerRecords::ListActs(std::string_view tenant, std::string_view cursor,
                                              std::size_t limit, Deadline deadline) {
  const auto before = ParseJournalCursor(cursor);
  if (!before.has_value()) {
    return InvalidArgument("sqlite: this cursor is none of the record's; start without one");
  }
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, store_.database().Read(deadline));
  ActPage page;
  std::int64_t last = 0;
  SqliteStatement row = reader->Prepare(kSelectActs);
  row.BindAll(tenant, cursor.empty() ? std::numeric_limits<std::int64_t>::max() : *before,
              limit + 1);
  while (row.Step()) {
    if (page.acts.size() == limit) {
      page.next_cursor = std::to_string(last);
      continue;
    }
    last = row.Int(0);
    page.acts.push_back({.at = row.Time(1),
                         .actor = row.String(2),
                         .action = row.String(3),
                         .job_id = row.String(4),
                         .user_id = row.String(5),
                         .reason = row.String(6)});
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return page;
}

Result<LedgerComparison> SqliteLedgerRecords::Compare(Timestamp accepted_before,
                                                      Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  const std::int64_t since =
      store_.Now() - (store_.options().done_retention - kBeforeRetention).count();
  LedgerComparison comparison;
  SqliteStatement counts = reader->Prepare(kCompare);
  counts.BindAll(accepted_before, since);
  if (counts.Step()) {
    comparison.turns = static_cast<std::uint64_t>(counts.Int(0));
    comparison.without_job = static_cast<std::uint64_t>(counts.Int(1));
    comparison.without_marker = static_cast<std::uint64_t>(counts.Int(2));
    comparison.unfinished = static_cast<std::uint64_t>(counts.Int(3));
  }
  UMBRANET_RETURN_IF_ERROR(counts.status());
  if (comparison.Missing() == 0) {
    return comparison;
  }
  SqliteStatement row = reader->Prepare(kSelectExamples);
  row.BindAll(accepted_before, since);
  while (row.Step()) {
    comparison.examples.push_back(row.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return comparison;
}

}  // namespace umbranet
