#include "umbranet/adapters/sqlite/ledger_store.h"

#include <algorithm>
#include <utility>

#include "umbranet/adapters/sqlite/ledger_rows.h"
#include "umbranet/adapters/sqlite/sqlite_accounts.h"

namespace umbranet {

namespace {

constexpr std::string_view kSelectLastSequence =
    "SELECT max((SELECT COALESCE(max(seq), 0) FROM turn), (SELECT COALESCE(max(seq), 0) FROM job),"
    " (SELECT value FROM ledger_value WHERE name = 'last_seq'))";
constexpr std::string_view kSelectLastNow =
    "SELECT max((SELECT value FROM ledger_value WHERE name = 'last_now'),"
    " COALESCE((SELECT enqueued_at FROM job ORDER BY seq DESC LIMIT 1), 0))";
constexpr std::string_view kSetValue =
    "UPDATE ledger_value SET value = ? WHERE name = ? AND value < ?";
constexpr std::string_view kSelectLeases = "SELECT user_key, worker FROM lease ORDER BY token";

// Some megabytes at the most.
constexpr std::size_t kKeysMax = 20'000;

Result<std::int64_t> ReadValue(SqliteConnection& connection, std::string_view sql) {
  SqliteStatement statement = connection.Prepare(sql);
  const std::int64_t value = statement.Step() ? statement.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(statement.status());
  return value;
}

}  // namespace

Result<std::unique_ptr<SqliteLedgerStore>> SqliteLedgerStore::Open(SqliteDatabase& database,
                                                                   Options options) {
  std::unique_ptr<SqliteLedgerStore> store(new SqliteLedgerStore(database, options));
  if (database.read_only()) {
    return store;
  }
  UMBRANET_RETURN_IF_ERROR(database.Write(
      SqliteDatabase::Lane::kForeground,
      [&store](SqliteConnection& connection) { return store->Load(connection); },
      Deadline::Never()));
  return store;
}

SqliteLedgerStore::SqliteLedgerStore(SqliteDatabase& database, Options options)
    : database_(database), options_(options) {}

Status SqliteLedgerStore::Load(SqliteConnection& connection) {
  UMBRANET_ASSIGN_OR_RETURN(last_sequence_, ReadValue(connection, kSelectLastSequence));
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t last_now, ReadValue(connection, kSelectLastNow));
  last_now_ = last_now;
  std::vector<std::pair<std::int64_t, std::string>> abandoned;
  {
    SqliteStatement leases = connection.Prepare(kSelectLeases);
    while (leases.Step()) {
      abandoned.emplace_back(leases.Int(0), leases.String(1));
    }
    UMBRANET_RETURN_IF_ERROR(leases.status());
  }
  const std::int64_t now = Now();
  for (const auto& [user_key, worker] : abandoned) {
    UMBRANET_ASSIGN_OR_RETURN(
        [[maybe_unused]] const CrashCount crashed,
        CrashLease(connection, options_.retry, user_key,
                   "the process ended while " + worker + " worked on it", now));
  }
  return {};
}

std::int64_t SqliteLedgerStore::Now() {
  const std::int64_t wall = ToUnixMillis(database_.clock().Now());
  std::int64_t last = last_now_.load(std::memory_order_relaxed);
  while (last < wall && !last_now_.compare_exchange_weak(last, wall, std::memory_order_relaxed)) {
  }
  return std::max(last, wall);
}

Result<std::int64_t> SqliteLedgerStore::Intern(SqliteConnection& connection, const UserKey& user) {
  // A key that was made in a transaction that did not come to stay is nobody's.
  if (keys_as_of_ != connection.rollbacks() || keys_.size() >= kKeysMax) {
    keys_.clear();
    keys_as_of_ = connection.rollbacks();
  }
  if (const auto found = keys_.find(user); found != keys_.end()) {
    return found->second;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t key, InternAccount(connection, user));
  keys_.emplace(user, key);
  return key;
}

Status SqliteLedgerStore::KeepSequence(SqliteConnection& connection) const {
  return connection.Run(kSetValue, last_sequence_, "last_seq", last_sequence_);
}

Status SqliteLedgerStore::KeepNow(SqliteConnection& connection, std::int64_t now) {
  return connection.Run(kSetValue, now, "last_now", now);
}

}  // namespace umbranet
