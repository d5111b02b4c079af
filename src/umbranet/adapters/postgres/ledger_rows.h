// Reading and changing the rows of journal and ledger, for PostgresJournal and PostgresJobLedger.
//
// Functions work in the transaction of their connection; commands are for RunAll. `now` is the
// ledger's. Locks: the account first, then its jobs in the order of seq.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/ledger_records.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/domain/retry_policy.h"

namespace umbranet {

Result<std::vector<AttemptRecord>> ReadHistory(PostgresConnection& connection, std::int64_t seq);

// `text` as a column of type text takes it: what is no UTF-8 and NUL become "?".
std::string TextForPostgres(std::string_view text);
// The same, cut as CutError does.
std::string ErrorForPostgres(std::string_view error);

// Makes the accounts that are not there, and locks all of them, in one order wherever it is called.
// The rows of the second: user_key, tenant, user_id, erased_at.
std::vector<PostgresCommand> LockAccountsCommands(std::span<const UserKey> users);
// Makes the user's account where there is none and locks it.
Result<std::int64_t> LockAccount(PostgresConnection& connection, const UserKey& user);

struct PostgresJobRow {
  std::int64_t seq = 0;
  std::int64_t user_key = 0;
  const ReflectionJob* job = nullptr;
  bool has_turn = true;
};

// Inserts those whose job id is free, and returns their seqs. Heads are not offered.
PostgresCommand InsertJobsCommand(std::span<const PostgresJobRow> jobs, std::int64_t now,
                                  bool only_with_new_turn);
// Counts the jobs of these seqs as accepted turns of their users, and lets the most urgent of them
// be the user's head.
PostgresCommand CountAcceptedCommand(std::span<const std::int64_t> seqs);
// Works the head out again, after ready jobs went away or came back.
PostgresCommand RefreshHeadsCommand(std::span<const std::int64_t> user_keys);

struct PostgresTurnCounts {
  std::int64_t reflected = 0;
  std::int64_t dead = 0;
};

// Changes the counters of freshness alone.
PostgresCommand CountTurnsCommand(std::int64_t user_key, std::int64_t accepted,
                                  PostgresTurnCounts counts);
// The lease is gone, the head is worked out again, and turns are counted. In a statement after the
// one that locked the account: it must see what was committed before.
PostgresCommand EndLeaseCommand(std::int64_t user_key, PostgresTurnCounts counts);

struct PostgresAttemptRow {
  std::int64_t seq = 0;
  AttemptRecord record;
};

// Appends to the histories, of which the latest records are kept. Long errors are cut.
void AddAttemptsCommands(std::span<const PostgresAttemptRow> attempts,
                         std::vector<PostgresCommand>& commands);

// A job under a lease.
struct PostgresLeasedJob {
  std::int64_t seq = 0;
  std::string job_id;
  std::uint32_t attempts = 0;
  std::uint32_t crashes = 0;
  bool solo = false;
  TierMask tiers_done = 0;
  bool has_turn = true;
};

// Locks the jobs under the lease, oldest first. The account must be locked.
PostgresCommand LockLeasedJobsCommand(std::uint64_t token);
std::vector<PostgresLeasedJob> ReadLeasedJobs(const PostgresRows& rows);

// Puts the jobs of turns aside: they go to former_job, done as they were or else cancelled, and
// their plans and histories go.
PostgresCommand RetireJobsCommand(std::span<const std::int64_t> seqs, std::int64_t now);
PostgresCommand DeletePlansCommand(std::span<const std::int64_t> seqs);

}  // namespace umbranet
