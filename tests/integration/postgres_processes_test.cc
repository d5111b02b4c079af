// Goal: any number of processes work on one ledger: no user is in two hands at once, nothing is
// done twice or lost or out of order, and the jobs of a process that is gone are taken over without
// waiting for its leases.
// Method: pools stand for processes, as each has sessions of its own; a proxy in front of one lets
// it be cut off. The ledger's clock stands still where a takeover must not come from time.
#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/adapters/postgres/postgres_lease_fence.h"

#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/postgres_harness.h"

namespace umbranet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const Deadline kNever = Deadline::Never();

// A process of its own, as far as the server can tell.
struct Process {
  explicit Process(std::unique_ptr<PostgresPool> its_pool, const Clock* clock = nullptr)
      : pool(std::move(its_pool)) {
    PostgresLedgerStore::Options options;
    options.clock = clock;
    store = PostgresLedgerStore::Open(*pool, options).value();
    journal = std::make_unique<PostgresJournal>(*store);
    ledger = std::make_unique<PostgresJobLedger>(*store);
  }

  std::unique_ptr<PostgresPool> pool;
  std::unique_ptr<PostgresLedgerStore> store;
  std::unique_ptr<PostgresJournal> journal;
  std::unique_ptr<PostgresJobLedger> ledger;
};

class PostgresProcesses : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    schema_.emplace();
  }

  static Interaction Turn(const std::string& id, const std::string& user) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {"default", user};
    turn.user_message = "I planted tomatoes.";
    return turn;
  }

  static Result<std::vector<AcceptedTurn>> Accept(Process& process, const std::string& id,
                                                  const std::string& user,
                                                  Deadline deadline = kNever) {
    const std::vector<Interaction> turns = {Turn(id, user)};
    return process.journal->Accept(turns, RunMode::kBackground, "", deadline);
  }

  std::unique_ptr<PostgresPool> Through(const TcpFaultProxy& proxy) const {
    return PostgresPool::Open(schema_->OptionsAt("127.0.0.1", proxy.port())).value();
  }

  // Sweeps until leases were reaped; how many.
  std::uint64_t SweepUntilReaped(Process& process) {
    const Deadline patience = Deadline::After(clock_, seconds(30));
    std::uint64_t expired = 0;
    while (expired == 0 && !patience.Expired()) {
      expired = process.ledger->Sweep(kNever).value().expired;
    }
    return expired;
  }

  const SystemClock clock_;
  const ManualClock still_;
  std::optional<PostgresSchema> schema_;
};

TEST_F(PostgresProcesses, NoUserIsEverInTwoHandsAndEveryTurnIsDoneOnceInOrder) {
  constexpr int kProcesses = 4;
  constexpr int kUsers = 12;
  constexpr int kTurns = 40;  // Of each user.
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < kProcesses; ++i) {
    processes.push_back(std::make_unique<Process>(schema_->OpenPool(6)));
  }
  std::array<std::atomic<int>, kUsers> holders{};
  std::array<std::atomic<std::int64_t>, kUsers> latest{};
  std::atomic<int> overlaps{0};
  std::atomic<int> disorders{0};
  std::atomic<int> done{0};
  std::vector<std::jthread> threads;
  for (int p = 0; p < 2; ++p) {
    threads.emplace_back([&, p] {
      for (int i = p; i < kTurns * kUsers; i += 2) {
        EXPECT_TRUE(Accept(*processes[static_cast<std::size_t>(p)], "t" + std::to_string(i),
                           std::to_string(i / 2 % kUsers))
                        .ok());
      }
    });
  }
  const Deadline patience = Deadline::After(clock_, seconds(60));
  for (int w = 0; w < 3 * kProcesses; ++w) {
    threads.emplace_back([&, w] {
      PostgresJobLedger& ledger = *processes[static_cast<std::size_t>(w % kProcesses)]->ledger;
      while (done < kTurns * kUsers && !patience.Expired()) {
        const auto batch = ledger.Claim({.worker = "w" + std::to_string(w)}, kNever).value();
        if (!batch.has_value()) {
          continue;
        }
        const auto user = static_cast<std::size_t>(std::stoi(batch->user.user_id));
        overlaps += holders[user]++ == 0 ? 0 : 1;
        std::vector<TierProgress> progress;
        std::vector<std::string> ids;
        for (const ClaimedJob& job : batch->jobs) {
          progress.push_back({job.job.job_id, kAllReflectedTiers});
          ids.push_back(job.job.interaction_id);
        }
        const auto turns = processes[0]->journal->Read(batch->user, ids, kNever).value();
        for (const Interaction& turn : turns) {
          disorders += latest[user].exchange(turn.sequence) < turn.sequence ? 0 : 1;
        }
        EXPECT_TRUE(ledger.MarkTiersDone(batch->lease, progress, kNever).ok());
        --holders[user];
        done += static_cast<int>(ledger.Settle(batch->lease, {}, kNever).value().done);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(done, kTurns * kUsers) << "stranded";
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(disorders, 0);
  const LedgerStats stats = processes[0]->ledger->Stats(kNever).value();
  EXPECT_EQ(stats.ready_normal + stats.leased + stats.retry_wait + stats.dead, 0U);
  for (int user = 0; user < kUsers; ++user) {
    EXPECT_EQ(processes[1]
                  ->journal->ReadFreshness({"default", std::to_string(user)}, kNever)
                  .value()
                  .reflected,
              static_cast<std::uint64_t>(kTurns));
  }
}

TEST_F(PostgresProcesses, TheJobsOfAProcessThatIsGoneAreTakenOverWithoutWaitingForItsLeases) {
  const std::string url_host = "127.0.0.1";
  TcpFaultProxy proxy(url_host, schema_->ServerPort());
  Process gone(Through(proxy), &still_);
  Process heir(schema_->OpenPool(), &still_);
  ASSERT_TRUE(Accept(heir, "t1", "ana").ok());
  const auto batch = gone.ledger->Claim({.worker = "w1"}, kNever).value();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(heir.ledger->Sweep(kNever).value().expired, 0U) << "it lives";
  proxy.Refuse();
  EXPECT_EQ(SweepUntilReaped(heir), 1U);
  const auto again = heir.ledger->Claim({.worker = "w2"}, kNever).value();
  ASSERT_TRUE(again.has_value());
  const std::string job_id = again->jobs.at(0).job.job_id;
  EXPECT_THAT(heir.ledger->Find("default", job_id, kNever).value()->history.at(0).error,
              HasSubstr("w1"));

  // Back from the dead, it is told so.
  proxy.Restore();
  const std::vector<TierProgress> progress = {{job_id, kAllReflectedTiers}};
  EXPECT_EQ(gone.ledger->MarkTiersDone(batch->lease, progress, kNever).error().code,
            ErrorCode::kAborted);
  const auto fence = [&](const Lease& lease) {
    const std::vector<std::string> ids = {job_id};
    return gone.pool->Transact(
        kNever, PostgresIsolation::kReadCommitted,
        [&](PostgresConnection& connection) { return CheckLease(connection, lease, ids); });
  };
  EXPECT_EQ(fence(batch->lease).error().code, ErrorCode::kAborted);
  EXPECT_TRUE(fence(again->lease).ok());
}

TEST_F(PostgresProcesses, AProcessThatLostItsSessionsForAMomentKeepsItsLeases) {
  Process process(schema_->OpenPool(), &still_);
  Process other(schema_->OpenPool(), &still_);
  const auto number = process.store->worker_number();
  ASSERT_TRUE(number.has_value());
  // Of the server's process that holds the lock on that number; 0: none does.
  const auto holder = [&] {
    return other.pool
        ->Read(kNever,
               [&](PostgresConnection& connection) -> Result<std::int64_t> {
                 UMBRANET_ASSIGN_OR_RETURN(
                     const PostgresRows rows,
                     connection.Query("SELECT COALESCE(max(pid), 0) FROM pg_locks"
                                      " WHERE locktype = 'advisory' AND granted"
                                      " AND objid::bigint = $1 AND classid::bigint ="
                                      " hashtext('umbranet worker ' || current_schema())::bigint"
                                      " & 4294967295",
                                      *number));
                 return rows[0].Int(0);
               })
        .value();
  };
  const std::int64_t before = holder();
  ASSERT_NE(before, 0);
  const auto ended = other.pool->Run(kNever, [&](PostgresConnection& connection) {
    return connection.Query("SELECT pg_terminate_backend($1::int)", before);
  });
  ASSERT_TRUE(ended.ok()) << ended.error().message;
  // It notices by itself, and takes its number again.
  const Deadline patience = Deadline::After(clock_, seconds(20));
  std::int64_t after = before;
  while ((after == before || after == 0 || process.store->worker_number() != number) &&
         !patience.Expired()) {
    after = holder();
  }
  EXPECT_EQ(process.store->worker_number(), number);
  ASSERT_TRUE(Accept(process, "t1", "ana").ok());
  ASSERT_TRUE(process.ledger->Claim({.worker = "w1"}, kNever).value().has_value());
  EXPECT_EQ(other.ledger->Sweep(kNever).value().expired, 0U);
}

TEST_F(PostgresProcesses, OnlyOneSweepsAtATime) {
  Process process(schema_->OpenPool());
  ASSERT_TRUE(Accept(process, "t1", "ana").ok());
  ASSERT_TRUE(process.ledger->Claim({.lease = Millis{0}, .worker = "w"}, kNever)->has_value());
  const auto other = process.pool->OpenSession(kNever).value();
  other->set_deadline(kNever);
  ASSERT_TRUE(other
                  ->Query("SELECT pg_advisory_lock(hashtext('umbranet sweep'),"
                          " hashtext(current_schema()))")
                  .ok());
  EXPECT_EQ(process.ledger->Sweep(kNever).value().expired, 0U);
  ASSERT_TRUE(other->Query("SELECT pg_advisory_unlock_all()").ok());
  EXPECT_EQ(process.ledger->Sweep(kNever).value().expired, 1U);
}

TEST_F(PostgresProcesses, ASweepTellsThePlannerOfTablesThatHaveGrown) {
  Process process(schema_->OpenPool());
  const auto known_rows = [&] {
    return process.pool
        ->Ask(kNever,
              "SELECT c.reltuples::bigint FROM pg_class c JOIN pg_namespace n"
              " ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
              " AND c.relname = 'job'")
        .value()[0]
        .Int(0);
  };
  EXPECT_EQ(known_rows(), -1) << "nobody has looked";
  std::vector<Interaction> turns;
  for (int i = 0; i < 600; ++i) {
    turns.push_back(Turn("t" + std::to_string(i), std::to_string(i)));
  }
  ASSERT_TRUE(process.journal->Accept(turns, RunMode::kBackground, "", kNever).ok());
  // The server counts what a session did a second later, when that does something more.
  const Deadline patience = Deadline::After(clock_, seconds(30));
  for (int i = 0; known_rows() < 600 && !patience.Expired(); ++i) {
    ASSERT_TRUE(Accept(process, "more" + std::to_string(i), "ana").ok());
    ASSERT_TRUE(process.ledger->Sweep(kNever).ok());
  }
  EXPECT_GE(known_rows(), 600);
}

TEST_F(PostgresProcesses, ATierInTheMiddleOfItsTransactionIsNotReaped) {
  Process process(schema_->OpenPool());
  ASSERT_TRUE(Accept(process, "t1", "ana").ok());
  const auto batch = process.ledger->Claim({.lease = Millis{0}, .worker = "w"}, kNever).value();
  ASSERT_TRUE(batch.has_value());
  const std::vector<std::string> ids = {batch->jobs.at(0).job.job_id};
  const Status tier = process.pool->Transact(
      kNever, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(CheckLease(connection, batch->lease, ids));
        EXPECT_EQ(process.ledger->Sweep(kNever).value().expired, 0U);
        return {};
      });
  EXPECT_TRUE(tier.ok());
  EXPECT_EQ(process.ledger->Sweep(kNever).value().expired, 1U);
}

TEST_F(PostgresProcesses, AFrozenServerCostsNoMoreThanTheDeadline) {
  TcpFaultProxy proxy("127.0.0.1", schema_->ServerPort());
  Process process(Through(proxy));
  ASSERT_TRUE(Accept(process, "t1", "ana").ok());
  proxy.Stall();
  const SteadyTime start = clock_.SteadyNow();
  const auto in = [this](Millis budget) { return Deadline::After(clock_, budget); };
  EXPECT_EQ(Accept(process, "t2", "ana", in(milliseconds(200))).error().code,
            ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(process.ledger->Stats(in(milliseconds(200))).error().code,
            ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(process.ledger->Claim({}, in(milliseconds(200))).ok());
  EXPECT_LT(clock_.SteadyNow() - start, seconds(10)) << "an order of magnitude, not a measure";
  proxy.Resume();
  // Whether the turn came through was unknown; handing it in again tells.
  EXPECT_TRUE(Accept(process, "t2", "ana").ok());
  EXPECT_EQ(process.journal->ReadFreshness({"default", "ana"}, kNever).value().accepted, 2U);
}

TEST_F(PostgresProcesses, AServerThatIsAwayAtStartIsUsedOnceItIsThere) {
  TcpFaultProxy proxy("127.0.0.1", schema_->ServerPort());
  proxy.Refuse();
  Process process(Through(proxy));
  const auto away = Accept(process, "t1", "ana");
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(away.error().message, HasSubstr("PostgreSQL at 127.0.0.1"));
  EXPECT_FALSE(process.store->worker_number().has_value());
  proxy.Restore();
  const Deadline patience = Deadline::After(clock_, seconds(20));
  // Taken to be away until somebody has asked it again.
  while (!Accept(process, "t1", "ana").ok() && !patience.Expired()) {
  }
  EXPECT_TRUE(Accept(process, "t1", "ana").ok());
  while (!process.store->worker_number().has_value() && !patience.Expired()) {
  }
  EXPECT_TRUE(process.store->worker_number().has_value());
}

TEST_F(PostgresProcesses, ConnectionsThatAreCutOrLoseAnAnswerCostNothingAccepted) {
  TcpFaultProxy proxy("127.0.0.1", schema_->ServerPort());
  Process process(Through(proxy));
  for (int i = 0; i < 30; ++i) {
    const std::string id = "t" + std::to_string(i);
    if (i % 3 == 1) {
      proxy.Cut();
    } else if (i % 3 == 2) {
      proxy.LoseNextAnswer();
    }
    auto accepted = Accept(process, id, "ana");
    if (!accepted.ok()) {
      EXPECT_EQ(accepted.error().code, ErrorCode::kUnavailable) << accepted.error().message;
      accepted = Accept(process, id, "ana");
    }
    ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  }
  EXPECT_EQ(process.journal->ReadFreshness({"default", "ana"}, kNever).value().accepted, 30U);
}

TEST_F(PostgresProcesses, ManyWhoAcceptAtOnceShareTransactionsAndEachHearsOfHisOwn) {
  Process process(schema_->OpenPool());
  ASSERT_TRUE(Accept(process, "t0", "kim").ok());
  ASSERT_TRUE(process.journal->EraseUser({"default", "kim"}, kNever).ok());
  std::atomic<int> refused{0};
  std::vector<std::jthread> threads;
  for (int w = 0; w < 16; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < 20; ++i) {
        Interaction turn = Turn("t" + std::to_string(i), "u" + std::to_string(w));
        if (i == 7) {
          turn.user.user_id = "kim";  // Forgotten after this was accepted elsewhere.
          turn.accepted_at = FromUnixMillis(1);
        } else if (i == 11) {
          turn.user.user_id = "\xFF";  // No UTF-8.
        }
        const auto accepted = process.journal->Accept(std::vector<Interaction>{turn},
                                                      RunMode::kBackground, "", kNever);
        if (i == 7) {
          EXPECT_EQ(accepted.error().code, ErrorCode::kAborted);
          ++refused;
        } else if (i == 11) {
          EXPECT_EQ(accepted.error().code, ErrorCode::kInvalidArgument);
          ++refused;
        } else {
          ASSERT_TRUE(accepted.ok()) << accepted.error().message;
          EXPECT_EQ(accepted->at(0).interaction_id, turn.interaction_id);
          EXPECT_FALSE(accepted->at(0).duplicate);
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(refused, 32);
  for (int w = 0; w < 16; ++w) {
    EXPECT_EQ(process.journal->ReadFreshness({"default", "u" + std::to_string(w)}, kNever)
                  .value()
                  .accepted,
              18U);
  }
}

}  // namespace
}  // namespace umbranet
