// The job ledger on SQLite. See ports/job_ledger.h for its promises.
//
// What workers do goes through the background lane of SqliteDatabase: after a power cut a claim, a
// plan or a settlement may be gone, and the work is done again from what is left. What producers
// and operators ask for is on the disk when it returns. Outcomes are always known:
// kDeadlineExceeded means that nothing was done. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "umbranet/adapters/sqlite/ledger_rows.h"
#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

// Users whose waiting for company was over when somebody looked. Thread-safe.
class GatheredUsers {
 public:
  std::optional<std::int64_t> Take();
  // Times are the ledger's, in milliseconds.
  [[nodiscard]] bool MayLook(std::int64_t now) const;
  // `pause`: until when nobody needs to look again.
  void Found(std::deque<std::int64_t> users, std::int64_t now, std::int64_t pause);

 private:
  mutable Mutex mutex_;
  std::deque<std::int64_t> users_ GUARDED_BY(mutex_);
  std::int64_t last_look_ GUARDED_BY(mutex_) = 0;
  std::int64_t next_look_ GUARDED_BY(mutex_) = 0;
};

class SqliteJobLedger final : public JobLedger {
 public:
  // `store` must outlive the ledger.
  explicit SqliteJobLedger(SqliteLedgerStore& store) : store_(store) {}

  Status Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) override;
  Result<std::optional<ClaimedBatch>> Claim(const ClaimOptions& options,
                                            Deadline deadline) override;
  Result<std::optional<ClaimedBatch>> ClaimJob(std::string_view job_id, const ClaimOptions& options,
                                               Deadline deadline) override;
  Status Extend(const Lease& lease, Deadline deadline) override;
  Result<std::vector<PlanRecord>> SavePlans(const Lease& lease, std::span<const PlanRecord> plans,
                                            Deadline deadline) override;
  Status MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                       Deadline deadline) override;
  Result<SettleReport> Settle(const Lease& lease, std::span<const JobFailure> failures,
                              Deadline deadline) override;
  Status Release(const Lease& lease, Deadline deadline) override;
  Result<SweepReport> Sweep(Deadline deadline) override;
  Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                        Deadline deadline) override;
  Result<LedgerStats> Stats(Deadline deadline) override;
  Result<DeadPage> ListDead(const DeadFilter& filter, std::string_view cursor, std::size_t limit,
                            Deadline deadline) override;
  Result<std::optional<JobStatus>> FindDead(std::string_view job_id, Deadline deadline) override;
  Result<std::uint64_t> RequeueDead(std::string_view job_id, std::string_view actor,
                                    Deadline deadline) override;
  Result<std::uint64_t> RequeueDeadMatching(const DeadFilter& filter, std::string_view actor,
                                            Deadline deadline) override;
  Result<std::uint64_t> DiscardDead(std::string_view job_id, std::string_view actor,
                                    std::string_view reason, Deadline deadline) override;
  Result<std::uint64_t> ReflectAgain(const UserKey& user, Deadline deadline) override;

 private:
  using Lane = SqliteDatabase::Lane;

  // Runs `work` on the writer and returns what it returned, once that is committed.
  template <typename T>
  Result<T> Change(Lane lane, Deadline deadline,
                   const std::function<Result<T>(SqliteConnection&)>& work) {
    T value{};
    Status written = store_.database().Write(
        lane,
        [&work, &value](SqliteConnection& connection) -> Status {
          UMBRANET_ASSIGN_OR_RETURN(value, work(connection));
          return {};
        },
        deadline);
    if (!written.ok()) {
      return std::move(written).error();
    }
    return value;
  }

  Status EnqueueOne(SqliteConnection& connection, const ReflectionJob& job);
  Result<std::optional<ClaimedBatch>> ClaimBest(const ClaimOptions& options, Deadline deadline);
  Result<std::optional<std::int64_t>> FindGathered(const ClaimOptions& options, Deadline deadline);
  Result<std::optional<ClaimedBatch>> ClaimGathered(std::int64_t user_key,
                                                    const ClaimOptions& options, Deadline deadline);
  Result<ClaimedBatch> LeaseUser(SqliteConnection& connection, std::int64_t user_key,
                                 const ClaimOptions& options);
  Result<ClaimedBatch> LeaseJobs(SqliteConnection& connection, std::int64_t user_key,
                                 std::span<const std::int64_t> seqs, const ClaimOptions& options);
  Status SettleJob(SqliteConnection& connection, const LeasedJob& job, const JobFailure* failure,
                   bool alone, SettleReport& report, TurnCounts& turns);
  Status RequeueOne(SqliteConnection& connection, std::int64_t seq, std::string_view actor);

  SqliteLedgerStore& store_;
  GatheredUsers gathered_;
};

}  // namespace umbranet
