// Goal: one user's backlog has a bound, and nobody else feels it. Method: a journal in memory whose
// turns nobody reflects but the test.
#include "umbranet/memory/waiting_cap.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/unreliable_journal.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();
const UserKey kHot{"default", "hot"};
const UserKey kOther{"default", "other"};

class WaitingCapTest : public testing::Test {
 protected:
  // As the routes do: first the cap, then the journal.
  bool Send(WaitingCap& cap, const UserKey& user, int turns = 1) {
    const Status admitted = cap.Admit(user, static_cast<std::uint64_t>(turns), kNever);
    if (!admitted.ok()) {
      EXPECT_EQ(admitted.error().code, ErrorCode::kResourceExhausted);
      EXPECT_TRUE(admitted.error().retry_after.has_value());
      return false;
    }
    for (int i = 0; i < turns; ++i) {
      Interaction turn;
      turn.interaction_id = std::to_string(++turns_);
      turn.user = user;
      turn.user_message = "hello";
      EXPECT_TRUE(journal_.Accept(std::vector{turn}, RunMode::kBackground, "", kNever).ok());
    }
    return true;
  }

  // How many came in before the first was refused, of at most `most`.
  int SendUntilRefused(WaitingCap& cap, const UserKey& user, int most = 10'000) {
    int sent = 0;
    while (sent < most && Send(cap, user)) {
      ++sent;
    }
    return sent;
  }

  // Whose batch it was.
  UserKey ReflectBatch() {
    const auto batch = ledger_.Claim({}, kNever).value();
    if (!batch.has_value()) {
      return {};
    }
    std::vector<TierProgress> progress;
    for (const ClaimedJob& claimed : batch->jobs) {
      progress.push_back({claimed.job.job_id, kAllReflectedTiers});
    }
    EXPECT_TRUE(ledger_.MarkTiersDone(batch->lease, progress, kNever).ok());
    EXPECT_TRUE(ledger_.Settle(batch->lease, {}, kNever).ok());
    return batch->user;
  }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  int turns_ = 0;
};

TEST_F(WaitingCapTest, RefusesAUserWithAsManyTurnsWaitingAsMayWaitAndNobodyElse) {
  WaitingCap cap(journal_, {.waiting_max = 40});
  EXPECT_EQ(SendUntilRefused(cap, kHot), 40);
  EXPECT_FALSE(Send(cap, kHot));
  EXPECT_TRUE(Send(cap, kOther));
  ReflectBatch();
  EXPECT_EQ(SendUntilRefused(cap, kHot), 10) << "what a batch has made room for";
}

TEST_F(WaitingCapTest, ARequestMayCarryAUserOverTheBoundOnce) {
  WaitingCap cap(journal_, {.waiting_max = 4});
  EXPECT_TRUE(Send(cap, kHot, 100)) << "or it could never be taken";
  EXPECT_FALSE(Send(cap, kHot));
}

TEST_F(WaitingCapTest, HoldsTheLowerBoundOnlyWhileTheQueueIsFarBehind) {
  bool behind = false;
  WaitingCap cap(journal_, {.waiting_max = 100, .waiting_max_behind = 8, .far_behind = [&behind] {
                              return behind;
                            }});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Send(cap, kHot)) << i;
  }
  behind = true;
  EXPECT_FALSE(Send(cap, kHot));
  EXPECT_EQ(SendUntilRefused(cap, kOther), 8);
  behind = false;
  EXPECT_TRUE(Send(cap, kHot));
}

TEST_F(WaitingCapTest, WithoutABoundAsManyComeAsWill) {
  WaitingCap cap(journal_, {.waiting_max = 0});
  EXPECT_EQ(SendUntilRefused(cap, kHot, 300), 300);
}

TEST_F(WaitingCapTest, AJournalThatIsAwayIsNoReasonToRefuse) {
  UnreliableJournal away(journal_);
  WaitingCap cap(away, {.waiting_max = 1});
  EXPECT_TRUE(Send(cap, kHot));
  EXPECT_FALSE(Send(cap, kHot));
  away.Set(UnreliableJournal::Fault::kAway);
  EXPECT_TRUE(cap.Admit(kHot, 1, kNever).ok());
}

TEST_F(WaitingCapTest, AHotUserKeepsTheOthersWaitingForHisCapAtMostAndOneWorkerAlone) {
  WaitingCap cap(journal_, {.waiting_max = 200});
  EXPECT_EQ(SendUntilRefused(cap, kHot), 200);
  ASSERT_TRUE(Send(cap, kOther));
  // A second worker gets to the other user at once, since the hot one has his batch already.
  const auto first = ledger_.Claim({}, kNever).value();
  const auto second = ledger_.Claim({}, kNever).value();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->user, kHot);
  EXPECT_EQ(second->user, kOther);
  EXPECT_TRUE(ledger_.Release(first->lease, kNever).ok());
  EXPECT_TRUE(ledger_.Release(second->lease, kNever).ok());
  // A worker alone, while the hot user sends whatever is let in: as many batches as the cap has.
  int batches = 1;
  while (ReflectBatch() != kOther && batches < 1'000) {
    clock_.Advance(Millis{100});
    SendUntilRefused(cap, kHot);
    ++batches;
  }
  EXPECT_LE(batches, 200 / 10 + 1);
}

}  // namespace
}  // namespace umbranet
