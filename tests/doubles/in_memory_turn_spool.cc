#include "tests/doubles/in_memory_turn_spool.h"

#include <utility>

namespace umbranet {

InMemoryLedgerStore::Job* InMemoryTurnSpool::InState(std::int64_t sequence, JobState state) {
  const auto found = store_.jobs.find(sequence);
  return found != store_.jobs.end() && found->second.status.state == state ? &found->second
                                                                           : nullptr;
}

Result<std::vector<SpooledTurn>> InMemoryTurnSpool::ReadOldest(std::size_t limit,
                                                               Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  std::vector<SpooledTurn> turns;
  for (const auto& [sequence, job] : store_.jobs) {
    if (turns.size() < limit && job.status.state == JobState::kReady) {
      turns.push_back({.turn = store_.turns.at(sequence).interaction,
                       .mode = job.status.job.mode,
                       .traceparent = job.status.job.traceparent});
    }
  }
  return turns;
}

Result<std::vector<std::int64_t>> InMemoryTurnSpool::MarkForwarded(
    std::span<const std::int64_t> sequences, Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  std::vector<std::int64_t> marked;
  for (const std::int64_t sequence : sequences) {
    if (InMemoryLedgerStore::Job* job = InState(sequence, JobState::kReady)) {
      job->status.state = JobState::kDone;
      job->status.tiers_done = kAllReflectedTiers;
      job->status.finished_at = FromUnixMillis(store_.Now());
      marked.push_back(sequence);
    }
  }
  return marked;
}

Result<bool> InMemoryTurnSpool::MarkRefused(std::int64_t sequence, std::string_view reason,
                                            Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  InMemoryLedgerStore::Job* job = InState(sequence, JobState::kReady);
  if (job == nullptr) {
    return false;
  }
  job->status.state = JobState::kDead;
  job->status.finished_at = FromUnixMillis(store_.Now());
  job->status.last_error = reason;
  return true;
}

Result<std::uint64_t> InMemoryTurnSpool::RetryRefused(Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  std::uint64_t count = 0;
  for (auto& [sequence, job] : store_.jobs) {
    if (job.status.state == JobState::kDead) {
      job.status.state = JobState::kReady;
      job.status.finished_at.reset();
      ++count;
    }
  }
  return count;
}

Result<std::uint64_t> InMemoryTurnSpool::Purge(Millis forwarded_for, Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  const Timestamp until = FromUnixMillis(store_.Now()) - forwarded_for;
  std::uint64_t count = 0;
  for (auto job = store_.jobs.begin(); job != store_.jobs.end();) {
    const JobStatus& status = job->second.status;
    if (status.state == JobState::kDone && *status.finished_at <= until) {
      store_.turns.erase(job->first);
      job = store_.jobs.erase(job);
      ++count;
    } else {
      ++job;
    }
  }
  return count;
}

Result<SpoolStats> InMemoryTurnSpool::Stats(Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  SpoolStats stats;
  for (const auto& [sequence, job] : store_.jobs) {
    stats.refused += job.status.state == JobState::kDead ? 1 : 0;
    if (job.status.state == JobState::kReady) {
      ++stats.waiting;
      if (!stats.oldest_at) {
        stats.oldest_at = store_.turns.at(sequence).interaction.accepted_at;
      }
    }
  }
  return stats;
}

Result<std::map<UserKey, std::uint64_t>> InMemoryTurnSpool::WaitingByUser(Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  std::map<UserKey, std::uint64_t> users;
  for (const auto& [sequence, job] : store_.jobs) {
    if (job.status.state == JobState::kReady) {
      ++users[job.status.job.user];
    }
  }
  return users;
}

Result<std::optional<JobStatus>> InMemoryTurnSpool::Find(std::string_view tenant,
                                                         std::string_view job_id,
                                                         Deadline /*deadline*/) {
  const MutexLock lock(store_.mutex);
  const InMemoryLedgerStore::Job* job = store_.FindJob(job_id);
  if (job == nullptr || job->status.job.user.tenant != tenant ||
      (job->status.state != JobState::kReady && job->status.state != JobState::kDead)) {
    return std::optional<JobStatus>();
  }
  JobStatus status = job->status;
  status.state = JobState::kSpooled;
  status.finished_at.reset();
  return std::optional<JobStatus>(std::move(status));
}

}  // namespace umbranet
