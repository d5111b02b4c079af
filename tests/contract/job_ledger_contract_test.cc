// Goal: every ledger keeps the promises written in ports/job_ledger.h: who gets which jobs, and
// what a lease is worth. What becomes of jobs that fail, and of dead ones, is in
// job_outcome_contract_test.cc.
// Method: one suite, run against each engine of LedgerEngines(). A harness owns a fresh ledger and
// turns its clock.
// Deliberate faults of the SQLite ledger, each with the test that turned red:
//   a claim does not mark its jobs leased: AJobIsHandedOutOnce
//   a claim ignores that the user is leased: NoTwoLiveLeasesHoldJobsOfOneUser
//   a claim takes users by key: TheUserWhoseMostUrgentJobIsDueFirstComesFirst
//   a batch is ordered by urgency: AnUrgentJobDoesNotPassTheOlderJobsOfItsUser
//   extending forgets the cap: NoLeaseIsExtendedPastItsCap
//   a second plan replaces the first: TheFirstPlanOfAJobStays
//   marking replaces the tiers that are done: TiersThatAreDoneStayDone
//   a reaped lease still counts: EveryCallWithALostLeaseIsAbortedAndChangesNothing
//   the fence starts over with the process: JobsSurviveTheEndOfTheProcessAndItsLeasesDoNot
//   leases outlive the process: JobsSurviveTheEndOfTheProcessAndItsLeasesDoNot
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class JobLedgerContract : public LedgerFixture {};

INSTANTIATE_TEST_SUITE_P(Engines, JobLedgerContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(JobLedgerContract, AnEmptyLedgerHasNothingToClaim) {
  EXPECT_FALSE(ledger().Claim(Options(), Deadline::Never()).value().has_value());
}

TEST_P(JobLedgerContract, AJobIsHandedOutOnce) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  EXPECT_THAT(Ids(batch), ElementsAre("j1"));
  EXPECT_EQ(batch.user, User("ana"));
  EXPECT_EQ(StateOf("j1"), JobState::kLeased);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

TEST_P(JobLedgerContract, AClaimedJobIsWhatWasEnqueued) {
  ReflectionJob job = Job("j1", "bo", Priority::kHigh);
  job.mode = RunMode::kInline;
  job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Enqueue({job});
  const ClaimedBatch batch = Claim();
  ASSERT_EQ(batch.jobs.size(), 1U);
  EXPECT_EQ(batch.jobs[0].job.user, job.user);
  EXPECT_EQ(batch.jobs[0].job.interaction_id, job.interaction_id);
  EXPECT_EQ(batch.jobs[0].job.priority, job.priority);
  EXPECT_EQ(batch.jobs[0].job.mode, job.mode);
  EXPECT_EQ(batch.jobs[0].job.traceparent, job.traceparent);
  EXPECT_EQ(batch.jobs[0].attempts, 0U);
  EXPECT_EQ(batch.jobs[0].tiers_done, 0);
  EXPECT_EQ(batch.jobs[0].plan, "");
}

TEST_P(JobLedgerContract, EnqueueingAJobAgainChangesNothing) {
  Enqueue({Job("j1")});
  Enqueue({Job("j1"), Job("j1")});
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1"));
  Enqueue({Job("j1")});
  EXPECT_EQ(StateOf("j1"), JobState::kLeased);
}

TEST_P(JobLedgerContract, ABatchHoldsTheJobsOfOneUserInTheOrderOfEnqueueing) {
  Enqueue({Job("a1", "ana"), Job("b1", "bo"), Job("a2", "ana"), Job("b2", "bo"), Job("a3", "ana")});
  EXPECT_THAT(Ids(Claim()), ElementsAre("a1", "a2", "a3"));
  EXPECT_THAT(Ids(Claim()), ElementsAre("b1", "b2"));
}

TEST_P(JobLedgerContract, ABatchIsNoLargerThanAskedFor) {
  Enqueue({Job("j1"), Job("j2"), Job("j3"), Job("j4"), Job("j5")});
  const ClaimedBatch batch = Claim(3);
  EXPECT_THAT(Ids(batch), ElementsAre("j1", "j2", "j3"));
  MarkAll(batch);
  Settle(batch);
  EXPECT_THAT(Ids(Claim(3)), ElementsAre("j4", "j5"));
}

TEST_P(JobLedgerContract, NoTwoLiveLeasesHoldJobsOfOneUser) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch first = Claim(1);
  EXPECT_THAT(Ids(first), ElementsAre("j1"));
  Enqueue({Job("j3", "ana", Priority::kHigh)});
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  EXPECT_FALSE(ledger().ClaimJob("j2", Options(), Deadline::Never()).value().has_value());
  Settle(first);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1", "j2", "j3"));
}

TEST_P(JobLedgerContract, TheSameUserIdInTwoTenantsIsTwoUsers) {
  ReflectionJob other = Job("j2");
  other.user.tenant = "north";
  Enqueue({Job("j1"), other});
  const ClaimedBatch first = Claim();
  EXPECT_THAT(Ids(first), ElementsAre("j1"));
  EXPECT_EQ(first.user.tenant, kDefaultTenant);
  const ClaimedBatch second = Claim();
  EXPECT_THAT(Ids(second), ElementsAre("j2"));
  EXPECT_EQ(second.user.tenant, "north");
}

TEST_P(JobLedgerContract, TheUserWhoseMostUrgentJobIsDueFirstComesFirst) {
  Enqueue({Job("low", "ana", Priority::kLow), Job("normal", "bo", Priority::kNormal)});
  clock().Advance(seconds(9));
  Enqueue({Job("high", "cy", Priority::kHigh)});
  EXPECT_THAT(Ids(Claim()), ElementsAre("high"));
  EXPECT_THAT(Ids(Claim()), ElementsAre("normal"));
  EXPECT_THAT(Ids(Claim()), ElementsAre("low"));
}

TEST_P(JobLedgerContract, ALowJobIsOvertakenOnlyByWhatComesWithinAMinute) {
  Enqueue({Job("low", "ana", Priority::kLow)});
  clock().Advance(seconds(61));
  Enqueue({Job("high", "bo", Priority::kHigh)});
  EXPECT_THAT(Ids(Claim()), ElementsAre("low"));
}

TEST_P(JobLedgerContract, AnUrgentJobDoesNotPassTheOlderJobsOfItsUser) {
  Enqueue({Job("j1", "ana", Priority::kLow), Job("j2", "bo")});
  Enqueue({Job("j3", "ana", Priority::kHigh)});
  EXPECT_THAT(Ids(Claim(1)), ElementsAre("j1"));
}

TEST_P(JobLedgerContract, WhatComesWhileAUserIsLeasedIsHandedOutAfterwards) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  Enqueue({Job("j2", "ana", Priority::kHigh)});
  MarkAll(batch);
  Settle(batch);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j2"));
}

TEST_P(JobLedgerContract, AJobIsClaimedByName) {
  Enqueue({Job("j1"), Job("j2"), Job("j3")});
  const auto batch = ledger().ClaimJob("j2", Options(), Deadline::Never()).value();
  ASSERT_TRUE(batch.has_value());
  EXPECT_THAT(Ids(*batch), ElementsAre("j2"));
  MarkAll(*batch);
  EXPECT_EQ(Settle(*batch).done, 1U);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1", "j3"));
}

TEST_P(JobLedgerContract, OnlyAReadyJobIsClaimedByName) {
  Enqueue({Job("j1")});
  EXPECT_FALSE(ledger().ClaimJob("j9", Options(), Deadline::Never()).value().has_value());
  FailNext(FailureKind::kTransient);
  EXPECT_FALSE(ledger().ClaimJob("j1", Options(), Deadline::Never()).value().has_value());
}

TEST_P(JobLedgerContract, EveryLeaseHasAHigherToken) {
  Enqueue({Job("a1", "ana"), Job("b1", "bo")});
  const ClaimedBatch first = Claim();
  const ClaimedBatch second = Claim();
  EXPECT_GT(first.lease.token, 0U);
  EXPECT_GT(second.lease.token, first.lease.token);
  Settle(first);
  EXPECT_GT(Claim().lease.token, second.lease.token);
}

TEST_P(JobLedgerContract, AJobWhoseWorkerDiedComesBackWhenItsLeaseExpires) {
  Enqueue({Job("j1")});
  Claim();
  clock().Advance(milliseconds(14'999));
  EXPECT_EQ(Sweep().expired, 0U);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  clock().Advance(milliseconds(1));
  EXPECT_EQ(Sweep().expired, 1U);
  EXPECT_EQ(Find("j1").crashes, 1U);
  EXPECT_EQ(Find("j1").attempts, 0U);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1"));
}

TEST_P(JobLedgerContract, AnExtendedLeaseOutlivesItsTerm) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  clock().Advance(seconds(10));
  EXPECT_TRUE(ledger().Extend(batch.lease, Deadline::Never()).ok());
  clock().Advance(milliseconds(14'999));
  EXPECT_EQ(Sweep().expired, 0U);
  clock().Advance(milliseconds(1));
  EXPECT_EQ(Sweep().expired, 1U);
}

TEST_P(JobLedgerContract, NoLeaseIsExtendedPastItsCap) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  for (int i = 0; i < 11; ++i) {
    clock().Advance(seconds(10));
    ASSERT_TRUE(ledger().Extend(batch.lease, Deadline::Never()).ok());
    ASSERT_EQ(Sweep().expired, 0U);
  }
  clock().Advance(seconds(10));
  EXPECT_EQ(Sweep().expired, 1U);
  EXPECT_EQ(ledger().Extend(batch.lease, Deadline::Never()).error().code, ErrorCode::kAborted);
}

TEST_P(JobLedgerContract, ALeaseCountsUntilItIsReaped) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  clock().Advance(seconds(20));
  MarkAll(batch);
  EXPECT_EQ(Settle(batch).done, 1U);
  EXPECT_EQ(Sweep().expired, 0U);
}

TEST_P(JobLedgerContract, EveryCallWithALostLeaseIsAbortedAndChangesNothing) {
  Enqueue({Job("j1")});
  const ClaimedBatch zombie = Claim();
  clock().Advance(seconds(15));
  Sweep();
  const ClaimedBatch owner = Claim();
  ASSERT_THAT(Ids(owner), ElementsAre("j1"));

  const std::vector<PlanRecord> plans = {{"j1", "the zombie's"}};
  const std::vector<TierProgress> progress = {{"j1", kAllReflectedTiers}};
  const std::vector<JobFailure> failures = {Failure("j1", FailureKind::kPermanent)};
  const Deadline never;
  EXPECT_EQ(ledger().Extend(zombie.lease, never).error().code, ErrorCode::kAborted);
  EXPECT_EQ(ledger().SavePlans(zombie.lease, plans, never).error().code, ErrorCode::kAborted);
  EXPECT_EQ(ledger().MarkTiersDone(zombie.lease, progress, never).error().code,
            ErrorCode::kAborted);
  EXPECT_EQ(ledger().Settle(zombie.lease, failures, never).error().code, ErrorCode::kAborted);
  EXPECT_EQ(ledger().Release(zombie.lease, never).error().code, ErrorCode::kAborted);

  EXPECT_EQ(StateOf("j1"), JobState::kLeased);
  EXPECT_EQ(Find("j1").tiers_done, 0);
  EXPECT_EQ(ledger()
                .SavePlans(owner.lease, std::vector<PlanRecord>{{"j1", "the owner's"}}, never)
                .value()
                .at(0)
                .plan,
            "the owner's");
}

TEST_P(JobLedgerContract, ALeaseThatWasReleasedOrSettledIsLost) {
  Enqueue({Job("j1")});
  const ClaimedBatch released = Claim();
  ASSERT_TRUE(ledger().Release(released.lease, Deadline::Never()).ok());
  EXPECT_EQ(ledger().Extend(released.lease, Deadline::Never()).error().code, ErrorCode::kAborted);
  const ClaimedBatch settled = Claim();
  Settle(settled);
  EXPECT_EQ(ledger().Settle(settled.lease, {}, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_EQ(ledger().Extend(Lease{}, Deadline::Never()).error().code, ErrorCode::kAborted);
}

TEST_P(JobLedgerContract, AReleasedBatchIsReadyAtOnceAndCountsNothing) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  MarkAll(batch, TierBit(Tier::kSemantic));
  ASSERT_TRUE(ledger().Release(batch.lease, Deadline::Never()).ok());
  const ClaimedBatch again = Claim();
  EXPECT_THAT(Ids(again), ElementsAre("j1", "j2"));
  EXPECT_EQ(again.jobs[0].attempts, 0U);
  EXPECT_EQ(again.jobs[0].tiers_done, TierBit(Tier::kSemantic));
  EXPECT_EQ(Find("j1").crashes, 0U);
}

TEST_P(JobLedgerContract, TheFirstPlanOfAJobStays) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  const std::string binary("\0plan\xff", 6);
  const auto save = [&](const std::vector<PlanRecord>& plans) {
    return ledger().SavePlans(batch.lease, plans, Deadline::Never()).value();
  };
  EXPECT_EQ(save({{"j2", binary}}).at(0).plan, binary);
  const std::vector<PlanRecord> in_force = save({{"j1", "one"}, {"j2", "another"}});
  ASSERT_EQ(in_force.size(), 2U);
  EXPECT_EQ(in_force[0].job_id, "j1");
  EXPECT_EQ(in_force[0].plan, "one");
  EXPECT_EQ(in_force[1].job_id, "j2");
  EXPECT_EQ(in_force[1].plan, binary);
}

TEST_P(JobLedgerContract, ASavedPlanComesWithTheNextClaim) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  ASSERT_TRUE(ledger()
                  .SavePlans(batch.lease, std::vector<PlanRecord>{{"j1", "one"}}, Deadline::Never())
                  .ok());
  clock().Advance(seconds(15));
  Sweep();
  const ClaimedBatch again = Claim();
  ASSERT_EQ(again.jobs.size(), 2U);
  EXPECT_EQ(again.jobs[0].plan, "one");
  EXPECT_EQ(again.jobs[1].plan, "");
}

TEST_P(JobLedgerContract, ACallThatNamesAJobOutsideTheLeaseChangesNothing) {
  Enqueue({Job("a1", "ana"), Job("b1", "bo")});
  const ClaimedBatch batch = Claim();
  ASSERT_THAT(Ids(batch), ElementsAre("a1"));
  const std::vector<PlanRecord> plans = {{"a1", "one"}, {"b1", "two"}};
  EXPECT_EQ(ledger().SavePlans(batch.lease, plans, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  const std::vector<TierProgress> progress = {{"a1", 1}, {"b1", 1}};
  EXPECT_EQ(ledger().MarkTiersDone(batch.lease, progress, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_EQ(Find("a1").tiers_done, 0);
  EXPECT_EQ(ledger()
                .SavePlans(batch.lease, std::vector<PlanRecord>{{"a1", "three"}}, Deadline::Never())
                .value()
                .at(0)
                .plan,
            "three");
}

TEST_P(JobLedgerContract, TiersThatAreDoneStayDone) {
  Enqueue({Job("j1")});
  const ClaimedBatch batch = Claim();
  MarkAll(batch, TierBit(Tier::kEpisodic));
  MarkAll(batch, TierBit(Tier::kProcedural));
  Settle(batch, {Failure("j1", FailureKind::kTransient, "graph is away", "semantic")});
  EXPECT_EQ(Find("j1").tiers_done, TierBit(Tier::kEpisodic) | TierBit(Tier::kProcedural));
  clock().Advance(seconds(36));
  Sweep();
  const ClaimedBatch again = Claim();
  ASSERT_EQ(again.jobs.size(), 1U);
  EXPECT_EQ(again.jobs[0].tiers_done, TierBit(Tier::kEpisodic) | TierBit(Tier::kProcedural));
}

TEST_P(JobLedgerContract, TheLedgersTimeStandsStillWhileTheClockIsBehindIt) {
  Enqueue({Job("j1")});
  Claim();
  clock().Advance(seconds(15));
  const Timestamp latest = clock().Now();
  Sweep();
  clock().SetWall(ManualClock::kStart - std::chrono::hours(5));
  const ClaimedBatch batch = Claim();
  ASSERT_THAT(Ids(batch), ElementsAre("j1"));
  Settle(batch, {Failure("j1")});
  EXPECT_GE(Find("j1").next_attempt_at, latest + seconds(24));
  Enqueue({Job("j2")});
  EXPECT_EQ(Find("j2").accepted_at, latest);
  clock().SetWall(latest + seconds(36));
  EXPECT_EQ(Sweep().promoted, 1U);
}

TEST_P(JobLedgerContract, AJobIsFoundByItsTenantAlone) {
  Enqueue({Job("j1")});
  EXPECT_TRUE(ledger().Find(kDefaultTenant, "j1", Deadline::Never()).value().has_value());
  EXPECT_FALSE(ledger().Find("north", "j1", Deadline::Never()).value().has_value());
  EXPECT_FALSE(ledger().Find(kDefaultTenant, "j2", Deadline::Never()).value().has_value());
}

TEST_P(JobLedgerContract, StatsCountTheJobsOfEachState) {
  Enqueue({Job("dead", "ana"), Job("waiting", "bo"), Job("leased", "cy"), Job("done", "di")});
  FailNext(FailureKind::kPermanent);
  FailNext(FailureKind::kTransient);
  const ClaimedBatch leased = Claim();
  ASSERT_THAT(Ids(leased), ElementsAre("leased"));
  ReflectNext();
  clock().Advance(seconds(3));
  Enqueue({Job("h", "ed", Priority::kHigh), Job("n", "ed"), Job("l", "ed", Priority::kLow),
           Job("l2", "flo", Priority::kLow)});
  const LedgerStats stats = ledger().Stats(Deadline::Never()).value();
  EXPECT_EQ(stats.ready_high, 1U);
  EXPECT_EQ(stats.ready_normal, 1U);
  EXPECT_EQ(stats.ready_low, 2U);
  EXPECT_EQ(stats.leased, 1U);
  EXPECT_EQ(stats.retry_wait, 1U);
  EXPECT_EQ(stats.dead, 1U);
  EXPECT_EQ(stats.oldest_ready_at, ManualClock::kStart + seconds(3));
  EXPECT_EQ(stats.oldest_unfinished_at, ManualClock::kStart);
}

TEST_P(JobLedgerContract, JobsSurviveTheEndOfTheProcessAndItsLeasesDoNot) {
  Enqueue({Job("j1"), Job("j2", "bo")});
  const ClaimedBatch first = Claim();
  ASSERT_TRUE(ledger()
                  .SavePlans(first.lease, std::vector<PlanRecord>{{"j1", "one"}}, Deadline::Never())
                  .ok());
  if (!harness_->Restart()) {
    GTEST_SKIP() << "this engine keeps nothing";
  }
  EXPECT_EQ(ledger().Extend(first.lease, Deadline::Never()).error().code, ErrorCode::kAborted);
  const ClaimedBatch again = Claim();
  ASSERT_THAT(Ids(again), ElementsAre("j1"));
  EXPECT_EQ(again.jobs[0].plan, "one");
  EXPECT_GT(again.lease.token, first.lease.token);
  EXPECT_EQ(Find("j1").crashes, 1U);
  EXPECT_THAT(Ids(Claim()), ElementsAre("j2"));
}

}  // namespace
}  // namespace umbranet
