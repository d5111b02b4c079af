// What happened in one history, told by those to whom it happened, and the judge of it: every turn
// that was accepted is applied once in each tier, from one plan, in its user's order; no user is in
// two live batches; no write comes from a lease that is lost; what was forgotten stays away; the
// dead letters are those that were poisoned; and nothing is left over.
//
// For one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"

namespace umbranet {

class History {
 public:
  // The number of a turn among its user's, which is part of its id.
  static std::string TurnId(const UserKey& user, std::int64_t number);
  static std::int64_t NumberOf(std::string_view interaction_id);

  // Every event goes there as a line, too; null: nowhere.
  void TraceTo(std::ostream* trace) { trace_ = trace; }

  // --- what happened

  // The client has its answer.
  void Accepted(const UserKey& user, std::int64_t number);
  // The user asked for it and has the answer: none of the turns so far may be anywhere.
  void Forgotten(const UserKey& user, std::int64_t turns);

  void Poisoned(std::string_view job_id) { poisoned_.emplace(job_id); }

  // `now` is what the ledger takes the time for.
  void Claimed(const ClaimedBatch& batch, const ClaimOptions& options, std::int64_t now);
  void Extended(const Lease& lease, std::int64_t now);
  // Settled, released, or void because its user was forgotten or the ledger opened anew.
  void Ended(const Lease& lease, std::span<const JobFailure> failures = {});
  void EndedFor(const UserKey& user);
  void EndedAll();
  // From now on a later turn may be applied before these.
  void MayBePassed(std::span<const std::string> job_ids);
  // The same of all that is under the user's lease: what they need to be worked out failed, which
  // nobody has put down yet.
  void MayBePassed(const UserKey& user);
  void Applied(Tier tier, const ReflectionPlan& plan, const Lease& lease);
  void ErasedFrom(Tier tier, const UserKey& user);
  // Anything else of which another run of the same seed must be the image.
  void Note(std::string_view what);

  // --- what is to be said of it

  // Which of these jobs are under a lease whose worker could still be living.
  [[nodiscard]] std::size_t LivingLeases(std::int64_t now) const;
  // Whether each job under a lease of `worker` has lost fewer than `most` leases.
  [[nodiscard]] bool MayLoseLeases(std::string_view worker, std::size_t most) const;
  // Compares what was accepted with what `ledger` and the tiers hold. Call it when all is quiet.
  void Judge(JobLedger& ledger);

  // Empty: it was as it should be.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  struct Sums {
    std::uint64_t accepted = 0;
    std::uint64_t forgotten = 0;
    std::uint64_t dead = 0;
    std::uint64_t applied = 0;
    std::uint64_t leases = 0;
    std::uint64_t leases_lost = 0;
    // Dead though not poisoned: it was under five leases that were lost by chance.
    std::uint64_t unlucky = 0;
  };

  [[nodiscard]] const Sums& sums() const { return sums_; }

  void Violated(std::string what);

 private:
  struct Row {
    std::string interaction_id;
    std::string plan;  // What tells one extraction from another.
    std::uint64_t at = 0;
  };

  struct LiveLease {
    UserKey user;
    std::string worker;
    std::vector<std::string> jobs;
    std::int64_t claimed_at = 0;
    std::int64_t lease_ms = 0;
    std::int64_t cap_ms = 0;
    std::int64_t until = 0;
    bool ended = false;
  };

  using Rows = std::vector<Row>;

  void Drop(std::map<std::uint64_t, LiveLease>::iterator lease);
  void JudgeTurn(const UserKey& user, std::int64_t number, JobLedger& ledger);
  void JudgeRows(const UserKey& user, std::int64_t number, bool done);
  void JudgeOrder(const UserKey& user, Tier tier);
  void JudgeStrangers(const UserKey& user);

  std::map<UserKey, std::int64_t> accepted_;   // How many turns.
  std::map<UserKey, std::int64_t> forgotten_;  // The first so many.
  std::set<std::string, std::less<>> poisoned_;
  std::map<std::uint64_t, LiveLease> leases_;
  std::map<UserKey, std::uint64_t> newest_lease_;
  std::map<std::string, std::size_t, std::less<>> lost_;            // Leases, by job.
  std::map<std::string, std::uint32_t, std::less<>> failed_alone_;  // How often, by job.
  std::map<std::string, std::uint64_t, std::less<>> passable_;      // Since when, by job.
  std::map<Tier, std::map<UserKey, Rows>> rows_;
  std::vector<std::string> violations_;
  Sums sums_;
  std::ostream* trace_ = nullptr;
  std::uint64_t events_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL;
};

}  // namespace umbranet
