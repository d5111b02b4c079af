// Claims. Whether there is anything for a worker is looked up beside the writer: most claims find
// nothing, and each would be a transaction that a turn being stored has to wait for. What the look
// finds is a hint; the claim itself looks again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"

namespace umbranet {

namespace {

constexpr std::string_view kSelectBestUser =
    "SELECT user_key FROM account"
    " WHERE head_due IS NOT NULL AND lease_token IS NULL ORDER BY head_due, head_seq LIMIT 1";
// Is a user's waiting for company over (see CompanyWait)? Looks at no more of his jobs than a batch
// takes. ?1: that many; ?2 and ?3: when the newest must have come, and the oldest, to have waited
// long enough; ?4: by how much less some users wait than others, so that those who began together
// do not all come due in one moment.
#define UMBRANET_HAS_GATHERED                                                      \
  " a.head_due IS NOT NULL AND a.lease_token IS NULL AND"                          \
  " (SELECT count(*) >= ?1 OR max(j.enqueued_at) <= ?2"                            \
  " OR min(j.enqueued_at) <= ?3 + a.user_key % 8 * ?4 / 8"                         \
  " OR max(j.solo = 1 OR j.priority = 0 OR j.mode = 0)"                            \
  " FROM (SELECT enqueued_at, solo, priority, mode FROM job INDEXED BY job_by_due" \
  " WHERE user_key = a.user_key AND state = 0 ORDER BY due_at, seq LIMIT ?1) j)"
constexpr std::string_view kSelectGathered =
    "SELECT a.user_key FROM account a WHERE" UMBRANET_HAS_GATHERED
    " ORDER BY a.head_due, a.head_seq LIMIT ?5";
constexpr std::string_view kHasGathered =
    "SELECT 1 FROM account a WHERE a.user_key = ?5 AND" UMBRANET_HAS_GATHERED;
#undef UMBRANET_HAS_GATHERED
constexpr std::string_view kCountWaiting =
    "SELECT count(*) FROM (SELECT 1 FROM account"
    " WHERE head_due IS NOT NULL AND lease_token IS NULL LIMIT ?)";
// Of those who may not wait, the first few: the rest of a long row of them comes with the gathered.
constexpr std::string_view kSelectUrgent =
    "SELECT j.user_key FROM (SELECT user_key, due_at, seq FROM job INDEXED BY job_urgent"
    " WHERE state = 0 AND (solo = 1 OR priority = 0 OR mode = 0) ORDER BY due_at, seq LIMIT 64) j"
    " CROSS JOIN account a ON a.user_key = j.user_key"
    " WHERE a.head_due IS NOT NULL AND a.lease_token IS NULL ORDER BY j.due_at, j.seq LIMIT 1";
constexpr std::string_view kSelectSolo =
    "SELECT seq FROM job INDEXED BY job_open WHERE user_key = ? AND state = 0 AND solo = 1"
    " AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq LIMIT 1";
constexpr std::string_view kSelectBatch =
    "SELECT seq FROM job INDEXED BY job_open WHERE user_key = ? AND state = 0 AND solo = 0"
    " AND seq < ? AND " UMBRANET_JOB_IS_OPEN " ORDER BY seq LIMIT ?";
constexpr std::string_view kSelectReadyJob =
    "SELECT j.seq, j.user_key FROM job j JOIN account a ON a.user_key = j.user_key"
    " WHERE j.job_id = ? AND j.state = 0 AND a.lease_token IS NULL AND a.head_due IS NOT NULL";
constexpr std::string_view kRaiseFence =
    "UPDATE ledger_value SET value = value + 1 WHERE name = 'fence' RETURNING value";
constexpr std::string_view kInsertLease =
    "INSERT INTO lease(token, user_key, leased_at, lease_ms, cap_ms, lease_until, worker)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kLeaseAccount = "UPDATE account SET lease_token = ? WHERE user_key = ?";
constexpr std::string_view kLeaseJob = "UPDATE job SET state = 1 WHERE seq = ? AND state = 0";
constexpr std::string_view kSelectJob =
    "SELECT j.job_id, COALESCE(j.interaction_id, t.interaction_id), j.priority, j.mode,"
    " j.generation, j.traceparent, j.attempts, j.tiers_done, p.plan"
    " FROM job j LEFT JOIN turn t ON t.seq = j.seq LEFT JOIN plan p ON p.seq = j.seq"
    " WHERE j.seq = ?";

// A look over all who wait costs some 2 us for each of them. With few of them it is made for every
// claim; with many, as seldom as keeps it to a few hundredths of a processor.
constexpr std::size_t kLookedAtAlways = 64;
constexpr std::size_t kWaitingCounted = 10'000;
constexpr std::size_t kGatheredMax = 256;
// Each is somebody who was taken by another worker since he was found.
constexpr int kTries = 64;

std::int64_t PauseAfter(std::size_t waiting) {
  return waiting <= kLookedAtAlways ? 0 : static_cast<std::int64_t>(waiting) / 10;
}

Result<std::optional<std::int64_t>> FirstKey(SqliteConnection& connection, std::string_view sql) {
  SqliteStatement row = connection.Prepare(sql);
  const std::optional<std::int64_t> key = row.Step() ? std::optional(row.Int(0)) : std::nullopt;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return key;
}

void BindGathering(SqliteStatement& statement, const ClaimOptions& options, std::int64_t now,
                   std::int64_t last) {
  const CompanyWait& wait = *options.gather;
  statement.BindAll(std::max<std::size_t>(options.jobs_max, 1), now - wait.quiet.count(),
                    now - wait.wait_max.count(), wait.wait_max.count() * 2 / 5, last);
}

// The oldest ready jobs of the user, and none behind one that must run alone.
Result<std::vector<std::int64_t>> ReadBatch(SqliteConnection& connection, std::int64_t user_key,
                                            std::size_t jobs_max) {
  std::int64_t solo = std::numeric_limits<std::int64_t>::max();
  bool has_solo = false;
  {
    SqliteStatement row = connection.Prepare(kSelectSolo);
    row.BindAll(user_key);
    if (row.Step()) {
      solo = row.Int(0);
      has_solo = true;
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  std::vector<std::int64_t> seqs;
  SqliteStatement batch = connection.Prepare(kSelectBatch);
  batch.BindAll(user_key, solo, std::max<std::size_t>(jobs_max, 1));
  while (batch.Step()) {
    seqs.push_back(batch.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(batch.status());
  if (seqs.empty() && has_solo) {
    seqs.push_back(solo);
  }
  return seqs;
}

}  // namespace

std::optional<std::int64_t> GatheredUsers::Take() {
  const MutexLock lock(mutex_);
  if (users_.empty()) {
    return std::nullopt;
  }
  const std::int64_t user_key = users_.front();
  users_.pop_front();
  return user_key;
}

bool GatheredUsers::MayLook(std::int64_t now) const {
  const MutexLock lock(mutex_);
  return now >= next_look_ || now < last_look_;
}

void GatheredUsers::Found(std::deque<std::int64_t> users, std::int64_t now, std::int64_t pause) {
  const MutexLock lock(mutex_);
  users_ = std::move(users);
  last_look_ = now;
  next_look_ = now + pause;
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::Claim(const ClaimOptions& options,
                                                           Deadline deadline) {
  if (!options.gather) {
    return ClaimBest(options, deadline);
  }
  for (int i = 0; i < kTries; ++i) {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                              FindGathered(options, deadline));
    if (!user_key.has_value()) {
      break;
    }
    UMBRANET_ASSIGN_OR_RETURN(std::optional<ClaimedBatch> batch,
                              ClaimGathered(*user_key, options, deadline));
    if (batch.has_value()) {
      return batch;
    }
  }
  return std::optional<ClaimedBatch>();
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::ClaimBest(const ClaimOptions& options,
                                                               Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  {
    UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
    UMBRANET_ASSIGN_OR_RETURN(const auto somebody, FirstKey(*reader, kSelectBestUser));
    if (!somebody.has_value()) {
      return Claimed();
    }
  }
  return Change<Claimed>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<Claimed> {
        UMBRANET_ASSIGN_OR_RETURN(const auto user_key, FirstKey(connection, kSelectBestUser));
        if (!user_key.has_value()) {
          return Claimed();
        }
        UMBRANET_ASSIGN_OR_RETURN(ClaimedBatch batch, LeaseUser(connection, *user_key, options));
        return Claimed(std::move(batch));
      });
}

Result<std::optional<std::int64_t>> SqliteJobLedger::FindGathered(const ClaimOptions& options,
                                                                  Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, store_.database().Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const auto urgent, FirstKey(*reader, kSelectUrgent));
  if (urgent.has_value()) {
    return urgent;
  }
  if (const auto found = gathered_.Take(); found.has_value()) {
    return found;
  }
  const std::int64_t now = store_.Now();
  if (!gathered_.MayLook(now)) {
    return std::optional<std::int64_t>();
  }
  std::deque<std::int64_t> users;
  {
    SqliteStatement row = reader->Prepare(kSelectGathered);
    BindGathering(row, options, now, kGatheredMax);
    while (row.Step()) {
      users.push_back(row.Int(0));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  SqliteStatement count = reader->Prepare(kCountWaiting);
  count.BindAll(kWaitingCounted);
  const auto waiting = static_cast<std::size_t>(count.Step() ? count.Int(0) : 0);
  UMBRANET_RETURN_IF_ERROR(count.status());
  // Cut short, the look has not seen everybody: the next one goes on where this one ended.
  const bool whole = users.size() < kGatheredMax;
  gathered_.Found(std::move(users), now, whole ? PauseAfter(waiting) : 0);
  return gathered_.Take();
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::ClaimGathered(std::int64_t user_key,
                                                                   const ClaimOptions& options,
                                                                   Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  return Change<Claimed>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<Claimed> {
        bool gathered = false;
        {
          SqliteStatement row = connection.Prepare(kHasGathered);
          BindGathering(row, options, store_.Now(), user_key);
          gathered = row.Step();
          UMBRANET_RETURN_IF_ERROR(row.status());
        }
        if (!gathered) {
          return Claimed();
        }
        UMBRANET_ASSIGN_OR_RETURN(ClaimedBatch batch, LeaseUser(connection, user_key, options));
        return Claimed(std::move(batch));
      });
}

Result<std::optional<ClaimedBatch>> SqliteJobLedger::ClaimJob(std::string_view job_id,
                                                              const ClaimOptions& options,
                                                              Deadline deadline) {
  using Claimed = std::optional<ClaimedBatch>;
  return Change<Claimed>(
      Lane::kBackground, deadline, [&](SqliteConnection& connection) -> Result<Claimed> {
        std::int64_t seq = 0;
        std::int64_t user_key = 0;
        {
          SqliteStatement ready = connection.Prepare(kSelectReadyJob);
          ready.BindAll(job_id);
          if (ready.Step()) {
            seq = ready.Int(0);
            user_key = ready.Int(1);
          }
          UMBRANET_RETURN_IF_ERROR(ready.status());
        }
        if (seq == 0) {
          return Claimed();
        }
        UMBRANET_ASSIGN_OR_RETURN(
            ClaimedBatch batch,
            LeaseJobs(connection, user_key, std::span<const std::int64_t>(&seq, 1), options));
        return Claimed(std::move(batch));
      });
}

Result<ClaimedBatch> SqliteJobLedger::LeaseUser(SqliteConnection& connection, std::int64_t user_key,
                                                const ClaimOptions& options) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> seqs,
                            ReadBatch(connection, user_key, options.jobs_max));
  return LeaseJobs(connection, user_key, seqs, options);
}

Result<ClaimedBatch> SqliteJobLedger::LeaseJobs(SqliteConnection& connection, std::int64_t user_key,
                                                std::span<const std::int64_t> seqs,
                                                const ClaimOptions& options) {
  ClaimedBatch batch;
  UMBRANET_ASSIGN_OR_RETURN(batch.user, ReadAccount(connection, user_key));
  {
    SqliteStatement fence = connection.Prepare(kRaiseFence);
    while (fence.Step()) {
      batch.lease.token = static_cast<std::uint64_t>(fence.Int(0));
    }
    UMBRANET_RETURN_IF_ERROR(fence.status());
  }
  const std::int64_t now = store_.Now();
  UMBRANET_RETURN_IF_ERROR(SqliteLedgerStore::KeepNow(connection, now));
  const std::int64_t until = now + std::min(options.lease, options.lease_cap).count();
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertLease, batch.lease.token, user_key, now,
                                          options.lease.count(), options.lease_cap.count(), until,
                                          options.worker));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaseAccount, batch.lease.token, user_key));
  SqliteStatement row = connection.Prepare(kSelectJob);
  for (const std::int64_t seq : seqs) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kLeaseJob, seq));
    row.Reset();
    row.BindAll(seq);
    if (row.Step()) {
      ClaimedJob claimed;
      claimed.job = {.job_id = row.String(0),
                     .user = batch.user,
                     .interaction_id = row.String(1),
                     .priority = static_cast<Priority>(row.Int(2)),
                     .mode = static_cast<RunMode>(row.Int(3)),
                     .generation = static_cast<std::uint32_t>(row.Int(4)),
                     .traceparent = row.String(5)};
      claimed.attempts = static_cast<std::uint32_t>(row.Int(6));
      claimed.tiers_done = static_cast<TierMask>(row.Int(7));
      claimed.plan = row.Blob(8);
      batch.jobs.push_back(std::move(claimed));
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  if (batch.jobs.empty()) {
    return Internal("sqlite: the head of user " + std::to_string(user_key) + " is no ready job");
  }
  return batch;
}

}  // namespace umbranet
