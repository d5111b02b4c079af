// Reading and changing the rows of journal and ledger, for SqliteJournal and SqliteJobLedger.
//
// Each function works in the transaction of its connection, on that connection's thread; those that
// change something are the writer's. `now` is SqliteLedgerStore::Now().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/ledger_records.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/domain/retry_policy.h"

namespace umbranet {

// The condition of the index job_open, which a query must repeat word for word to use it.
#define UMBRANET_JOB_IS_OPEN "state IN (0, 1, 3, 4)"

Result<std::vector<AttemptRecord>> ReadHistory(SqliteConnection& connection, std::int64_t seq);

// Fails with kAlreadyExists when the job id is taken.
Status InsertJob(SqliteConnection& connection, std::int64_t seq, std::int64_t user_key,
                 const ReflectionJob& job, bool has_turn, std::int64_t now);

// The user has a new ready job; `head` may become it.
Status OfferHead(SqliteConnection& connection, std::int64_t user_key, std::int64_t due_at,
                 std::int64_t seq);
// Works the head out again, after ready jobs went away or came back.
Status RefreshHead(SqliteConnection& connection, std::int64_t user_key);

// The same, with the lease gone and turns counted as reflected and dead.
struct TurnCounts {
  std::int64_t reflected = 0;
  std::int64_t dead = 0;
};

Status EndLease(SqliteConnection& connection, std::int64_t user_key, TurnCounts counts);
// Changes the counters of freshness alone.
Status CountTurns(SqliteConnection& connection, std::int64_t user_key, std::int64_t accepted,
                  TurnCounts counts);

struct LeasedJob {
  std::int64_t seq = 0;
  std::string job_id;
  std::uint32_t attempts = 0;
  std::uint32_t crashes = 0;
  bool solo = false;
  TierMask tiers_done = 0;
  bool has_turn = true;
};

// Oldest first.
Result<std::vector<LeasedJob>> ReadLeasedJobs(SqliteConnection& connection, std::int64_t user_key);

struct CrashCount {
  std::uint64_t crashed = 0;
  std::uint64_t killed = 0;
};

// Ends the user's lease as RetryPolicy::AfterCrash says for each of its jobs.
Result<CrashCount> CrashLease(SqliteConnection& connection, const RetryPolicy& policy,
                              std::int64_t user_key, std::string_view error, std::int64_t now);

// Appends to the job's history, of which the latest twenty records are kept. Long errors are cut.
Status AddAttempt(SqliteConnection& connection, std::int64_t seq, const AttemptRecord& record);

// Puts the job of a turn aside: it goes to former_job, done as it was or else cancelled, and its
// plan and history go.
Status RetireJob(SqliteConnection& connection, std::int64_t seq, std::int64_t now);

}  // namespace umbranet
