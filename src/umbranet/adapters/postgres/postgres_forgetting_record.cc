#include "umbranet/adapters/postgres/postgres_forgetting_record.h"

#include <string_view>

namespace umbranet {
namespace {

// All that a look costs while nobody is forgotten.
constexpr std::string_view kSelectLast =
    "SELECT value, ledger_wall($1) FROM ledger_value WHERE name = 'last_forgotten'";
constexpr std::string_view kSelectAfter =
    "SELECT tenant, user_id, erased_at FROM account WHERE erased_at > $1"
    " ORDER BY erased_at LIMIT $2";

}  // namespace

Result<ForgettingNews> PostgresForgettingRecord::After(Timestamp seen, std::size_t limit,
                                                       Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows last,
                            store_.pool().Ask(deadline, kSelectLast, store_.given_now()));
  ForgettingNews news;
  if (last.empty()) {
    return news;
  }
  news.latest = last[0].Time(0);
  news.ledger_time = last[0].Time(1);
  if (news.latest <= seen) {
    return news;
  }
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows, store_.pool().Read(deadline, [&](PostgresConnection& connection) {
        return connection.Query(kSelectAfter, seen, static_cast<std::int64_t>(limit));
      }));
  for (const PostgresRow row : rows) {
    news.forgettings.push_back({.user = {row.String(0), row.String(1)}, .at = row.Time(2)});
  }
  return news;
}

}  // namespace umbranet
