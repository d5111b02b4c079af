#include "tests/simulation/history.h"

#include <algorithm>
#include <utility>

#include "umbranet/domain/retry_policy.h"

namespace umbranet {
namespace {

constexpr std::array<Tier, 3> kTiers = {Tier::kEpisodic, Tier::kSemantic, Tier::kProcedural};
constexpr std::size_t kViolationsMax = 20;

}  // namespace

std::string History::TurnId(const UserKey& user, std::int64_t number) {
  return user.user_id + "-" + std::to_string(number);
}

std::int64_t History::NumberOf(std::string_view interaction_id) {
  return std::stoll(std::string(interaction_id.substr(interaction_id.rfind('-') + 1)));
}

void History::Note(std::string_view what) {
  ++events_;
  if (trace_ != nullptr) {
    *trace_ << events_ << " " << what << "\n";
  }
  for (const char c : what) {
    digest_ ^= static_cast<unsigned char>(c);
    digest_ *= 0x100000001b3ULL;
  }
}

void History::Violated(std::string what) {
  Note(what);
  if (violations_.size() < kViolationsMax) {
    violations_.push_back(std::move(what));
  }
}

void History::Accepted(const UserKey& user, std::int64_t number) {
  Note("accepted " + TurnId(user, number));
  accepted_[user] = number;
  ++sums_.accepted;
}

void History::Forgotten(const UserKey& user, std::int64_t turns) {
  Note("forgotten " + TurnId(user, turns));
  forgotten_[user] = turns;
  ++sums_.forgotten;
}

void History::Claimed(const ClaimedBatch& batch, const ClaimOptions& options, std::int64_t now) {
  std::string note = "claimed " + std::to_string(batch.lease.token) + " " + options.worker;
  LiveLease lease{.user = batch.user,
                  .worker = options.worker,
                  .jobs = {},
                  .claimed_at = now,
                  .lease_ms = options.lease.count(),
                  .cap_ms = options.lease_cap.count(),
                  .until = now + std::min(options.lease, options.lease_cap).count()};
  for (const ClaimedJob& job : batch.jobs) {
    lease.jobs.push_back(job.job.job_id);
    note += " " + job.job.interaction_id + "/" + std::to_string(job.attempts);
    if (job.attempts > failed_alone_[job.job.job_id]) {
      Violated("a failure of its batch is counted against turn " + job.job.interaction_id);
    }
  }
  Note(note);
  ++sums_.leases;
  for (auto other = leases_.begin(); other != leases_.end();) {
    const auto next = std::next(other);
    if (other->second.user == batch.user) {
      if (other->second.until > now) {
        Violated(batch.user.user_id + " is in two live batches, under leases " +
                 std::to_string(other->first) + " and " + std::to_string(batch.lease.token));
      }
      Drop(other);
    }
    other = next;
  }
  leases_.emplace(batch.lease.token, std::move(lease));
  newest_lease_[batch.user] = batch.lease.token;
}

// It ended without a word of its worker.
void History::Drop(std::map<std::uint64_t, LiveLease>::iterator lease) {
  ++sums_.leases_lost;
  for (const std::string& job_id : lease->second.jobs) {
    ++lost_[job_id];
  }
  leases_.erase(lease);
}

void History::Extended(const Lease& lease, std::int64_t now) {
  const auto found = leases_.find(lease.token);
  if (found != leases_.end()) {
    LiveLease& live = found->second;
    live.until = std::min(now + live.lease_ms, live.claimed_at + live.cap_ms);
  }
}

void History::Ended(const Lease& lease, std::span<const JobFailure> failures) {
  Note("ended " + std::to_string(lease.token));
  const auto found = leases_.find(lease.token);
  for (const JobFailure& failure : failures) {
    MayBePassed(std::span(&failure.job_id, 1));
    const bool alone = found != leases_.end() && found->second.jobs.size() == 1;
    if (alone && failure.kind == FailureKind::kTransient) {
      ++failed_alone_[failure.job_id];
    }
  }
  leases_.erase(lease.token);
}

void History::EndedFor(const UserKey& user) {
  std::erase_if(leases_, [&user](const auto& lease) { return lease.second.user == user; });
}

void History::EndedAll() {
  Note("ended all");
  while (!leases_.empty()) {
    Drop(leases_.begin());
  }
}

void History::MayBePassed(std::span<const std::string> job_ids) {
  for (const std::string& job_id : job_ids) {
    if (trace_ != nullptr) {
      *trace_ << events_ << " may be passed " << job_id << "\n";
    }
    passable_.emplace(job_id, events_);
  }
}

void History::MayBePassed(const UserKey& user) {
  for (const auto& [token, lease] : leases_) {
    if (lease.user == user) {
      MayBePassed(lease.jobs);
    }
  }
}

void History::Applied(Tier tier, const ReflectionPlan& plan, const Lease& lease) {
  const std::string plan_id = plan.episodes.empty() ? std::string() : plan.episodes.front().text;
  Note("applied " + std::string(TierName(tier)) + " " + plan_id + " under " +
       std::to_string(lease.token));
  ++sums_.applied;
  if (newest_lease_[plan.user] != lease.token) {
    Violated("the " + std::string(TierName(tier)) + " tier took " + plan.interaction_id +
             " from lease " + std::to_string(lease.token) + ", which was lost");
  }
  rows_[tier][plan.user].push_back({plan.interaction_id, plan_id, events_});
}

void History::ErasedFrom(Tier tier, const UserKey& user) {
  Note("erased " + user.user_id + std::string(TierName(tier)));
  rows_[tier][user].clear();
}

std::size_t History::LivingLeases(std::int64_t now) const {
  return static_cast<std::size_t>(std::count_if(
      leases_.begin(), leases_.end(), [now](const auto& each) { return each.second.until > now; }));
}

bool History::MayLoseLeases(std::string_view worker, std::size_t most) const {
  return std::all_of(leases_.begin(), leases_.end(), [&](const auto& each) {
    return !each.second.worker.starts_with(worker) ||
           std::all_of(each.second.jobs.begin(), each.second.jobs.end(), [&](const auto& job_id) {
             const auto lost = lost_.find(job_id);
             return lost == lost_.end() || lost->second < most || poisoned_.contains(job_id);
           });
  });
}

void History::JudgeRows(const UserKey& user, std::int64_t number, bool done) {
  const std::string id = TurnId(user, number);
  std::set<std::string> plans;
  for (const Tier tier : kTiers) {
    std::size_t count = 0;
    for (const Row& row : rows_[tier][user]) {
      if (row.interaction_id == id) {
        ++count;
        plans.insert(row.plan);
      }
    }
    if (count > 1 || (done && count == 0)) {
      Violated("turn " + id + " is " + std::to_string(count) + " times in the " +
               std::string(TierName(tier)) + " tier");
    }
  }
  if (plans.size() > 1) {
    Violated("the tiers hold " + std::to_string(plans.size()) + " plans of turn " + id);
  }
}

void History::JudgeTurn(const UserKey& user, std::int64_t number, JobLedger& ledger) {
  const std::string id = TurnId(user, number);
  const std::string job_id = MakeJobId(user, id);
  const auto found = ledger.Find(user.tenant, job_id, Deadline::Never());
  if (!found.ok() || !found->has_value()) {
    Violated("turn " + id + " was accepted and is lost");
    return;
  }
  const JobStatus& status = **found;
  const bool dead = status.state == JobState::kDead;
  if (!dead && status.state != JobState::kDone) {
    Violated("turn " + id + " is stuck: " + std::string(JobStateName(status.state)));
  }
  if (dead) {
    ++sums_.dead;
    if (!poisoned_.contains(job_id)) {
      if (lost_[job_id] >= kCrashesMax) {
        ++sums_.unlucky;
      } else {
        Violated("turn " + id + " is dead without being poisoned: " + status.last_error);
      }
    }
  }
  JudgeRows(user, number, status.state == JobState::kDone);
}

// A turn may come behind a later one only when it had failed before that.
void History::JudgeOrder(const UserKey& user, Tier tier) {
  const Rows& rows = rows_[tier][user];
  for (std::size_t later = 0; later < rows.size(); ++later) {
    const std::int64_t number = NumberOf(rows[later].interaction_id);
    const auto since = passable_.find(MakeJobId(user, rows[later].interaction_id));
    for (std::size_t sooner = 0; sooner < later; ++sooner) {
      const bool passed = NumberOf(rows[sooner].interaction_id) > number;
      if (passed && (since == passable_.end() || since->second > rows[sooner].at)) {
        Violated("turn " + rows[sooner].interaction_id + " passed turn " +
                 rows[later].interaction_id + " in the " + std::string(TierName(tier)) + " tier");
        return;
      }
    }
  }
}

// What is in a tier without having been accepted, or after it was forgotten.
void History::JudgeStrangers(const UserKey& user) {
  for (const Tier tier : kTiers) {
    for (const Row& row : rows_[tier][user]) {
      const std::int64_t number = NumberOf(row.interaction_id);
      if (row.interaction_id != TurnId(user, number) || number > accepted_[user]) {
        Violated("nobody said what turn " + row.interaction_id + " holds");
      } else if (number <= forgotten_[user]) {
        Violated("turn " + row.interaction_id + " was forgotten and is back in the " +
                 std::string(TierName(tier)) + " tier");
      }
    }
  }
}

void History::Judge(JobLedger& ledger) {
  while (!leases_.empty()) {
    Drop(leases_.begin());
  }
  for (const auto& [user, turns] : accepted_) {
    for (std::int64_t number = forgotten_[user] + 1; number <= turns; ++number) {
      JudgeTurn(user, number, ledger);
    }
    for (const Tier tier : kTiers) {
      JudgeOrder(user, tier);
    }
    JudgeStrangers(user);
  }
}

}  // namespace umbranet
