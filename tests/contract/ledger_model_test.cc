// Goal: whatever is asked of a ledger, in whatever order, it answers as the model does.
// Method: RapidCheck makes up sequences of steps (accept, enqueue, claim, extend, save plans, mark
// tiers, settle with failures of all kinds, release, sweep, turn the clock in both directions,
// requeue, discard, reflect again, forget) over a few users and turns, so that they get into each
// other's way. Each step runs against the engine and against the in-memory ledger, and every answer
// is compared; so are the sums after each step, and at the end all that can be asked about all jobs
// and users. A failing sequence is shrunk to a short one.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

struct Step {
  int kind = 0;
  int user = 0;
  int item = 0;
  int detail = 0;
};

void showValue(const Step& step, std::ostream& out) {
  out << "{" << step.kind << ", " << step.user << ", " << step.item << ", " << step.detail << "}";
}

constexpr int kKinds = 20;
constexpr int kUsers = 3;
constexpr int kItems = 5;

UserKey UserOf(int user) {
  // Two of the users differ in their tenant alone.
  return {user == 0 ? "default" : "north", user == 2 ? "bo" : "ana"};
}

std::string TurnId(int item) {
  return "t" + std::to_string(item);
}

std::string JobIdOf(const Step& step) {
  return MakeJobId(UserOf(step.user), TurnId(step.item),
                   static_cast<std::uint32_t>(step.detail % 3));
}

std::string Show(const std::optional<Timestamp>& time) {
  return time.has_value() ? std::to_string(ToUnixMillis(*time) - ToUnixMillis(ManualClock::kStart))
                          : "-";
}

std::string Show(const JobStatus& status) {
  std::ostringstream out;
  out << status.job.job_id << " " << JobStateName(status.state) << " user "
      << status.job.user.tenant << "/" << status.job.user.user_id << " turn "
      << status.job.interaction_id << " gen " << status.job.generation << " prio "
      << PriorityName(status.job.priority) << " attempts " << status.attempts << "/"
      << status.attempts_max << " crashes " << status.crashes << " tiers " << int{status.tiers_done}
      << " accepted " << Show(status.accepted_at) << " finished " << Show(status.finished_at)
      << " next " << Show(status.next_attempt_at) << " error " << status.last_error << "@"
      << status.last_error_tier;
  for (const AttemptRecord& record : status.history) {
    out << " [" << record.attempt << " " << Show(record.at) << " " << FailureKindName(record.kind)
        << " " << record.tier << " " << record.error << "]";
  }
  return out.str();
}

std::string Show(const ClaimedBatch& batch) {
  std::ostringstream out;
  out << "lease " << batch.lease.token << " of " << batch.user.tenant << "/" << batch.user.user_id;
  for (const ClaimedJob& job : batch.jobs) {
    out << " [" << job.job.job_id << " " << job.job.interaction_id << " " << job.attempts << " "
        << int{job.tiers_done} << " '" << job.plan << "']";
  }
  return out.str();
}

std::string Show(const AcceptedTurn& turn) {
  return turn.job_id + " " + std::string(JobStateName(turn.state)) +
         (turn.duplicate ? " duplicate" : " new");
}

std::string Show(const PlanRecord& plan) {
  return plan.job_id + " '" + plan.plan + "'";
}

std::string Show(const SettleReport& report) {
  return std::to_string(report.done) + " done, " + std::to_string(report.retrying) + " retrying, " +
         std::to_string(report.dead) + " dead";
}

std::string Show(const SweepReport& report) {
  return std::to_string(report.promoted) + " promoted, " + std::to_string(report.expired) +
         " expired, " + std::to_string(report.killed) + " killed, " +
         std::to_string(report.purged) + " purged";
}

std::string Show(const Freshness& freshness) {
  return std::to_string(freshness.accepted) + " accepted, " + std::to_string(freshness.reflected) +
         " reflected, " + std::to_string(freshness.pending) + " pending, " +
         std::to_string(freshness.dead) + " dead, oldest " + Show(freshness.oldest_pending_at);
}

std::string Show(const LedgerStats& stats) {
  std::ostringstream out;
  out << "ready " << stats.ready_high << "/" << stats.ready_normal << "/" << stats.ready_low
      << " leased " << stats.leased << " waiting " << stats.retry_wait << " dead " << stats.dead
      << " oldest " << Show(stats.oldest_ready_at) << " " << Show(stats.oldest_unfinished_at);
  return out.str();
}

std::string Show(const JournalErasure& erasure) {
  return std::to_string(erasure.turns) + " turns, " + std::to_string(erasure.jobs_cancelled) +
         " cancelled";
}

std::string Show(std::uint64_t count) {
  return std::to_string(count);
}

std::string Show(const Interaction& turn) {
  return turn.interaction_id;
}

template <typename T>
std::string Show(const std::optional<T>& value) {
  return value.has_value() ? Show(*value) : "nothing";
}

template <typename T>
std::string Show(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) {
    out += Show(value) + "; ";
  }
  return out;
}

template <typename T>
std::string Show(const Result<T>& result) {
  return result.ok() ? Show(*result) : std::string(ErrorCodeName(result.error().code));
}

std::string Show(const Status& status) {
  return status.ok() ? "ok" : std::string(ErrorCodeName(status.error().code));
}

// One of the two ledgers, with the leases it has given out.
class Side {
 public:
  explicit Side(const LedgerEngine& engine) : harness_(engine.make()) {}

  // Carries the step out, and says what came of it.
  std::string Run(const Step& step);
  // The sums.
  std::string Glance(const Step& step);
  // All that can be asked.
  std::string Observe();

 private:
  std::string Accept(const Step& step) {
    Interaction turn;
    turn.interaction_id = TurnId(step.item);
    turn.user = UserOf(step.user);
    turn.user_message = "hello";
    turn.priority = static_cast<Priority>(step.detail % 3);
    const std::vector<Interaction> turns = {turn};
    return Show(harness_->journal().Accept(turns, RunMode::kBackground, "", Deadline::Never()));
  }

  std::string Enqueue(const Step& step) {
    ReflectionJob job;
    job.job_id = JobIdOf(step);
    job.user = UserOf(step.user);
    job.interaction_id = TurnId(step.item);
    job.generation = static_cast<std::uint32_t>(step.detail % 3);
    job.priority = static_cast<Priority>(step.detail % 2);
    const std::vector<ReflectionJob> jobs = {job};
    return Show(ledger().Enqueue(jobs, Deadline::Never()));
  }

  std::string Keep(const Result<std::optional<ClaimedBatch>>& batch) {
    if (batch.ok() && batch->has_value()) {
      batches_.push_back(**batch);
    }
    return Show(batch);
  }

  // One of the latest batches; live or lost.
  ClaimedBatch Pick(const Step& step) const {
    if (batches_.empty()) {
      return {};
    }
    const auto back =
        static_cast<std::size_t>(step.user) % std::min<std::size_t>(4, batches_.size());
    return batches_[batches_.size() - 1 - back];
  }

  std::string SavePlans(const Step& step) {
    const ClaimedBatch batch = Pick(step);
    std::vector<PlanRecord> plans;
    for (const ClaimedJob& job : batch.jobs) {
      plans.push_back({job.job.job_id, "plan " + std::to_string(step.detail)});
    }
    return Show(ledger().SavePlans(batch.lease, plans, Deadline::Never()));
  }

  std::string MarkTiers(const Step& step) {
    const ClaimedBatch batch = Pick(step);
    std::vector<TierProgress> progress;
    for (const ClaimedJob& job : batch.jobs) {
      const bool all = step.detail % 3 != 0;
      progress.push_back(
          {job.job.job_id, static_cast<TierMask>(all ? kAllReflectedTiers : step.detail % 8)});
    }
    return Show(ledger().MarkTiersDone(batch.lease, progress, Deadline::Never()));
  }

  std::string Settle(const Step& step) {
    const ClaimedBatch batch = Pick(step);
    std::vector<JobFailure> failures;
    for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
      const auto choice = (static_cast<std::size_t>(step.detail) + i) % 4;
      if (choice < 3) {
        failures.push_back({.job_id = batch.jobs[i].job.job_id,
                            .kind = static_cast<FailureKind>(choice),
                            .tier = choice == 0 ? "semantic" : "",
                            .error = "failure " + std::to_string(step.detail),
                            .retry_after = std::nullopt});
      }
    }
    return Show(ledger().Settle(batch.lease, failures, Deadline::Never()));
  }

  JobLedger& ledger() { return harness_->ledger(); }

  std::unique_ptr<LedgerHarness> harness_;
  std::vector<ClaimedBatch> batches_;
};

std::string Side::Run(const Step& step) {
  ClaimOptions options;
  options.jobs_max = static_cast<std::size_t>(1 + step.detail % 4);
  options.worker = "worker";
  const Deadline never;
  switch (step.kind) {
    case 0:
    case 1:
    case 2:
      return Accept(step);
    case 3:
      return Enqueue(step);
    case 4:
    case 5:
    case 6:
      return Keep(ledger().Claim(options, never));
    case 7:
      return Keep(ledger().ClaimJob(JobIdOf(step), options, never));
    case 8:
      return Show(ledger().Extend(Pick(step).lease, never));
    case 9:
      return SavePlans(step);
    case 10:
    case 11:
      return MarkTiers(step);
    case 12:
    case 13:
      return Settle(step);
    case 14:
      return Show(ledger().Release(Pick(step).lease, never));
    case 15:
      harness_->clock.Advance(std::chrono::seconds(1 + step.detail * 7));
      return Show(ledger().Sweep(never));
    case 16:
      harness_->clock.SetWall(harness_->clock.Now() + std::chrono::seconds(10 - step.detail));
      return "";
    case 17:
      return Show(step.detail % 2 == 0
                      ? ledger().RequeueDead(JobIdOf(step), "olga", never)
                      : ledger().RequeueDeadMatching({.tier = "semantic"}, "olga", never));
    case 18:
      return Show(ledger().DiscardDead(JobIdOf(step), "olga", "why not", never));
    default:
      break;
  }
  // The rare ones.
  if (step.detail < 4) {
    return Show(ledger().ReflectAgain(UserOf(step.user), never));
  }
  if (step.detail < 8) {
    harness_->clock.Advance(std::chrono::days(step.detail % 2 == 0 ? 8 : 31));
    return Show(ledger().Sweep(never));
  }
  return Show(harness_->journal().EraseUser(UserOf(step.user), never));
}

std::string Side::Glance(const Step& step) {
  const Deadline never;
  return Show(ledger().Stats(never)) + "\n" +
         Show(harness_->journal().ReadFreshness(UserOf(step.user), never));
}

std::string Side::Observe() {
  const Deadline never;
  std::string all = Show(ledger().Stats(never)) + "\n";
  for (int user = 0; user < kUsers; ++user) {
    all += Show(harness_->journal().ReadFreshness(UserOf(user), never)) + "\n";
    const auto waiting = harness_->journal().Unreflected(UserOf(user), 3, never);
    all += waiting.ok() ? Show(harness_->journal().ReadAt(UserOf(user), *waiting, never)) + "\n"
                        : waiting.error().message;
    const auto page = harness_->journal().List(UserOf(user), "", 100, never);
    for (const JournalEntry& entry : page->entries) {
      all += Show(entry.reflection) + "\n";
    }
    for (int item = 0; item < kItems; ++item) {
      for (int generation = 0; generation < 3; ++generation) {
        const Step step{.kind = 0, .user = user, .item = item, .detail = generation};
        all += Show(ledger().Find(UserOf(user).tenant, JobIdOf(step), never)) + "\n";
      }
    }
  }
  const auto dead = ledger().ListDead({}, "", 100, never);
  for (const JobStatus& status : dead->jobs) {
    all += Show(status) + "\n";
  }
  return all;
}

class LedgerModel : public testing::TestWithParam<LedgerEngine> {
 protected:
  void SetUp() override {
    if (const std::string missing = GetParam().missing(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, LedgerModel, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(LedgerModel, AnswersAsTheModelDoes) {
  const LedgerEngine model = InMemoryLedgerEngine();
  if (GetParam().name == model.name) {
    GTEST_SKIP() << "this is the model";
  }
  const auto steps = rc::gen::container<std::vector<Step>>(
      rc::gen::construct<Step>(rc::gen::inRange(0, kKinds), rc::gen::inRange(0, kUsers),
                               rc::gen::inRange(0, kItems), rc::gen::inRange(0, 12)));
  EXPECT_TRUE(rc::check("an engine answers as the model does", [&] {
    const std::vector<Step> sequence = *steps;
    Side expected(model);
    Side actual(GetParam());
    for (const Step& step : sequence) {
      RC_ASSERT(actual.Run(step) == expected.Run(step));
      RC_ASSERT(actual.Glance(step) == expected.Glance(step));
    }
    RC_ASSERT(actual.Observe() == expected.Observe());
  }));
}

}  // namespace
}  // namespace umbranet
