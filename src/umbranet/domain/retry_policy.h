// What becomes of a job after a failure or a crash: the part of a ledger that is arithmetic, shared
// by all of them. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

// One try and three retries, after 30, 60 and 120 seconds, each give or take 20 %.
struct RetryPolicy {
  std::uint32_t attempts_max = 4;  // The first try is one of them.
  Millis first_delay{30'000};      // Doubles with every attempt.
  std::uint32_t crashes_max = 5;

  // How long a job waits after its try number `attempt` (1 for the first) failed. The jitter comes
  // from job and attempt, so it is the same on every engine and in every run. Never less than
  // `retry_after`.
  [[nodiscard]] Millis Delay(std::string_view job_id, std::uint32_t attempt,
                             std::optional<Millis> retry_after) const;

  struct Verdict {
    JobState state = JobState::kRetryWait;
    std::uint32_t attempts = 0;
    bool solo = false;
  };

  // After a failure. A transient failure in a batch says nothing about the single job, so it counts
  // nothing and the job comes back alone. A systemic one is nobody's fault. A permanent one is the
  // end.
  [[nodiscard]] Verdict AfterFailure(FailureKind kind, std::uint32_t attempts, bool solo,
                                     bool alone_in_batch) const;

  struct CrashVerdict {
    JobState state = JobState::kReady;
    std::uint32_t crashes = 0;
    bool solo = false;
    Millis delay{0};  // Before it is ready again; zero unless it has to wait.
  };

  // After a lease expired, or its process was gone. Where there is a delay the job's user waits
  // with it. The first time is taken for an accident. From the second on the job runs alone and
  // waits 2, 4, 8 seconds before it does: so a process that is killed and started again in quick
  // succession does not meet the same innocent job each time, one that a job really kills is not
  // brought down in a tight loop, and only the culprit reaches crashes_max.
  [[nodiscard]] CrashVerdict AfterCrash(std::uint32_t crashes, bool solo) const;
};

// How long after its enqueueing a job of this priority is due. A low job can be overtaken only by
// what arrives within that time of it.
Millis DueDelay(Priority priority);

}  // namespace umbranet
