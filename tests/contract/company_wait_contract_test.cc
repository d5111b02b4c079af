// Goal: every ledger lets a user's jobs wait for company as ports/job_ledger.h says, and keeps why
// a plan is a lesser one.
// Method: one suite, run against each engine of LedgerEngines(), whose clock a test turns.
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

class CompanyWaitContract : public LedgerFixture {
 protected:
  std::vector<std::string> Gather(std::size_t jobs_max = 4) {
    ClaimOptions options = Options(jobs_max);
    options.gather = CompanyWait{.quiet = seconds(3), .wait_max = seconds(20)};
    auto batch = ledger().Claim(options, Deadline::Never());
    EXPECT_TRUE(batch.ok()) << batch.error().message;
    return batch.ok() && batch->has_value() ? Ids(**batch) : std::vector<std::string>();
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, CompanyWaitContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(CompanyWaitContract, JobsWaitUntilTheUserIsQuiet) {
  Enqueue({Job("j1")});
  clock().Advance(seconds(2));
  Enqueue({Job("j2")});
  clock().Advance(seconds(2));
  EXPECT_THAT(Gather(), IsEmpty());
  clock().Advance(seconds(1));
  EXPECT_THAT(Gather(), ElementsAre("j1", "j2"));
}

TEST_P(CompanyWaitContract, AJobWaitsNoLongerThanItMay) {
  // Some wait up to two fifths less, so that not all come due at once.
  for (int i = 0; i < 6; ++i) {
    Enqueue({Job("j" + std::to_string(i))});
    EXPECT_THAT(Gather(100), IsEmpty());
    clock().Advance(seconds(2));
  }
  for (int i = 6; i < 10; ++i) {
    Enqueue({Job("j" + std::to_string(i))});
    clock().Advance(seconds(2));
  }
  EXPECT_EQ(Gather(100).size(), 10U);
}

TEST_P(CompanyWaitContract, AFullBatchDoesNotWait) {
  Enqueue({Job("j1"), Job("j2"), Job("j3")});
  EXPECT_THAT(Gather(), IsEmpty());
  Enqueue({Job("j4"), Job("j5")});
  EXPECT_THAT(Gather(), ElementsAre("j1", "j2", "j3", "j4"));
}

TEST_P(CompanyWaitContract, AnUrgentJobDoesNotWaitAndTakesTheOthersAlong) {
  Enqueue({Job("j1")});
  Enqueue({Job("j2", "ana", Priority::kHigh)});
  EXPECT_THAT(Gather(), ElementsAre("j1", "j2"));
}

TEST_P(CompanyWaitContract, OneUserWaitsForNoOther) {
  Enqueue({Job("j1", "ana")});
  Enqueue({Job("j2", "bo", Priority::kHigh)});
  EXPECT_THAT(Gather(), ElementsAre("j2"));
  EXPECT_THAT(Gather(), IsEmpty());
  clock().Advance(seconds(3));
  EXPECT_THAT(Gather(), ElementsAre("j1"));
}

TEST_P(CompanyWaitContract, AMultitudeThatWaitsHidesNobody) {
  for (int user = 0; user < 300; ++user) {
    const std::string name = std::to_string(user);
    Enqueue({Job("w" + name, "waiting" + name)});
  }
  EXPECT_THAT(Gather(), IsEmpty());
  Enqueue({Job("j1"), Job("j2", "bo", Priority::kHigh)});
  EXPECT_THAT(Gather(), ElementsAre("j2"));
  Enqueue({Job("j3"), Job("j4"), Job("j5")});
  clock().Advance(milliseconds(500));
  EXPECT_THAT(Gather(), ElementsAre("j1", "j3", "j4", "j5"));
  EXPECT_THAT(Gather(), IsEmpty());
  clock().Advance(milliseconds(2'500));
  std::size_t claimed = 0;
  while (!Gather().empty()) {
    ++claimed;
  }
  EXPECT_EQ(claimed, 300U);
}

TEST_P(CompanyWaitContract, WhoeverDoesNotGatherTakesWhatIsReady) {
  Enqueue({Job("j1")});
  EXPECT_THAT(Gather(), IsEmpty());
  EXPECT_THAT(Ids(Claim()), ElementsAre("j1"));
}

TEST_P(CompanyWaitContract, AJobThatComesBackAloneDoesNotWait) {
  Enqueue({Job("j1")});
  FailNext(FailureKind::kTransient);
  clock().Advance(seconds(60));
  Sweep();
  EXPECT_THAT(Gather(), ElementsAre("j1"));
}

TEST_P(CompanyWaitContract, AJobSaysWhyItsPlanIsALesserOne) {
  Enqueue({Job("j1"), Job("j2")});
  const ClaimedBatch batch = Claim();
  ASSERT_TRUE(ledger()
                  .SavePlans(batch.lease,
                             std::vector<PlanRecord>{{"j1", "one", "timeout"}, {"j2", "two"}},
                             Deadline::Never())
                  .ok());
  EXPECT_EQ(Find("j1").fallback, "timeout");
  EXPECT_EQ(Find("j2").fallback, "");
  // The first plan stays, and so does what is said of it.
  ASSERT_TRUE(ledger()
                  .SavePlans(batch.lease,
                             std::vector<PlanRecord>{{"j1", "other", "refused"},
                                                     {"j2", "other", "refused"}},
                             Deadline::Never())
                  .ok());
  MarkAll(batch);
  Settle(batch);
  EXPECT_EQ(Find("j1").fallback, "timeout");
  EXPECT_EQ(Find("j2").fallback, "");
}

TEST_P(CompanyWaitContract, AJobThatGaveWayToALaterOneStillSaysIt) {
  const AcceptedTurn turn = AcceptOne(Turn("t1"));
  const ClaimedBatch batch = Claim();
  ASSERT_TRUE(ledger()
                  .SavePlans(batch.lease, std::vector<PlanRecord>{{turn.job_id, "one", "away"}},
                             Deadline::Never())
                  .ok());
  MarkAll(batch);
  Settle(batch);
  ASSERT_EQ(ledger().ReflectAgain(User("ana"), Deadline::Never()).value(), 1U);
  EXPECT_EQ(Find(turn.job_id).fallback, "away");
  EXPECT_EQ(Find(MakeJobId(User("ana"), "t1", 1)).fallback, "");
}

}  // namespace
}  // namespace umbranet
