// What the SQLite journal and the SQLite ledger have in common: the file, the clock that never runs
// backwards, the sequence, and the rules.
//
// Any thread, except where a method says that it is the writer's: those are for works of
// SqliteDatabase::Write alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/retry_policy.h"

namespace umbranet {

class SqliteLedgerStore {
 public:
  struct Options {
    RetryPolicy retry;
    Millis done_retention = std::chrono::days(7);  // Of done and cancelled jobs.
    Millis dead_retention = std::chrono::days(30);
    Millis answer_retention = std::chrono::hours(24);
    Millis audit_retention = std::chrono::days(365);
    std::size_t sweep_max = 500;  // Jobs promoted, and rows of each kind purged, in one sweep.
    // Whether a saved plan is on the disk before SavePlans returns. A tier outside this file needs
    // that, since it must not know a plan that a power cut can take from here. Tiers in this file
    // do not: they lose their rows together with the plan.
    bool plans_in_foreground = false;
  };

  // Opens the ledger in `database`, which must outlive it. Leases of a process that is gone are
  // void: their jobs count a crash and are ready again. In a database that is only read they stay.
  static Result<std::unique_ptr<SqliteLedgerStore>> Open(SqliteDatabase& database, Options options);

  SqliteLedgerStore(const SqliteLedgerStore&) = delete;
  SqliteLedgerStore& operator=(const SqliteLedgerStore&) = delete;

  [[nodiscard]] SqliteDatabase& database() { return database_; }

  [[nodiscard]] const Options& options() const { return options_; }

  // Unix milliseconds: the clock's, or the latest seen when the clock was set back.
  std::int64_t Now();

  // The writer's: a key for the user, from memory when possible.
  Result<std::int64_t> Intern(SqliteConnection& connection, const UserKey& user);

  // The writer's: rises, and is never given twice, whatever is deleted and rolled back.
  std::int64_t NextSequence() { return ++last_sequence_; }

  // The writer's: of all that were given so far.
  [[nodiscard]] std::int64_t last_sequence() const { return last_sequence_; }

  // The writer's: to be called where rows with a sequence are deleted.
  Status KeepSequence(SqliteConnection& connection) const;
  // The writer's: remembers Now() across a restart.
  static Status KeepNow(SqliteConnection& connection, std::int64_t now);

 private:
  SqliteLedgerStore(SqliteDatabase& database, Options options);

  Status Load(SqliteConnection& connection);

  struct UserHash {
    std::size_t operator()(const UserKey& user) const noexcept {
      return std::hash<std::string>{}(user.tenant) * 31 + std::hash<std::string>{}(user.user_id);
    }
  };

  SqliteDatabase& database_;
  const Options options_;
  std::atomic<std::int64_t> last_now_{0};

  // The writer thread's.
  std::int64_t last_sequence_ = 0;
  std::unordered_map<UserKey, std::int64_t, UserHash> keys_;
  std::uint64_t keys_as_of_ = 0;  // SqliteConnection::rollbacks() under which keys_ is true.
};

}  // namespace umbranet
