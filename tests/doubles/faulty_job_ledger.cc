#include "tests/doubles/faulty_job_ledger.h"

#include <algorithm>
#include <utility>

namespace umbranet {

void FaultyJobLedger::FailBefore(Fault fault) {
  MutexLock lock(mutex_);
  before_ = std::move(fault);
}

void FaultyJobLedger::FailAfter(Fault fault) {
  MutexLock lock(mutex_);
  after_ = std::move(fault);
}

std::size_t FaultyJobLedger::Calls(std::string_view call) const {
  MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::count(calls_.begin(), calls_.end(), call));
}

template <typename Call>
auto FaultyJobLedger::Guarded(std::string_view name, Call call) -> decltype(call()) {
  Fault before;
  Fault after;
  {
    MutexLock lock(mutex_);
    calls_.push_back(name);
    before = before_;
    after = after_;
  }
  if (before) {
    if (auto error = before(name)) {
      return *std::move(error);
    }
  }
  auto result = call();
  if (result.ok() && after) {
    if (auto error = after(name)) {
      return *std::move(error);
    }
  }
  return result;
}

Status FaultyJobLedger::Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) {
  return Guarded("Enqueue", [&] { return inner_.Enqueue(jobs, deadline); });
}

Result<std::optional<ClaimedBatch>> FaultyJobLedger::Claim(const ClaimOptions& options,
                                                           Deadline deadline) {
  return Guarded("Claim", [&] { return inner_.Claim(options, deadline); });
}

Result<std::optional<ClaimedBatch>> FaultyJobLedger::ClaimJob(std::string_view job_id,
                                                              const ClaimOptions& options,
                                                              Deadline deadline) {
  return Guarded("ClaimJob", [&] { return inner_.ClaimJob(job_id, options, deadline); });
}

Status FaultyJobLedger::Extend(const Lease& lease, Deadline deadline) {
  return Guarded("Extend", [&] { return inner_.Extend(lease, deadline); });
}

Result<std::vector<PlanRecord>> FaultyJobLedger::SavePlans(const Lease& lease,
                                                           std::span<const PlanRecord> plans,
                                                           Deadline deadline) {
  return Guarded("SavePlans", [&] { return inner_.SavePlans(lease, plans, deadline); });
}

Status FaultyJobLedger::MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                                      Deadline deadline) {
  return Guarded("MarkTiersDone", [&] { return inner_.MarkTiersDone(lease, progress, deadline); });
}

Result<SettleReport> FaultyJobLedger::Settle(const Lease& lease,
                                             std::span<const JobFailure> failures,
                                             Deadline deadline) {
  return Guarded("Settle", [&] { return inner_.Settle(lease, failures, deadline); });
}

Status FaultyJobLedger::Release(const Lease& lease, Deadline deadline) {
  return Guarded("Release", [&] { return inner_.Release(lease, deadline); });
}

Result<SweepReport> FaultyJobLedger::Sweep(Deadline deadline) {
  return Guarded("Sweep", [&] { return inner_.Sweep(deadline); });
}

Result<std::optional<JobStatus>> FaultyJobLedger::Find(std::string_view tenant,
                                                       std::string_view job_id, Deadline deadline) {
  return Guarded("Find", [&] { return inner_.Find(tenant, job_id, deadline); });
}

Result<LedgerStats> FaultyJobLedger::Stats(Deadline deadline) {
  return Guarded("Stats", [&] { return inner_.Stats(deadline); });
}

Result<DeadPage> FaultyJobLedger::ListDead(const DeadFilter& filter, std::string_view cursor,
                                           std::size_t limit, Deadline deadline) {
  return Guarded("ListDead", [&] { return inner_.ListDead(filter, cursor, limit, deadline); });
}

Result<std::optional<JobStatus>> FaultyJobLedger::FindDead(std::string_view job_id,
                                                           Deadline deadline) {
  return Guarded("FindDead", [&] { return inner_.FindDead(job_id, deadline); });
}

Result<std::uint64_t> FaultyJobLedger::RequeueDead(std::string_view job_id, std::string_view actor,
                                                   Deadline deadline) {
  return Guarded("RequeueDead", [&] { return inner_.RequeueDead(job_id, actor, deadline); });
}

Result<std::uint64_t> FaultyJobLedger::RequeueDeadMatching(const DeadFilter& filter,
                                                           std::string_view actor,
                                                           Deadline deadline) {
  return Guarded("RequeueDeadMatching",
                 [&] { return inner_.RequeueDeadMatching(filter, actor, deadline); });
}

Result<std::uint64_t> FaultyJobLedger::DiscardDead(std::string_view job_id, std::string_view actor,
                                                   std::string_view reason, Deadline deadline) {
  return Guarded("DiscardDead",
                 [&] { return inner_.DiscardDead(job_id, actor, reason, deadline); });
}

Result<std::uint64_t> FaultyJobLedger::ReflectAgain(const UserKey& user, Deadline deadline) {
  return Guarded("ReflectAgain", [&] { return inner_.ReflectAgain(user, deadline); });
}

}  // namespace umbranet
