// What the in-memory journal and the in-memory ledger share: the model that the engines are
// compared with. It keeps everything in plain containers and works every answer out by looking at
// all of it.
//
// The fields are for InMemoryJournal and InMemoryJobLedger, under `mutex`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/domain/retry_policy.h"
#include "umbranet/domain/shadow_run.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

// What the twins do not keep when a test wants it so, to see who notices.
enum class BrokenPromise : std::uint8_t {
  kFence,          // A lease that is lost serves like a live one.
  kOneLeaseAUser,  // A user's jobs are given to several workers at once.
  kCrashHold,      // While a crashed job waits, later ones of its user are given out.
  kFailuresAlone,  // A failed batch counts against each of its jobs.
  kSavedPlan,      // The latest plan is in force, and nobody is told of an earlier one.
  kTombstone,      // A turn from before its user was forgotten is accepted.
  kOneTurnAnId,    // A turn that is handed in again is stored again.
};

class InMemoryLedgerStore {
 public:
  struct Options {
    RetryPolicy retry;
    Millis done_retention = std::chrono::days(7);
    Millis dead_retention = std::chrono::days(30);
    Millis answer_retention = std::chrono::hours(24);
    std::size_t history_max = 20;
    std::set<BrokenPromise> broken = {};
  };

  struct Turn {
    Interaction interaction;
    // Of a job that retention removed.
    std::uint32_t past_generation = 0;
    JobState past_state = JobState::kDone;
  };

  struct Job {
    JobStatus status;
    std::int64_t seq = 0;
    bool has_turn = false;
    bool solo = false;
    bool holds_user = false;  // In retry_wait after a crash.
    std::int64_t due_at = 0;
    std::string plan;
  };

  struct LiveLease {
    UserKey user;
    ClaimOptions options;
    std::int64_t leased_at = 0;
    std::int64_t until = 0;
  };

  struct Answer {
    UserKey user;
    StoredAnswer answer;
  };

  InMemoryLedgerStore(const Clock& clock_in, Options options_in)
      : clock(clock_in), options(std::move(options_in)), last_now(ToUnixMillis(clock_in.Now())) {}

  // Unix milliseconds, never less than before.
  std::int64_t Now() REQUIRES(mutex);
  Job* FindJob(std::string_view job_id) REQUIRES(mutex);
  Turn* FindTurn(const UserKey& user, std::string_view interaction_id) REQUIRES(mutex);

  [[nodiscard]] bool IsBroken(BrokenPromise promise) const {
    return options.broken.contains(promise);
  }

  // Whether the job is leased under this token.
  [[nodiscard]] bool IsLeasedUnder(std::uint64_t token, std::string_view job_id) REQUIRES(mutex);
  [[nodiscard]] bool IsLeased(const UserKey& user) const REQUIRES(mutex);
  // Whether nobody may have the user's jobs: somebody has, or one that crashed is waited for.
  [[nodiscard]] bool IsLeasedOrHeld(const UserKey& user) const REQUIRES(mutex);
  // Jobs under the user's lease, oldest first.
  std::vector<Job*> LeasedJobs(const UserKey& user) REQUIRES(mutex);
  void AddJob(std::int64_t seq, const ReflectionJob& job, bool has_turn) REQUIRES(mutex);
  // The job of a turn gives way to one of a later generation.
  void Retire(std::int64_t seq) REQUIRES(mutex);
  void AddAttempt(Job& job, AttemptRecord record) REQUIRES(mutex);
  void EndLease(const UserKey& user) REQUIRES(mutex);

  const Clock& clock;
  const Options options;
  Mutex mutex;
  std::int64_t last_now GUARDED_BY(mutex);
  std::int64_t last_sequence GUARDED_BY(mutex) = 0;
  std::uint64_t last_token GUARDED_BY(mutex) = 0;
  std::map<std::int64_t, Turn> turns GUARDED_BY(mutex);
  std::map<std::int64_t, Job> jobs GUARDED_BY(mutex);
  std::map<std::string, JobStatus, std::less<>> former_jobs GUARDED_BY(mutex);
  std::map<std::uint64_t, LiveLease> leases GUARDED_BY(mutex);
  std::map<std::uint64_t, LiveLease> lost_leases GUARDED_BY(mutex);  // Where the fence is broken.
  std::map<UserKey, std::int64_t> erased_at GUARDED_BY(mutex);
  std::map<std::pair<std::string, std::string>, Answer> answers GUARDED_BY(mutex);
  std::vector<ShadowRun> shadow_runs GUARDED_BY(mutex);  // In the order of saving.
};

}  // namespace umbranet
