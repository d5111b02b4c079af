// The work that a turn leaves behind, and what became of it.
//
//   ready -> leased -> done
//     ^        | failed: retry_wait -> ready ... dead after the last attempt
//     +--------+ released, or the lease expired
//   cancelled: the user was forgotten, or an operator discarded it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {

enum class JobState : std::uint8_t {
  kReady = 0,
  kLeased = 1,
  kDone = 2,
  kDead = 3,
  kRetryWait = 4,
  kCancelled = 5,
  kSpooled = 6  // Durable in the spool of the process that accepted its turn; no ledger has it yet.
};

// As the API says it: queued, leased, reflected, dead, retrying, cancelled, spooled.
std::string_view JobStateName(JobState state);

// Chosen when the turn is accepted and never changed by a flag later.
enum class RunMode : std::uint8_t { kInline = 0, kBackground = 1 };

struct ReflectionJob {
  std::string job_id;  // MakeJobId: the same turn always gives the same job.
  UserKey user;
  std::string interaction_id;
  Priority priority = Priority::kNormal;
  RunMode mode = RunMode::kBackground;
  std::uint32_t generation = 0;  // Raised only by an explicit "reflect again".
  std::string
      traceparent;  // W3C Trace Context of the request that accepted the turn; may be empty.
};

std::string MakeJobId(const UserKey& user, std::string_view interaction_id,
                      std::uint32_t generation = 0);

// What an error means for the job.
enum class FailureKind : std::uint8_t {
  kTransient,  // Counts as an attempt and backs off.
  kSystemic,   // A dependency is down: never counts, never dead-letters.
  kPermanent,  // No retry can help: dead at once.
};
std::string_view FailureKindName(FailureKind kind);

struct AttemptRecord {
  std::uint32_t attempt = 0;  // 1 for the first try.
  Timestamp at{};
  FailureKind kind = FailureKind::kTransient;
  std::string tier;  // Which tier failed; empty when it was none (extraction, a lost worker).
  std::string error;
};

struct JobStatus {
  ReflectionJob job;
  JobState state = JobState::kReady;
  std::uint32_t attempts = 0;  // Failed attempts that counted.
  std::uint32_t attempts_max = 4;
  std::uint32_t crashes = 0;  // Leases that expired under it.
  TierMask tiers_done = 0;
  Timestamp accepted_at{};
  std::optional<Timestamp> finished_at;      // Reflected, dead or cancelled.
  std::optional<Timestamp> next_attempt_at;  // While retrying.
  std::string last_error;
  std::string last_error_tier;
  // ReflectionPlan::fallback of the plan in force: why simpler means made it. Reflecting again may
  // do better.
  std::string fallback;
  std::vector<AttemptRecord>
      history;  // Failures, oldest first; filled by Find and the dead-letter calls.
};

}  // namespace umbranet
