// The job ledger on PostgreSQL. See ports/job_ledger.h for its promises.
//
// Any number of processes work on one ledger. What producers and operators ask for, claims and
// plans are on the server's disk when they return. The rest of what workers do (extending, marking,
// settling, sweeping) may be gone after a power cut at the server, and is done again from what is
// left. Any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

class PostgresJobLedger final : public JobLedger {
 public:
  // `store` must outlive the ledger.
  explicit PostgresJobLedger(PostgresLedgerStore& store) : store_(store) {}

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
  enum class Outcome { kNothing, kClaimed, kAgain };

  // One try of a claim. kAgain: the user was taken, but all of his jobs were others' by then.
  Result<Outcome> TryClaim(const PostgresCommand& claim, ClaimedBatch& batch, Deadline deadline);
  [[nodiscard]] PostgresCommand ClaimCommand(std::string_view sql, const ClaimOptions& options,
                                             std::string_view job_id) const;
  Status EnqueueOne(PostgresConnection& connection, std::int64_t user_key, const ReflectionJob& job,
                    std::int64_t now);
  Result<SettleReport> SettleJobs(PostgresConnection& connection, std::int64_t user_key,
                                  std::int64_t now, std::span<const PostgresLeasedJob> jobs,
                                  std::span<const JobFailure> failures);

  PostgresLedgerStore& store_;
};

}  // namespace umbranet
