// The job ledger on SQLite. See ports/job_ledger.h for its promises.
//
// What workers do goes through the background lane of SqliteDatabase: after a power cut a claim, a
// plan or a settlement may be gone, and the work is done again from what is left. What producers
// and operators ask for is on the disk when it returns. Outcomes are always known:
// kDeadlineExceeded means that nothing was done. Any thread.
#pragma once

#include <cstdint>
#include <functional>

#include "umbranet/adapters/sqlite/ledger_rows.h"
#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

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
  Result<ClaimedBatch> LeaseJobs(SqliteConnection& connection, std::int64_t user_key,
                                 std::span<const std::int64_t> seqs, const ClaimOptions& options);
  Status SettleJob(SqliteConnection& connection, const LeasedJob& job, const JobFailure* failure,
                   bool alone, SettleReport& report, TurnCounts& turns);
  Status RequeueOne(SqliteConnection& connection, std::int64_t seq, std::string_view actor);

  SqliteLedgerStore& store_;
};

}  // namespace umbranet
