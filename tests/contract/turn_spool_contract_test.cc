// Goal: every spool keeps the promises written in ports/turn_spool.h.
// Method: one suite over the SQLite spool and its twin in memory.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_turn_spool.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/in_memory_turn_spool.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Deadline kNever = Deadline::Never();

struct SpoolEngine {
  std::string name;
  std::function<std::unique_ptr<TurnSpool>(const Clock&, const std::string& folder)> open;
  bool durable = false;
};

void PrintTo(const SpoolEngine& engine, std::ostream* out) {
  *out << engine.name;
}

class TurnSpoolContract : public testing::TestWithParam<SpoolEngine> {
 protected:
  TurnSpoolContract() : folder_(testing::TempDir() + "umbranet-" + RandomHex(8)) {
    spool_ = GetParam().open(clock_, folder_);
  }

  ~TurnSpoolContract() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  static Interaction Turn(const std::string& id, const std::string& user = "ana") {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {std::string(kDefaultTenant), user};
    turn.occurred_at = ManualClock::kStart;
    turn.accepted_at = ManualClock::kStart;
    turn.user_message = "I said " + id;
    return turn;
  }

  AcceptedTurn Accept(const Interaction& turn, RunMode mode = RunMode::kBackground) {
    return spool_->turns()
        .Accept(std::vector{turn}, mode, "trace-" + turn.interaction_id, kNever)
        .value()
        .front();
  }

  std::vector<std::string> OldestIds(std::size_t limit = 100) {
    std::vector<std::string> ids;
    const std::vector<SpooledTurn> turns = spool_->ReadOldest(limit, kNever).value();
    for (const SpooledTurn& turn : turns) {
      ids.push_back(turn.turn.interaction_id);
    }
    return ids;
  }

  std::vector<std::int64_t> Forward(const std::vector<std::int64_t>& sequences) {
    return spool_->MarkForwarded(sequences, kNever).value();
  }

  ManualClock clock_;
  const std::string folder_;
  std::unique_ptr<TurnSpool> spool_;
};

TEST_P(TurnSpoolContract, WhatWaitsComesInTheOrderOfAcceptanceAcrossUsers) {
  Accept(Turn("a"));
  Accept(Turn("b", "ben"));
  Accept(Turn("c"));
  EXPECT_THAT(OldestIds(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(OldestIds(2), ElementsAre("a", "b"));
}

TEST_P(TurnSpoolContract, ATurnKeepsItsModeItsTraceAndItsTimes) {
  Accept(Turn("a"), RunMode::kInline);
  const std::vector<SpooledTurn> turns = spool_->ReadOldest(10, kNever).value();
  ASSERT_THAT(turns, SizeIs(1));
  EXPECT_EQ(turns[0].mode, RunMode::kInline);
  EXPECT_EQ(turns[0].traceparent, "trace-a");
  EXPECT_EQ(turns[0].turn.accepted_at, ManualClock::kStart);
  EXPECT_EQ(turns[0].turn.user_message, "I said a");
}

TEST_P(TurnSpoolContract, ATurnIsMarkedAsForwardedOnce) {
  const AcceptedTurn a = Accept(Turn("a"));
  const AcceptedTurn b = Accept(Turn("b"));
  EXPECT_THAT(Forward({a.sequence}), ElementsAre(a.sequence));
  EXPECT_THAT(Forward({a.sequence, b.sequence}), ElementsAre(b.sequence));
  EXPECT_THAT(OldestIds(), IsEmpty());
}

TEST_P(TurnSpoolContract, AForwardedTurnCanStillBeReadForAWhile) {
  const AcceptedTurn a = Accept(Turn("a"));
  Forward({a.sequence});
  const UserKey ana = Turn("a").user;
  const std::vector<std::int64_t> sequences{a.sequence};
  EXPECT_EQ(spool_->Purge(Millis{10'000}, kNever).value(), 0U);
  EXPECT_THAT(spool_->turns().ReadAt(ana, sequences, kNever).value(), SizeIs(1));
  EXPECT_THAT(spool_->turns().Unreflected(ana, 10, kNever).value(), IsEmpty());
  clock_.Advance(Millis{10'000});
  EXPECT_EQ(spool_->Purge(Millis{10'000}, kNever).value(), 1U);
  EXPECT_THAT(spool_->turns().ReadAt(ana, sequences, kNever).value(), IsEmpty());
  EXPECT_EQ(spool_->turns().ReadFreshness(ana, kNever).value().accepted, 0U);
}

TEST_P(TurnSpoolContract, ARefusedTurnStaysAndWaitsAgainWhenAskedTo) {
  const AcceptedTurn a = Accept(Turn("a"));
  EXPECT_TRUE(spool_->MarkRefused(a.sequence, "not to be stored", kNever).value());
  EXPECT_FALSE(spool_->MarkRefused(a.sequence, "again", kNever).value());
  EXPECT_THAT(OldestIds(), IsEmpty());
  EXPECT_EQ(spool_->Stats(kNever).value().refused, 1U);
  const auto found = spool_->Find(kDefaultTenant, a.job_id, kNever).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->last_error, "not to be stored");
  EXPECT_EQ(spool_->RetryRefused(kNever).value(), 1U);
  EXPECT_THAT(OldestIds(), ElementsAre("a"));
}

TEST_P(TurnSpoolContract, TheNumbersAreOfWhatWaits) {
  EXPECT_FALSE(spool_->Stats(kNever).value().oldest_at.has_value());
  const AcceptedTurn a = Accept(Turn("a"));
  Accept(Turn("b"));
  Accept(Turn("c", "ben"));
  Forward({a.sequence});
  const SpoolStats stats = spool_->Stats(kNever).value();
  EXPECT_EQ(stats.waiting, 2U);
  EXPECT_EQ(stats.oldest_at, ManualClock::kStart);
  const auto users = spool_->WaitingByUser(kNever).value();
  EXPECT_EQ(users.at(Turn("b").user), 1U);
  EXPECT_EQ(users.at(Turn("c", "ben").user), 1U);
}

TEST_P(TurnSpoolContract, AJobIsFoundByItsTenantWhileItsTurnWaits) {
  const AcceptedTurn a = Accept(Turn("a"));
  const auto found = spool_->Find(kDefaultTenant, a.job_id, kNever).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->state, JobState::kSpooled);
  EXPECT_EQ(found->job.interaction_id, "a");
  EXPECT_FALSE(spool_->Find("another", a.job_id, kNever).value().has_value());
  Forward({a.sequence});
  EXPECT_FALSE(spool_->Find(kDefaultTenant, a.job_id, kNever).value().has_value());
}

TEST_P(TurnSpoolContract, ForgettingAUserTakesWhatWaits) {
  const AcceptedTurn a = Accept(Turn("a"));
  Accept(Turn("b", "ben"));
  EXPECT_EQ(spool_->turns().EraseUser(Turn("a").user, kNever).value().jobs_cancelled, 1U);
  EXPECT_THAT(OldestIds(), ElementsAre("b"));
  EXPECT_THAT(Forward({a.sequence}), IsEmpty());
}

TEST_P(TurnSpoolContract, WhatWaitsIsThereAfterTheProcessWasThere) {
  if (!GetParam().durable) {
    GTEST_SKIP() << "keeps nothing";
  }
  const AcceptedTurn a = Accept(Turn("a"));
  Accept(Turn("b"));
  Forward({a.sequence});
  spool_.reset();
  spool_ = GetParam().open(clock_, folder_);
  EXPECT_THAT(OldestIds(), ElementsAre("b"));
  EXPECT_GT(Accept(Turn("c")).sequence, a.sequence + 1);
}

INSTANTIATE_TEST_SUITE_P(
    Engines, TurnSpoolContract,
    testing::Values(SpoolEngine{"InMemory",
                                [](const Clock& clock, const std::string&) {
                                  return std::make_unique<InMemoryTurnSpool>(clock);
                                }},
                    SpoolEngine{"Sqlite",
                                [](const Clock& clock, const std::string& folder) {
                                  return SqliteTurnSpool::OpenFirstFree(clock, folder, {}).value();
                                },
                                true}),
    [](const auto& instance) { return instance.param.name; });

TEST(SqliteTurnSpool, EachProcessTakesAFileOfItsOwn) {
  const ManualClock clock;
  const std::string folder = testing::TempDir() + "umbranet-" + RandomHex(8);
  auto first = SqliteTurnSpool::OpenFirstFree(clock, folder, {}).value();
  {
    const auto second = SqliteTurnSpool::OpenFirstFree(clock, folder, {}).value();
    EXPECT_NE(first->path(), second->path());
    EXPECT_THAT(SqliteTurnSpool::ListFiles(folder), ElementsAre(first->path(), second->path()));
  }
  const std::string freed = first->path();
  first.reset();
  EXPECT_EQ(SqliteTurnSpool::OpenFirstFree(clock, folder, {}).value()->path(), freed);
  std::filesystem::remove_all(folder);
}

TEST(SqliteTurnSpool, TakesNoTurnIntoTheReserveOfTheDisk) {
  const ManualClock clock;
  const std::string folder = testing::TempDir() + "umbranet-" + RandomHex(8);
  SqliteTurnSpool::Options options;
  options.reserve_bytes = std::uint64_t{1} << 62U;
  const auto spool = SqliteTurnSpool::OpenFirstFree(clock, folder, options).value();
  Interaction turn;
  turn.interaction_id = "a";
  turn.user = {"default", "ana"};
  const auto accepted = spool->turns().Accept(std::vector{turn}, RunMode::kBackground, "", kNever);
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code, ErrorCode::kStorageFull);
  EXPECT_TRUE(accepted.error().retry_after.has_value());
  EXPECT_EQ(spool->Probe(kNever).error().code, ErrorCode::kStorageFull);
  EXPECT_TRUE(spool->turns().EraseUser(turn.user, kNever).ok()) << "forgetting needs the reserve";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace umbranet
