// Goal: a question about many jobs at once is answered as JobLedger::Find answers it for each.
// Method: jobs that wait, are done, and were replaced by a later generation, beside one that never
// was, in one question.
#include "umbranet/adapters/postgres/known_jobs.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"

#include "tests/integration/postgres_harness.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};

TEST(KnownJobs, AreThoseThatTheLedgerFindsWhateverBecameOfThem) {
  if (const std::string missing = MissingPostgres(); !missing.empty()) {
    GTEST_SKIP() << missing;
  }
  const PostgresSchema schema;
  const std::unique_ptr<PostgresPool> pool = schema.OpenPool();
  const auto store = PostgresLedgerStore::Open(*pool, {}).value();
  PostgresJournal journal(*store);
  PostgresJobLedger ledger(*store);
  const auto accept = [&](const std::string& id) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = kAna;
    return journal.Accept(std::vector<Interaction>{turn}, RunMode::kBackground, "", kNever).ok();
  };
  ASSERT_TRUE(accept("t1"));
  const auto batch = ledger.Claim({.worker = "w"}, kNever).value();
  ASSERT_TRUE(batch.has_value());
  const std::vector<TierProgress> progress = {
      {.job_id = MakeJobId(kAna, "t1"), .done = kAllReflectedTiers}};
  ASSERT_TRUE(ledger.MarkTiersDone(batch->lease, progress, kNever).ok());
  ASSERT_TRUE(ledger.Settle(batch->lease, {}, kNever).ok());
  ASSERT_EQ(ledger.ReflectAgain(kAna, kNever).value(), 1U);
  ASSERT_TRUE(accept("t2"));

  const std::vector<std::string> asked = {MakeJobId(kAna, "t3"), MakeJobId(kAna, "t2"),
                                          MakeJobId(kAna, "t1"), MakeJobId(kAna, "t1", 1),
                                          MakeJobId({"other", "ana"}, "t1")};
  EXPECT_THAT(FindKnownJobs(*store, asked, kNever).value(),
              ElementsAre(false, true, true, true, false));
  for (std::size_t i = 0; i + 1 < asked.size(); ++i) {
    EXPECT_EQ(ledger.Find(kAna.tenant, asked[i], kNever).value().has_value(), i > 0) << i;
  }
  EXPECT_THAT(FindKnownJobs(*store, {}, kNever).value(), IsEmpty());
}

}  // namespace
}  // namespace umbranet
