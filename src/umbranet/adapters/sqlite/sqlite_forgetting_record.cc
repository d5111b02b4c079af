#include "umbranet/adapters/sqlite/sqlite_forgetting_record.h"

#include <string_view>

namespace umbranet {
namespace {

constexpr std::string_view kSelectLast =
    "SELECT value FROM ledger_value WHERE name = 'last_forgotten'";
constexpr std::string_view kSelectAfter =
    "SELECT tenant, user_id, erased_at FROM account WHERE erased_at > ?"
    " ORDER BY erased_at LIMIT ?";

}  // namespace

Result<ForgettingNews> SqliteForgettingRecord::After(Timestamp seen, std::size_t limit,
                                                     Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  ForgettingNews news;
  SqliteStatement last = reader->Prepare(kSelectLast);
  if (last.Step()) {
    news.latest = last.Time(0);
  }
  UMBRANET_RETURN_IF_ERROR(last.status());
  if (news.latest <= seen) {
    return news;
  }
  SqliteStatement row = reader->Prepare(kSelectAfter);
  row.BindAll(seen, limit);
  while (row.Step()) {
    news.forgettings.push_back({.user = {row.String(0), row.String(1)}, .at = row.Time(2)});
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return news;
}

}  // namespace umbranet
