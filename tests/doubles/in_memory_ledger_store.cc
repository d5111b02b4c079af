#include "tests/doubles/in_memory_ledger_store.h"

#include <algorithm>

namespace umbranet {

std::int64_t InMemoryLedgerStore::Now() {
  last_now = std::max(last_now, ToUnixMillis(clock.Now()));
  return last_now;
}

InMemoryLedgerStore::Job* InMemoryLedgerStore::FindJob(std::string_view job_id) {
  for (auto& [seq, job] : jobs) {
    if (job.status.job.job_id == job_id) {
      return &job;
    }
  }
  return nullptr;
}

InMemoryLedgerStore::Turn* InMemoryLedgerStore::FindTurn(const UserKey& user,
                                                         std::string_view interaction_id) {
  for (auto& [seq, turn] : turns) {
    if (turn.interaction.user == user && turn.interaction.interaction_id == interaction_id) {
      return &turn;
    }
  }
  return nullptr;
}

bool InMemoryLedgerStore::IsLeasedUnder(std::uint64_t token, std::string_view job_id) {
  const auto lease = leases.find(token);
  const Job* job = FindJob(job_id);
  return lease != leases.end() && job != nullptr && job->status.state == JobState::kLeased &&
         job->status.job.user == lease->second.user;
}

bool InMemoryLedgerStore::IsLeased(const UserKey& user) const {
  if (IsBroken(BrokenPromise::kOneLeaseAUser)) {
    return false;
  }
  return std::any_of(leases.begin(), leases.end(),
                     [&user](const auto& lease) { return lease.second.user == user; });
}

bool InMemoryLedgerStore::IsLeasedOrHeld(const UserKey& user) const {
  return IsLeased(user) || (!IsBroken(BrokenPromise::kCrashHold) &&
                            std::any_of(jobs.begin(), jobs.end(), [&user](const auto& job) {
                              return job.second.holds_user && job.second.status.job.user == user;
                            }));
}

std::vector<InMemoryLedgerStore::Job*> InMemoryLedgerStore::LeasedJobs(const UserKey& user) {
  std::vector<Job*> found;
  for (auto& [seq, job] : jobs) {
    if (job.status.job.user == user && job.status.state == JobState::kLeased) {
      found.push_back(&job);
    }
  }
  return found;
}

void InMemoryLedgerStore::AddJob(std::int64_t seq, const ReflectionJob& job, bool has_turn) {
  const std::int64_t now = Now();
  Job added;
  added.status.job = job;
  added.status.attempts_max = options.retry.attempts_max;
  added.status.accepted_at = FromUnixMillis(now);
  added.seq = seq;
  added.has_turn = has_turn;
  added.due_at = now + DueDelay(job.priority).count();
  jobs[seq] = std::move(added);
}

void InMemoryLedgerStore::Retire(std::int64_t seq) {
  const auto found = jobs.find(seq);
  if (found == jobs.end()) {
    return;
  }
  JobStatus status = std::move(found->second.status);
  if (status.state != JobState::kDone) {
    status.state = JobState::kCancelled;
  }
  if (!status.finished_at.has_value()) {
    status.finished_at = FromUnixMillis(Now());
  }
  status.next_attempt_at.reset();
  status.history.clear();
  former_jobs[status.job.job_id] = status;
  jobs.erase(found);
}

void InMemoryLedgerStore::AddAttempt(Job& job, AttemptRecord record) {
  job.status.history.push_back(std::move(record));
  if (job.status.history.size() > options.history_max) {
    job.status.history.erase(job.status.history.begin());
  }
}

void InMemoryLedgerStore::EndLease(const UserKey& user) {
  if (IsBroken(BrokenPromise::kFence)) {
    lost_leases.insert(leases.begin(), leases.end());
  }
  std::erase_if(leases, [&user](const auto& lease) { return lease.second.user == user; });
}

}  // namespace umbranet
