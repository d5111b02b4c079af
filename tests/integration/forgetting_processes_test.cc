// Goal: forgetting by one process reaches what the others hold, and none of them misses one, though
// forgettings of different users commit beside each other.
// Method: pools over the real server stand for processes.
//
// Deliberate faults that it has caught, each made in adapters/postgres and taken back:
//   - times are not worked out under a lock     NoForgettingIsMissedThoughTheyCommitBesideEachOther
//   - the cache of episodes is not let go of    WhatAnotherProcessHoldsOfAUserGoesWithItsNextLook
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_episodic_memory.h"
#include "umbranet/adapters/postgres/postgres_forgetting_record.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/forgetting_watch.h"

#include "tests/integration/postgres_world.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};

struct Process {
  explicit Process(const PostgresSchema& schema)
      : pool(schema.OpenPool()),
        store(PostgresLedgerStore::Open(*pool, {}).value()),
        journal(*store),
        record(*store),
        episodic(*pool) {}

  void Forget(const UserKey& user) {
    const auto erased = journal.EraseUser(user, kNever);
    EXPECT_TRUE(erased.ok()) << erased.error().message;
  }

  std::unique_ptr<PostgresPool> pool;
  std::unique_ptr<PostgresLedgerStore> store;
  PostgresJournal journal;
  PostgresForgettingRecord record;
  PostgresEpisodicMemory episodic;
};

class ForgettingProcesses : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    schema_.emplace();
  }

  static void Reflect(PostgresWorld& world, const std::string& said) {
    Interaction turn;
    turn.interaction_id = "t";
    turn.user = kAna;
    turn.user_message = said;
    turn = world.Accept(std::move(turn));
    ReflectionPlan plan;
    plan.job_id = MakeJobId(kAna, turn.interaction_id);
    plan.interaction_id = turn.interaction_id;
    plan.user = kAna;
    plan.session_id = turn.session_id;
    plan.sequence = turn.sequence;
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = said, .event_times = {}});
    const std::vector<ReflectionPlan> plans{plan};
    const Lease lease = world.Claim(plans);
    const Status applied = world.episodic().Apply(plans, lease, kNever);
    EXPECT_TRUE(applied.ok()) << applied.error().message;
    world.Release(lease);
  }

  const SystemClock clock_;
  std::optional<BorrowedPostgresSchema> schema_;
};

TEST_F(ForgettingProcesses, WhatAnotherProcessHoldsOfAUserGoesWithItsNextLook) {
  PostgresWorld asked;
  Process other(asked.schema());
  LedgerClock ledger_clock(clock_);
  std::vector<std::string> let_go;
  ForgettingWatch watch(clock_, other.record, ledger_clock,
                        {[&](const UserKey& user, Deadline deadline) {
                           let_go.push_back(user.user_id);
                           return other.episodic.LetGo(user, deadline);
                         },
                         [&] { other.episodic.LetGoOfAll(); }},
                        {});
  ASSERT_TRUE(watch.Look(kNever).ok());
  Reflect(asked, "I planted tomatoes.");
  EpisodeQuery query;
  query.user = kAna;
  query.terms = AnalyzeTerms("tomatoes");
  query.candidates_max = 10;
  EXPECT_EQ(other.episodic.Find(query, kNever).value().candidates.size(), 1U);
  const std::size_t held = other.episodic.HeldBytes();
  EXPECT_GT(held, 0U);
  asked.ForgetTurns(kAna);
  EXPECT_EQ(other.episodic.HeldBytes(), held) << "nobody has told it";
  ASSERT_TRUE(watch.Look(kNever).ok());
  EXPECT_THAT(let_go, ElementsAre("ana"));
  EXPECT_EQ(other.episodic.HeldBytes(), 0U);
}

TEST_F(ForgettingProcesses, NoForgettingIsMissedThoughTheyCommitBesideEachOther) {
  constexpr int kThreads = 4;
  constexpr int kUsersEach = 60;
  Process watching(**schema_);
  std::vector<std::unique_ptr<Process>> forgetting;
  for (int i = 0; i < kThreads; ++i) {
    forgetting.push_back(std::make_unique<Process>(**schema_));
  }
  std::atomic<int> running = kThreads;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int user = 0; user < kUsersEach; ++user) {
        forgetting[static_cast<std::size_t>(i)]->Forget(
            {"default", std::to_string(i) + "-" + std::to_string(user)});
      }
      --running;
    });
  }
  std::set<std::string> seen;
  Timestamp place{};
  for (bool last = false; !last;) {
    last = running == 0;
    const auto news = watching.record.After(place, 1'000, kNever);
    ASSERT_TRUE(news.ok()) << news.error().message;
    for (const Forgetting& each : news->forgettings) {
      EXPECT_GT(each.at, place);
      place = each.at;
      seen.insert(each.user.user_id);
    }
  }
  EXPECT_EQ(seen.size(), std::size_t{kThreads * kUsersEach});
}

TEST_F(ForgettingProcesses, TheLedgersTimeIsTheServers) {
  Process process(**schema_);
  const auto news = process.record.After(Timestamp{}, 1, kNever);
  ASSERT_TRUE(news.ok()) << news.error().message;
  ASSERT_TRUE(news->ledger_time.has_value());
  const auto apart = *news->ledger_time - clock_.Now();
  EXPECT_LT(std::chrono::abs(apart), std::chrono::minutes(1)) << "of this very machine";
}

}  // namespace
}  // namespace umbranet
