// The job ledger in memory, for tests, and the model that other ledgers are compared with. Any
// thread.
#pragma once

#include <functional>

#include "umbranet/ports/job_ledger.h"

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class InMemoryJobLedger final : public JobLedger {
 public:
  // `store` must outlive the ledger.
  explicit InMemoryJobLedger(InMemoryLedgerStore& store) : store_(store) {}

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
  using Job = InMemoryLedgerStore::Job;

  void EnqueueOne(const ReflectionJob& job) REQUIRES(store_.mutex);
  bool WaitsForCompany(const UserKey& user, const ClaimOptions& options) REQUIRES(store_.mutex);
  ClaimedBatch LeaseJobs(const std::vector<Job*>& jobs, const ClaimOptions& options)
      REQUIRES(store_.mutex);
  // The user under the lease; nothing when it is lost.
  std::optional<UserKey> UserOf(const Lease& lease) REQUIRES(store_.mutex);
  // The job when it is leased to `user`.
  Job* LeasedJob(const UserKey& user, std::string_view job_id) REQUIRES(store_.mutex);
  void Requeue(Job& job) REQUIRES(store_.mutex);

  InMemoryLedgerStore& store_;
};

}  // namespace umbranet
