// A ledger that fails when a test says so, and passes everything else on to the one it wraps.
//
// All methods may be called from any thread; hooks run on the caller's.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

class FaultyJobLedger final : public JobLedger {
 public:
  // `call` is the method's name: "SavePlans". An error is returned in place of the call.
  using Fault = std::function<std::optional<Error>(std::string_view call)>;

  explicit FaultyJobLedger(JobLedger& inner) : inner_(inner) {}

  // Before the wrapped ledger is asked.
  void FailBefore(Fault fault);
  // After it has answered: the reply is lost.
  void FailAfter(Fault fault);

  // How often the method of this name was called.
  [[nodiscard]] std::size_t Calls(std::string_view call) const;

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
  template <typename Call>
  auto Guarded(std::string_view name, Call call) -> decltype(call());

  JobLedger& inner_;
  mutable Mutex mutex_;
  Fault before_ GUARDED_BY(mutex_);
  Fault after_ GUARDED_BY(mutex_);
  std::vector<std::string_view> calls_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
