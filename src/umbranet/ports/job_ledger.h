// The ledger decides which reflection job runs when, and what became of each. Order, priority,
// batches, retries, dead letters and status live here and behave the same on every engine.
//
// Promises:
// - A job that was enqueued is ready, leased, retry_wait, done, dead or cancelled, and Find says
// which, until retention
//   removes finished ones.
// - No two live leases hold jobs of one user. A claim returns the oldest ready jobs of one user, in
// the order they were enqueued; a job marked solo comes alone, and none behind it comes before it.
// Which user: the one whose most urgent job is due first, due = enqueued + {high 0, normal 10 s,
// low 60 s}, so that nobody starves.
// - Every change under a lease names it. Once a lease has expired and was reaped, been released, or
// its user forgotten,
//   every call with it returns kAborted and changes nothing.
// - A job that failed is retried after RetryPolicy's delay; a batch of more than one that failed
// counts no attempt, its
//   members come back one by one (solo). Transient failures count, systemic ones do not, permanent
//   ones end it.
// - A job whose lease expires counts a crash; after kCrashesMax crashes alone it is dead ("kills
// workers").
// - A user's order outlives his workers: while a job waits because its worker died, which is for
// seconds, nothing of its user is claimed, so no crash lets a later job pass an earlier one. A job
// that waits because it failed holds nobody up: that may last for minutes.
//
// All methods may be called from any thread. Times come from the ledger's clock, which never runs
// backwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

inline constexpr std::uint32_t kCrashesMax = 5;

// Waiting for company: a batch costs its price once, however many turns are in it. A user is passed
// over until the newest of his ready jobs has been there for `quiet`, the oldest for `wait_max`,
// jobs_max of them are ready, or one of them may not wait: of high priority, to be answered inline,
// or solo. Some users wait up to two fifths less than wait_max, so that not all that began together
// come due together.
struct CompanyWait {
  Millis quiet{3'000};
  Millis wait_max{20'000};
};

struct ClaimOptions {
  std::size_t jobs_max = 10;
  Millis lease{15'000};
  Millis lease_cap{120'000};  // From the claim on, however often it is extended.
  std::string worker;         // For the operator's eyes.
  std::optional<CompanyWait> gather = std::nullopt;  // Nothing: whoever is ready is taken at once.
};

// Proof of ownership: a fencing token that only rises. Only a ledger makes one.
struct Lease {
  std::uint64_t token = 0;

  auto operator<=>(const Lease&) const = default;
};

struct ClaimedJob {
  ReflectionJob job;
  std::uint32_t attempts = 0;  // Failed ones so far.
  TierMask tiers_done = 0;
  std::string plan;  // The saved plan as it was handed to SavePlans; empty when there is none.
};

struct ClaimedBatch {
  Lease lease;
  UserKey user;
  std::vector<ClaimedJob> jobs;  // Oldest first, at least one.
};

struct PlanRecord {
  std::string job_id;
  std::string plan;           // Opaque bytes.
  std::string fallback = {};  // As JobStatus::fallback; saved together with the plan.
};

struct TierProgress {
  std::string job_id;
  TierMask done = 0;  // Added to what is done.
};

struct JobFailure {
  std::string job_id;
  FailureKind kind = FailureKind::kTransient;
  std::string tier;  // Empty when no single tier failed.
  std::string error;
  std::optional<Millis> retry_after;  // A dependency's own word; the delay is at least this.
};

struct LedgerStats {
  std::uint64_t ready_high = 0;
  std::uint64_t ready_normal = 0;
  std::uint64_t ready_low = 0;
  std::uint64_t leased = 0;
  std::uint64_t retry_wait = 0;
  std::uint64_t dead = 0;
  std::optional<Timestamp> oldest_ready_at;       // enqueued_at of the oldest ready job
  std::optional<Timestamp> oldest_unfinished_at;  // of the oldest ready, leased or waiting one
};

struct SweepReport {
  std::uint64_t promoted = 0;  // retry_wait -> ready
  std::uint64_t expired = 0;   // leases that were reaped
  std::uint64_t killed = 0;    // of these: dead by kCrashesMax
  std::uint64_t purged = 0;    // finished jobs past their retention
};

struct SettleReport {
  std::uint64_t done = 0;
  std::uint64_t retrying = 0;
  std::uint64_t dead = 0;
};

struct DeadFilter {
  std::optional<std::string> tenant = std::nullopt;
  std::optional<std::string> user_id = std::nullopt;
  std::optional<std::string> tier = std::nullopt;  // last_error_tier
  std::optional<std::string> error_contains = std::nullopt;
};

struct DeadPage {
  std::vector<JobStatus> jobs;  // Most recently dead first, with history.
  std::string next_cursor;
};

class JobLedger {
 public:
  virtual ~JobLedger() = default;

  // Adds jobs that are not there yet (by job_id), durably. Turns accepted by the journal need no
  // call: their jobs came with them. This serves foreign producers and reflect-again.
  virtual Status Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) = 0;

  // The best batch, or nothing when no job is ready for anybody. Does not wait.
  virtual Result<std::optional<ClaimedBatch>> Claim(const ClaimOptions& options,
                                                    Deadline deadline) = 0;

  // One job by name, for the synchronous mode, older ones of its user or not. Nothing when it is
  // not ready, its user is leased, or one of his jobs waits after a crash.
  virtual Result<std::optional<ClaimedBatch>> ClaimJob(std::string_view job_id,
                                                       const ClaimOptions& options,
                                                       Deadline deadline) = 0;

  // Lengthens the lease to now + options.lease of its claim, never past its cap.
  virtual Status Extend(const Lease& lease, Deadline deadline) = 0;

  // First writer wins: a job that has a plan keeps it. Returns the plans in force, in the order
  // given.
  virtual Result<std::vector<PlanRecord>> SavePlans(const Lease& lease,
                                                    std::span<const PlanRecord> plans,
                                                    Deadline deadline) = 0;

  virtual Status MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                               Deadline deadline) = 0;

  // Ends the lease: jobs of the batch whose tiers are all done become done; those named in
  // `failures` are retried or dead; any other goes back to ready.
  virtual Result<SettleReport> Settle(const Lease& lease, std::span<const JobFailure> failures,
                                      Deadline deadline) = 0;

  // Gives the batch back untouched (shutdown). No attempt is counted.
  virtual Status Release(const Lease& lease, Deadline deadline) = 0;

  // Reaps expired leases, promotes due retries, removes finished jobs past retention (done 7 days,
  // dead 30 days) in bounded slices. Harmless to call as often as anyone likes, from any process.
  virtual Result<SweepReport> Sweep(Deadline deadline) = 0;

  // Nothing when the tenant has no such job.
  virtual Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                                Deadline deadline) = 0;

  virtual Result<LedgerStats> Stats(Deadline deadline) = 0;

  virtual Result<DeadPage> ListDead(const DeadFilter& filter, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) = 0;
  // Nothing when there is no such dead job.
  virtual Result<std::optional<JobStatus>> FindDead(std::string_view job_id, Deadline deadline) = 0;
  // Dead jobs become ready at once, solo, with attempts and crashes at zero. How many did.
  virtual Result<std::uint64_t> RequeueDead(std::string_view job_id, std::string_view actor,
                                            Deadline deadline) = 0;
  virtual Result<std::uint64_t> RequeueDeadMatching(const DeadFilter& filter,
                                                    std::string_view actor, Deadline deadline) = 0;
  // A dead job becomes cancelled, with actor and reason on record. How many did: 0 or 1.
  virtual Result<std::uint64_t> DiscardDead(std::string_view job_id, std::string_view actor,
                                            std::string_view reason, Deadline deadline) = 0;

  // Reflect again: for every turn of the user, a ready job of low priority with its generation
  // raised, its plan and tier progress cleared. The caller has erased tiers 2 to 4 before. Returns
  // how many.
  virtual Result<std::uint64_t> ReflectAgain(const UserKey& user, Deadline deadline) = 0;
};

}  // namespace umbranet
