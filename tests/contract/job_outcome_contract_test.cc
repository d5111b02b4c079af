// Goal: every ledger keeps the promises written in ports/job_ledger.h: what becomes of a job that
// failed, that crashed its worker, that is dead, that is done again.
// Method: as in job_ledger_contract_test.cc.
// Deliberate faults, each with the test that turned red:
//   settling finishes jobs with a tier missing: AJobThatIsNeitherDoneNorFailedIsReadyAtOnce
//   a failed batch counts attempts: AFailedBatchCountsNothingAndItsMembersComeBackOneByOne
//   systemic failures count: SystemicFailuresNeverCount
//   a new turn gives a user a head who waits after a crash:
//     LaterJobsOfAUserWaitForOneWhoseWorkerDied
//   a crash does not hold its user: the same, and
//     AJobThatKillsEveryWorkerHoldsItsUserUpOnlyUntilItIsDead
//   a batch reaches behind a job that must run alone:
//     AJobThatMustRunAloneJoinsNobodysBatchAndIsNotPassed
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

class JobOutcomeContract : public LedgerFixture {
 protected:
  // Waits until every retry is due, and sweeps.
  void PassRetryDelay() {
    clock().Advance(seconds(200));
    Sweep();
  }

  // The ids of the next batch, which is reflected.
  std::vector<std::string> ReflectNextIds() {
    const ClaimedBatch batch = Claim();
    MarkAll(batch);
    Settle(batch);
    return Ids(batch);
  }

  // The next batch's worker dies under it, and somebody notices.
  SweepReport CrashNext() {
    EXPECT_FALSE(Claim().jobs.empty());
    clock().Advance(seconds(15));
    return Sweep();
  }

  // A dead job of each id, in this order.
  void Bury(const std::vector<ReflectionJob>& jobs, std::string_view tier = "semantic",
            std::string_view error = "broken") {
    for (const ReflectionJob& job : jobs) {
      Enqueue({job});
      clock().Advance(milliseconds(1));
      FailNext(FailureKind::kPermanent, error, tier);
    }
  }

  std::vector<std::string> DeadIds(const DeadFilter& filter = {}) {
    const DeadPage page = ledger().ListDead(filter, "", 100, Deadline::Never()).value();
    std::vector<std::string> ids;
    for (const JobStatus& status : page.jobs) {
      ids.push_back(status.job.job_id);
    }
    return ids;
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, JobOutcomeContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(JobOutcomeContract, AJobWhoseTiersAreAllDoneIsReflected) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  MarkAll(batch);
  clock().Advance(seconds(2));
  const SettleReport report = Settle(batch);
  EXPECT_EQ(report.done, 1U);
  EXPECT_EQ(report.retrying, 0U);
  const JobStatus status = Find("j1");
  EXPECT_EQ(status.state, JobState::kDone);
  EXPECT_EQ(status.finished_at, ManualClock::kStart + seconds(2));
  EXPECT_EQ(status.accepted_at, ManualClock::kStart);
  EXPECT_EQ(status.tiers_done, kAllReflectedTiers);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

TEST_P(JobOutcomeContract, AJobIsDoneEvenWhenItIsNamedAsFailed) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  MarkAll(batch);
  EXPECT_EQ(Settle(batch, {Failure("j1", FailureKind::kPermanent)}).done, 1U);
  EXPECT_EQ(StateOf("j1"), JobState::kDone);
}

TEST_P(JobOutcomeContract, AJobThatIsNeitherDoneNorFailedIsReadyAtOnce) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  const std::vector<TierProgress> progress = {{"j1", kAllReflectedTiers}, {"j2", 3}};
  ASSERT_TRUE(ledger().MarkTiersDone(batch.lease, progress, Deadline::Never()).ok());
  EXPECT_EQ(Settle(batch).done, 1U);
  EXPECT_EQ(StateOf("j2"), JobState::kReady);
  EXPECT_EQ(Find("j2").attempts, 0U);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j2"));
}

TEST_P(JobOutcomeContract, AFailedJobWaitsAboutThirtySeconds) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  const SettleReport report =
      Settle(batch, {Failure("j1", FailureKind::kTransient, "model timed out", "semantic")});
  EXPECT_EQ(report.retrying, 1U);
  const JobStatus status = Find("j1");
  EXPECT_EQ(status.state, JobState::kRetryWait);
  EXPECT_EQ(status.attempts, 1U);
  EXPECT_EQ(status.attempts_max, 4U);
  EXPECT_EQ(status.last_error, "model timed out");
  EXPECT_EQ(status.last_error_tier, "semantic");
  ASSERT_TRUE(status.next_attempt_at.has_value());
  const Millis delay = *status.next_attempt_at - ManualClock::kStart;
  EXPECT_THAT(delay, AllOf(Ge(seconds(24)), Le(seconds(36))));

  clock().Advance(delay - milliseconds(1));
  EXPECT_EQ(Sweep().promoted, 0U);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  clock().Advance(milliseconds(1));
  EXPECT_EQ(Sweep().promoted, 1U);
  EXPECT_FALSE(Find("j1").next_attempt_at.has_value());
  const ClaimedBatch again = Claim();
  EXPECT_THAT(Ids(again), ElementsAre("j1"));
  EXPECT_EQ(again.jobs[0].attempts, 1U);
}

TEST_P(JobOutcomeContract, TheDelayDoublesAndTheFourthFailureIsTheLast) {
  Enqueue({Job("j1")});
  for (const int expected : {30, 60, 120}) {
    FailNext(FailureKind::kTransient);
    const JobStatus status = Find("j1");
    ASSERT_EQ(status.state, JobState::kRetryWait);
    const Millis delay = *status.next_attempt_at - clock().Now();
    EXPECT_THAT(delay, AllOf(Ge(milliseconds(expected * 800)), Le(milliseconds(expected * 1200))));
    PassRetryDelay();
  }
  const ClaimedBatch last = Claim();
  const SettleReport report = Settle(last, {Failure("j1")});
  EXPECT_EQ(report.dead, 1U);
  EXPECT_EQ(report.retrying, 0U);
  const JobStatus status = Find("j1");
  EXPECT_EQ(status.state, JobState::kDead);
  EXPECT_EQ(status.attempts, 4U);
  EXPECT_EQ(status.finished_at, clock().Now());
  PassRetryDelay();
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

TEST_P(JobOutcomeContract, SystemicFailuresNeverCount) {
  Enqueue({Job("j1")});
  for (int i = 0; i < 10; ++i) {
    FailNext(FailureKind::kSystemic, "database is away");
    ASSERT_EQ(StateOf("j1"), JobState::kRetryWait);
    PassRetryDelay();
  }
  EXPECT_EQ(Find("j1").attempts, 0U);
}

TEST_P(JobOutcomeContract, ASystemicFailureOfABatchLeavesItABatch) {
  Enqueue({Job("j1"), Job("j2")});
  Settle(Claim(), {Failure("j1", FailureKind::kSystemic), Failure("j2", FailureKind::kSystemic)});
  PassRetryDelay();
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1", "j2"));
}

TEST_P(JobOutcomeContract, APermanentFailureEndsAJobAtOnce) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  const SettleReport report =
      Settle(batch, {Failure("j1", FailureKind::kPermanent, "no such turn")});
  EXPECT_EQ(report.dead, 1U);
  EXPECT_EQ(StateOf("j1"), JobState::kDead);
  EXPECT_EQ(Find("j1").last_error, "no such turn");
  EXPECT_EQ(StateOf("j2"), JobState::kReady);
}

TEST_P(JobOutcomeContract, AFailedBatchCountsNothingAndItsMembersComeBackOneByOne) {
  Enqueue({Job("j1"), Job("j2"), Job("j3")});
  Settle(Claim(), {Failure("j1"), Failure("j2"), Failure("j3")});
  EXPECT_EQ(Find("j1").attempts, 0U);
  PassRetryDelay();
  Enqueue({Job("j4")});
  for (const std::string_view alone : {"j1", "j2", "j3"}) {
    EXPECT_THAT(ReflectNextIds(), ElementsAre(alone));
  }
  EXPECT_THAT(Ids(Claim()), ElementsAre("j4"));
}

TEST_P(JobOutcomeContract, AJobThatMustRunAloneJoinsNobodysBatchAndIsNotPassed) {
  Enqueue({Job("j1"), Job("j2"), Job("j3"), Job("j4")});
  Settle(Claim(), {Failure("j2")});
  PassRetryDelay();
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j1"));
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j2"));
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j3", "j4"));
}

TEST_P(JobOutcomeContract, ADependencysOwnWordLengthensTheDelay) {
  Enqueue({Job("j1"), Job("j2", "bo")});
  JobFailure failure = Failure("j1", FailureKind::kSystemic);
  failure.retry_after = std::chrono::minutes(10);
  Settle(Claim(), {failure});
  EXPECT_EQ(Find("j1").next_attempt_at, ManualClock::kStart + std::chrono::minutes(10));
  failure = Failure("j2", FailureKind::kSystemic);
  failure.retry_after = seconds(1);
  Settle(Claim(), {failure});
  EXPECT_GE(Find("j2").next_attempt_at, ManualClock::kStart + seconds(24));
}

TEST_P(JobOutcomeContract, LaterJobsOfAUserPassOneThatWaits) {
  Enqueue({Job("j1"), Job("j2")});
  FailNext(FailureKind::kTransient);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j2"));
}

TEST_P(JobOutcomeContract, HistoryTellsEveryFailureOldestFirst) {
  Enqueue({Job("j1")});
  FailNext(FailureKind::kSystemic, "graph is away", "semantic");
  PassRetryDelay();
  FailNext(FailureKind::kTransient, "nonsense");
  PassRetryDelay();
  Claim();
  clock().Advance(seconds(15));
  Sweep();
  const std::vector<AttemptRecord> history = Find("j1").history;
  ASSERT_THAT(history, SizeIs(3));
  EXPECT_EQ(history[0].attempt, 1U);
  EXPECT_EQ(history[0].kind, FailureKind::kSystemic);
  EXPECT_EQ(history[0].tier, "semantic");
  EXPECT_EQ(history[0].error, "graph is away");
  EXPECT_EQ(history[0].at, ManualClock::kStart);
  EXPECT_EQ(history[1].attempt, 1U);
  EXPECT_EQ(history[1].error, "nonsense");
  EXPECT_EQ(history[2].attempt, 2U);
  EXPECT_THAT(history[2].error, HasSubstr("worker 1"));
}

TEST_P(JobOutcomeContract, HistoryKeepsTheLatestFailuresOnly) {
  Enqueue({Job("j1")});
  for (int i = 0; i < 25; ++i) {
    FailNext(FailureKind::kSystemic, "failure " + std::to_string(i));
    PassRetryDelay();
  }
  const std::vector<AttemptRecord> history = Find("j1").history;
  ASSERT_THAT(history, SizeIs(20));
  EXPECT_EQ(history.front().error, "failure 5");
  EXPECT_EQ(history.back().error, "failure 24");
}

TEST_P(JobOutcomeContract, SuccessForgetsTheLastError) {
  Enqueue({Job("j1")});
  FailNext(FailureKind::kTransient);
  PassRetryDelay();
  ReflectNext();
  EXPECT_EQ(Find("j1").last_error, "");
  EXPECT_THAT(Find("j1").history, SizeIs(1));
}

TEST_P(JobOutcomeContract, OnlyAJobThatCrashesAloneIsKilledByItsCrashes) {
  Enqueue({Job("j1"), Job("j2"), Job("j3")});
  EXPECT_EQ(CrashNext().killed, 0U);
  EXPECT_EQ(CrashNext().killed, 0U);
  // From here on each runs alone, and j2 is the one that kills workers.
  clock().Advance(seconds(2));
  EXPECT_EQ(Sweep().promoted, 3U);
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j1"));
  for (int crashes = 3; crashes <= 5; ++crashes) {
    EXPECT_EQ(CrashNext().killed, crashes == 5 ? 1U : 0U);
    clock().Advance(seconds(8));
    Sweep();
  }
  EXPECT_EQ(StateOf("j2"), JobState::kDead);
  EXPECT_EQ(Find("j2").crashes, 5U);
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j3"));
}

TEST_P(JobOutcomeContract, LaterJobsOfAUserWaitForOneWhoseWorkerDied) {
  Enqueue({Job("j1"), Job("j2"), Job("j3"), Job("b1", "bo")});
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(Ids(Claim(2)), ElementsAre("j1", "j2"));
    clock().Advance(seconds(15));
    Sweep();
  }
  ASSERT_EQ(StateOf("j1"), JobState::kRetryWait);
  Enqueue({Job("j4", "ana", Priority::kHigh)});
  AcceptOne(Turn("t5"));
  EXPECT_THAT(ReflectNextIds(), ElementsAre("b1")) << "others do not wait";
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  EXPECT_FALSE(ledger().ClaimJob("j3", Options(), Deadline::Never()).value().has_value());
  clock().Advance(milliseconds(1'999));
  Sweep();
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  clock().Advance(milliseconds(1));
  Sweep();
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j1"));
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j2"));
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j3", "j4", MakeJobId(User("ana"), "t5")));
}

TEST_P(JobOutcomeContract, AJobThatKillsEveryWorkerHoldsItsUserUpOnlyUntilItIsDead) {
  Enqueue({Job("j1"), Job("j2")});
  for (int crashes = 1; crashes <= 5; ++crashes) {
    ASSERT_THAT(Ids(Claim(1)), ElementsAre("j1"));
    clock().Advance(seconds(15));
    Sweep();
    if (StateOf("j1") == JobState::kRetryWait) {
      EXPECT_THAT(Ids(Claim()), IsEmpty());
      clock().Advance(seconds(8));
      Sweep();
    }
  }
  EXPECT_EQ(StateOf("j1"), JobState::kDead);
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j2"));
}

TEST_P(JobOutcomeContract, AJobThatFailedAfterItCrashedHoldsNobodyUp) {
  Enqueue({Job("j1"), Job("j2")});
  CrashNext();
  CrashNext();
  clock().Advance(seconds(2));
  Sweep();
  FailNext(FailureKind::kTransient);
  ASSERT_EQ(StateOf("j1"), JobState::kRetryWait);
  EXPECT_THAT(ReflectNextIds(), ElementsAre("j2"));
}

TEST_P(JobOutcomeContract, NobodyWaitsForACrashedJobThatIsGone) {
  Accept({Turn("t1"), Turn("b1", "bo")});
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(Claim().jobs.empty());
    CrashNext();
  }
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  EXPECT_EQ(ledger().ReflectAgain(User("ana"), Deadline::Never()).value(), 1U);
  EXPECT_THAT(ReflectNextIds(), ElementsAre(MakeJobId(User("ana"), "t1", 1)));
  ASSERT_TRUE(journal().EraseUser(User("bo"), Deadline::Never()).ok());
  clock().Advance(milliseconds(1));
  Interaction again = Turn("b2", "bo");
  again.occurred_at = clock().Now();
  AcceptOne(again);
  EXPECT_THAT(ReflectNextIds(), ElementsAre(MakeJobId(User("bo"), "b2")));
}

TEST_P(JobOutcomeContract, AJobThatCrashedTwiceWaitsLongerEachTime) {
  Enqueue({Job("j1")});
  Claim();
  clock().Advance(seconds(15));
  Sweep();
  EXPECT_EQ(StateOf("j1"), JobState::kReady) << "the first crash is taken for an accident";
  for (const int wait : {2, 4, 8}) {
    Claim();
    clock().Advance(seconds(15));
    Sweep();
    ASSERT_EQ(StateOf("j1"), JobState::kRetryWait);
    EXPECT_EQ(Find("j1").next_attempt_at, clock().Now() + seconds(wait));
    clock().Advance(seconds(wait));
    Sweep();
    ASSERT_EQ(StateOf("j1"), JobState::kReady);
  }
}

TEST_P(JobOutcomeContract, SweepingAgainChangesNothing) {
  Enqueue({Job("j1"), Job("j2", "bo")});
  FailNext(FailureKind::kTransient);
  Claim();
  clock().Advance(seconds(40));
  EXPECT_EQ(Sweep().promoted, 1U);
  const SweepReport second = Sweep();
  EXPECT_EQ(second.promoted + second.expired + second.killed + second.purged, 0U);
  EXPECT_EQ(Find("j2").crashes, 1U);
}

TEST_P(JobOutcomeContract, FinishedJobsAreRemovedAfterTheirTime) {
  Enqueue({Job("done"), Job("dead", "bo")});
  ReflectNext();
  FailNext(FailureKind::kPermanent);
  clock().Advance(std::chrono::days(7));
  EXPECT_EQ(Sweep().purged, 0U);
  clock().Advance(milliseconds(1));
  EXPECT_EQ(Sweep().purged, 1U);
  EXPECT_FALSE(ledger().Find(kDefaultTenant, "done", Deadline::Never()).value().has_value());
  EXPECT_EQ(StateOf("dead"), JobState::kDead);
  clock().Advance(std::chrono::days(23));
  EXPECT_EQ(Sweep().purged, 1U);
  EXPECT_FALSE(ledger().Find(kDefaultTenant, "dead", Deadline::Never()).value().has_value());
}

TEST_P(JobOutcomeContract, DeadLettersAreListedLatestFirstInPages) {
  Bury({Job("j1"), Job("j2", "bo"), Job("j3", "cy")});
  const DeadPage first = ledger().ListDead({}, "", 2, Deadline::Never()).value();
  ASSERT_THAT(first.jobs, SizeIs(2));
  EXPECT_EQ(first.jobs[0].job.job_id, "j3");
  EXPECT_EQ(first.jobs[1].job.job_id, "j2");
  EXPECT_EQ(first.jobs[1].job.user, User("bo"));
  EXPECT_THAT(first.jobs[0].history, SizeIs(1));
  ASSERT_NE(first.next_cursor, "");
  const DeadPage second = ledger().ListDead({}, first.next_cursor, 2, Deadline::Never()).value();
  ASSERT_THAT(second.jobs, SizeIs(1));
  EXPECT_EQ(second.jobs[0].job.job_id, "j1");
  EXPECT_EQ(second.next_cursor, "");
  EXPECT_EQ(ledger().ListDead({}, "what?", 2, Deadline::Never()).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_P(JobOutcomeContract, DeadLettersAreFiltered) {
  ReflectionJob elsewhere = Job("j3");
  elsewhere.user.tenant = "north";
  Bury({Job("j1")}, "semantic", "graph 100% full");
  Bury({Job("j2", "bo")}, "episodic", "graph_lost");
  Bury({elsewhere}, "semantic", "other");
  EXPECT_THAT(DeadIds(), ElementsAre("j3", "j2", "j1"));
  EXPECT_THAT(DeadIds({.tenant = std::string(kDefaultTenant)}), ElementsAre("j2", "j1"));
  EXPECT_THAT(DeadIds({.user_id = "ana"}), ElementsAre("j3", "j1"));
  EXPECT_THAT(DeadIds({.tier = "semantic"}), ElementsAre("j3", "j1"));
  EXPECT_THAT(DeadIds({.error_contains = "graph"}), ElementsAre("j2", "j1"));
  EXPECT_THAT(DeadIds({.error_contains = "0% f"}), ElementsAre("j1"));
  EXPECT_THAT(DeadIds({.user_id = "ana", .error_contains = "lost"}), IsEmpty());
}

TEST_P(JobOutcomeContract, ADeadLetterIsFoundOnlyWhileItIsDead) {
  Enqueue({Job("j1")});
  EXPECT_FALSE(ledger().FindDead("j1", Deadline::Never()).value().has_value());
  FailNext(FailureKind::kPermanent, "broken", "semantic");
  const auto found = ledger().FindDead("j1", Deadline::Never()).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->last_error_tier, "semantic");
  EXPECT_THAT(found->history, SizeIs(1));
}

TEST_P(JobOutcomeContract, ARequeuedJobIsReadyAtOnceAloneWithItsPlanAndAFreshCount) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  ASSERT_TRUE(ledger()
                  .SavePlans(batch.lease, std::vector<PlanRecord>{{"j1", "one"}}, Deadline::Never())
                  .ok());
  Settle(batch, {Failure("j1", FailureKind::kPermanent)});
  Enqueue({Job("j2")});
  EXPECT_EQ(ledger().RequeueDead("j1", "olga", Deadline::Never()).value(), 1U);
  EXPECT_EQ(Find("j1").attempts, 0U);
  EXPECT_FALSE(Find("j1").finished_at.has_value());
  const ClaimedBatch again = Claim();
  ASSERT_THAT(Ids(again), ElementsAre("j1"));
  EXPECT_EQ(again.jobs[0].plan, "one");
  EXPECT_EQ(ledger().RequeueDead("j1", "olga", Deadline::Never()).value(), 0U);
  EXPECT_EQ(ledger().RequeueDead("j9", "olga", Deadline::Never()).value(), 0U);
}

TEST_P(JobOutcomeContract, MatchingDeadLettersAreRequeuedTogether) {
  Bury({Job("j1"), Job("j2", "bo")}, "semantic");
  Bury({Job("j3", "cy")}, "episodic");
  EXPECT_EQ(ledger().RequeueDeadMatching({.tier = "semantic"}, "olga", Deadline::Never()).value(),
            2U);
  EXPECT_EQ(StateOf("j1"), JobState::kReady);
  EXPECT_EQ(StateOf("j2"), JobState::kReady);
  EXPECT_EQ(StateOf("j3"), JobState::kDead);
}

TEST_P(JobOutcomeContract, ADiscardedJobIsCancelledWithActorAndReason) {
  Bury({Job("j1")});
  EXPECT_EQ(ledger().DiscardDead("j1", "olga", "spam", Deadline::Never()).value(), 1U);
  const JobStatus status = Find("j1");
  EXPECT_EQ(status.state, JobState::kCancelled);
  EXPECT_THAT(status.last_error, AllOf(HasSubstr("olga"), HasSubstr("spam")));
  EXPECT_THAT(DeadIds(), IsEmpty());
  EXPECT_EQ(ledger().DiscardDead("j1", "olga", "spam", Deadline::Never()).value(), 0U);
  EXPECT_EQ(ledger().RequeueDead("j1", "olga", Deadline::Never()).value(), 0U);
}

TEST_P(JobOutcomeContract, ReflectingAgainMakesANewJobForEveryTurn) {
  const std::vector<AcceptedTurn> turns = Accept({Turn("t1"), Turn("t2"), Turn("t3", "bo")});
  const ClaimedBatch batch = Claim(1);
  MarkAll(batch);
  Settle(batch);
  clock().Advance(seconds(1));
  EXPECT_EQ(ledger().ReflectAgain(User("ana"), Deadline::Never()).value(), 2U);

  EXPECT_EQ(StateOf(turns[0].job_id), JobState::kDone);
  EXPECT_EQ(StateOf(turns[1].job_id), JobState::kCancelled);
  EXPECT_EQ(StateOf(turns[2].job_id), JobState::kReady);
  const std::string again = MakeJobId(User("ana"), "t1", 1);
  const JobStatus status = Find(again);
  EXPECT_EQ(status.state, JobState::kReady);
  EXPECT_EQ(status.job.generation, 1U);
  EXPECT_EQ(status.job.priority, Priority::kLow);
  EXPECT_EQ(status.tiers_done, 0);
  EXPECT_EQ(FreshnessOf("ana").pending, 2U);
  EXPECT_EQ(FreshnessOf("ana").reflected, 0U);
  EXPECT_TRUE(AcceptOne(Turn("t1")).duplicate);
  EXPECT_EQ(AcceptOne(Turn("t1")).job_id, again);
}

TEST_P(JobOutcomeContract, ReflectingAgainTakesTheJobsAwayFromTheWorkerThatHasThem) {
  Accept({Turn("t1")});
  const ClaimedBatch batch = Claim();
  EXPECT_EQ(ledger().ReflectAgain(User("ana"), Deadline::Never()).value(), 1U);
  EXPECT_EQ(ledger().Settle(batch.lease, {}, Deadline::Never()).error().code, ErrorCode::kAborted);
  EXPECT_THAT(Ids(Claim()), ElementsAre(MakeJobId(User("ana"), "t1", 1)));
}

TEST_P(JobOutcomeContract, AJobOfALaterGenerationTakesThePlaceOfTheEarlier) {
  const AcceptedTurn turn = AcceptOne(Turn("t1"));
  ReflectNext();
  ReflectionJob later = Job("later");
  later.interaction_id = "t1";
  later.generation = 1;
  Enqueue({later});
  EXPECT_EQ(StateOf(turn.job_id), JobState::kDone);
  EXPECT_EQ(FreshnessOf("ana").pending, 1U);
  const ClaimedBatch batch = Claim();
  EXPECT_THAT(Ids(batch), ElementsAre("later"));
  EXPECT_EQ(batch.jobs[0].job.interaction_id, "t1");
  ReflectionJob earlier = Job("earlier");
  earlier.interaction_id = "t1";
  Enqueue({earlier});
  EXPECT_FALSE(ledger().Find(kDefaultTenant, "earlier", Deadline::Never()).value().has_value());
}

TEST_P(JobOutcomeContract, AJobThatCameBeforeItsTurnIsThatTurnsJob) {
  ReflectionJob job = Job(MakeJobId(User("ana"), "t1"));
  job.interaction_id = "t1";
  Enqueue({job});
  const ClaimedBatch batch = Claim();
  ASSERT_THAT(Ids(batch), ElementsAre(job.job_id));
  ASSERT_TRUE(
      ledger()
          .SavePlans(batch.lease, std::vector<PlanRecord>{{job.job_id, "one"}}, Deadline::Never())
          .ok());
  const AcceptedTurn turn = AcceptOne(Turn("t1"));
  EXPECT_FALSE(turn.duplicate);
  EXPECT_EQ(turn.job_id, job.job_id);
  EXPECT_EQ(turn.state, JobState::kLeased);
  EXPECT_EQ(FreshnessOf("ana").pending, 1U);
  MarkAll(batch);
  EXPECT_EQ(Settle(batch).done, 1U);
  EXPECT_EQ(FreshnessOf("ana").reflected, 1U);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

}  // namespace
}  // namespace umbranet
