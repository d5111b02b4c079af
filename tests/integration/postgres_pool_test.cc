// Goal: sessions with PostgreSQL keep to their deadline and their bound, come back by themselves,
// and say what is wrong without telling the password.
// Method: against the real server, in a schema of its own.
#include "umbranet/adapters/postgres/postgres_pool.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_migrations.h"

#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/postgres_harness.h"

namespace umbranet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

const Deadline kNever = Deadline::Never();

class PostgresPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    schema_.emplace();
    pool_ = schema_->OpenPool();
  }

  static Result<std::int64_t> AskInt(PostgresPool& pool, std::string_view sql, Deadline deadline) {
    return pool.Read(deadline, [sql](PostgresConnection& connection) -> Result<std::int64_t> {
      UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql));
      return rows[0].Int(0);
    });
  }

  Deadline In(Millis budget) const { return Deadline::After(clock_, budget); }

  const SystemClock clock_;
  std::optional<PostgresSchema> schema_;
  std::unique_ptr<PostgresPool> pool_;
};

TEST_F(PostgresPoolTest, ValuesComeBackAsTheyWereGiven) {
  const Status done = pool_->Read(kNever, [](PostgresConnection& connection) -> Status {
    const std::string bytes("a\0\xFF", 3);
    const std::vector<std::string> texts = {"", "x", "\xF0\x9F\x8D\x85 ' OR 1=1"};
    const std::vector<std::int64_t> numbers = {1, -2, INT64_MAX};
    const std::vector<float> reals = {0.5F, -1.25F};
    const std::vector<std::optional<std::int64_t>> gaps = {1, std::nullopt};
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query("SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, cardinality($10),"
                         " array_position($11, NULL)",
                         std::int64_t{-7}, PostgresBytes{bytes}, texts, numbers, reals, true,
                         std::optional<std::string>(), FromUnixMillis(1234), 2.5,
                         std::vector<std::string>(), gaps));
    EXPECT_EQ(rows[0].Int(0), -7);
    EXPECT_EQ(rows[0].Text(1), bytes);
    EXPECT_EQ(rows[0].Strings(2), texts);
    EXPECT_EQ(rows[0].Ints(3), numbers);
    EXPECT_EQ(rows[0].Reals(4), reals);
    EXPECT_TRUE(rows[0].Bool(5));
    EXPECT_TRUE(rows[0].IsNull(6));
    EXPECT_EQ(rows[0].Time(7), FromUnixMillis(1234));
    EXPECT_EQ(rows[0].Real(8), 2.5);
    EXPECT_EQ(rows[0].Int(9), 0);
    EXPECT_EQ(rows[0].Int(10), 2);
    return {};
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
}

// Some of them meet in one round trip; which, is up to the scheduler.
TEST_F(PostgresPoolTest, AScriptHasTheTimeOfItsDeadlineAndNotOfWhatWentBefore) {
  const auto session = pool_->OpenSession(In(Millis{3'000})).value();
  ASSERT_TRUE(session->Query("SELECT 1").ok());
  session->set_deadline(In(Millis{600'000}));
  ASSERT_TRUE(session
                  ->RunScript("CREATE TEMP TABLE seen AS SELECT setting::bigint AS limit_ms FROM"
                              " pg_settings WHERE name = 'statement_timeout'")
                  .ok());
  const auto seen = session->Query("SELECT limit_ms FROM seen");
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ((*seen)[0].Int(0), 0) << "so late a deadline needs no limit on the server";
}

TEST_F(PostgresPoolTest, ReadsThatAreAskedTogetherAreAnsweredEachForItself) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::int64_t i = 0; i < 50; ++i) {
        const std::int64_t number = 1000 * thread + i;
        if (thread == 0) {
          // Divides by zero, with or without company.
          EXPECT_EQ(pool_->Ask(kNever, "SELECT 1 / ($1 - $1)", number).error().code,
                    ErrorCode::kInternal);
          continue;
        }
        const auto rows = pool_->Ask(kNever, "SELECT $1, $2::text", number, "mine");
        ASSERT_TRUE(rows.ok()) << rows.error().message;
        EXPECT_EQ((*rows)[0].Int(0), number);
        EXPECT_EQ((*rows)[0].Text(1), "mine");
      }
    });
  }
  threads.clear();
  EXPECT_LE(pool_->ReadCounts().idle, 2U);
}

TEST_F(PostgresPoolTest, AReadSeesWhatWasCommittedBeforeItWasAsked) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, name = "n" + std::to_string(thread)] {
      for (std::int64_t i = 1; i <= 50; ++i) {
        const auto written = pool_->Run(kNever, [&](PostgresConnection& connection) {
          return connection.Run(
              "INSERT INTO ledger_value VALUES($1, $2) ON CONFLICT (name)"
              " DO UPDATE SET value = excluded.value",
              name, i);
        });
        ASSERT_TRUE(written.ok()) << written.error().message;
        const auto rows =
            pool_->Ask(kNever, "SELECT value FROM ledger_value WHERE name = $1", name);
        ASSERT_TRUE(rows.ok()) << rows.error().message;
        EXPECT_EQ((*rows)[0].Int(0), i);
      }
    });
  }
}

TEST_F(PostgresPoolTest, ATransactionThatFailsLeavesNothing) {
  const Status failed = pool_->Transact(
      kNever, PostgresIsolation::kReadCommitted, [](PostgresConnection& connection) {
        EXPECT_TRUE(connection.Run("INSERT INTO ledger_value VALUES('x', 1)").ok());
        return Status(Aborted("no"));
      });
  EXPECT_EQ(failed.error().code, ErrorCode::kAborted);
  EXPECT_EQ(AskInt(*pool_, "SELECT count(*) FROM ledger_value WHERE name = 'x'", kNever).value(),
            0);
  const auto done =
      pool_->Transact(kNever, PostgresIsolation::kSerializable, [](PostgresConnection& connection) {
        return connection.Run("INSERT INTO ledger_value VALUES('x', 1), ('y', 2)");
      });
  EXPECT_EQ(done.value(), 2);
  EXPECT_EQ(pool_->ReadCounts().idle, 1U);
}

TEST_F(PostgresPoolTest, ASerializationFailureIsTriedAgain) {
  // Two that read the sum and add it, at the same time: one has to start over.
  const auto add = [this](std::string_view name) {
    return pool_->Transact(
        kNever, PostgresIsolation::kSerializable, [name](PostgresConnection& connection) -> Status {
          UMBRANET_ASSIGN_OR_RETURN(
              const PostgresRows sum,
              connection.Query("SELECT COALESCE(sum(value), 0)::bigint FROM ledger_value"));
          UMBRANET_RETURN_IF_ERROR(connection.Query("SELECT pg_sleep(0.05)"));
          UMBRANET_RETURN_IF_ERROR(
              connection.Run("INSERT INTO ledger_value VALUES($1, $2)", name, sum[0].Int(0) + 1));
          return {};
        });
  };
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_TRUE(add("one").ok()); });
  threads.emplace_back([&] { EXPECT_TRUE(add("two").ok()); });
  threads.clear();
  EXPECT_EQ(AskInt(*pool_, "SELECT max(value) FROM ledger_value", kNever).value(), 2);
}

TEST_F(PostgresPoolTest, ADeadlineEndsTheWaitAndTheWorkAtTheServer) {
  const SteadyTime start = clock_.SteadyNow();
  const auto late = AskInt(*pool_, "SELECT 1 FROM pg_sleep(30)", In(milliseconds(200)));
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(late.error().message, HasSubstr("PostgreSQL at"));
  EXPECT_LT(clock_.SteadyNow() - start, seconds(5));
  // Nobody sleeps there any more, long before the thirty seconds are over.
  const Deadline patience = In(seconds(10));
  std::int64_t sleeping = 1;
  while (sleeping > 0 && !patience.Expired()) {
    sleeping = AskInt(*pool_,
                      "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND"
                      " query LIKE 'SELECT 1 FROM pg_sleep%'",
                      kNever)
                   .value();
  }
  EXPECT_EQ(sleeping, 0);
}

TEST_F(PostgresPoolTest, WhoFindsEverySessionBusyWaitsNoLongerThanHisDeadline) {
  const auto pool = schema_->OpenPool(1);
  const Status outer = pool->Run(kNever, [&](PostgresConnection&) -> Status {
    const auto inner = AskInt(*pool, "SELECT 1", In(milliseconds(20)));
    EXPECT_EQ(inner.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_THAT(inner.error().message, HasSubstr("busy"));
    return {};
  });
  EXPECT_TRUE(outer.ok());
}

TEST_F(PostgresPoolTest, NoMoreSessionsAreOpenThanAllowed) {
  const auto pool = schema_->OpenPool(3);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        EXPECT_TRUE(AskInt(*pool, "SELECT 1 FROM pg_sleep(0.001)", kNever).ok());
        EXPECT_LE(pool->ReadCounts().in_use + pool->ReadCounts().idle, 3U);
      }
    });
  }
}

TEST_F(PostgresPoolTest, SessionsThatTheServerEndedAreReplaced) {
  const std::int64_t pid = AskInt(*pool_, "SELECT pg_backend_pid()", kNever).value();
  const auto other = schema_->OpenPool(1);
  ASSERT_TRUE(
      AskInt(*other, "SELECT pg_terminate_backend(" + std::to_string(pid) + ")::int", kNever).ok());
  const auto again = AskInt(*pool_, "SELECT pg_backend_pid()", kNever);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_NE(again.value(), pid);
}

TEST_F(PostgresPoolTest, ATransactionWhoseSessionIsEndedInTheMiddleIsRunAgain) {
  const auto other = schema_->OpenPool(1);
  int runs = 0;
  const Status done = pool_->Transact(
      kNever, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run("INSERT INTO ledger_value VALUES('x', 1)"));
        if (++runs == 1) {
          const std::string end =
              "SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ")::int";
          EXPECT_TRUE(AskInt(*other, end, kNever).ok());
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run("INSERT INTO ledger_value VALUES('y', 1)"));
        return {};
      });
  EXPECT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(
      AskInt(*pool_, "SELECT count(*) FROM ledger_value WHERE name IN ('x', 'y')", kNever).value(),
      2);
}

TEST_F(PostgresPoolTest, AWrongPasswordIsSaidWithoutSayingIt) {
  PostgresPool::Options options = schema_->Options();
  const std::size_t at = options.url.rfind('@');
  const std::size_t colon = options.url.rfind(':', at);
  if (at == std::string::npos || colon < 11) {
    GTEST_SKIP() << "the server asks for no password";
  }
  options.url.replace(colon + 1, at - colon - 1, "wr0ngSecret");
  const auto pool = PostgresPool::Open(options).value();
  const Status refused = pool->Ping(kNever);
  if (refused.ok()) {
    GTEST_SKIP() << "the server asks for no password";
  }
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("POSTGRES_URL"));
  EXPECT_THAT(refused.error().message, HasSubstr("password"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("wr0ngSecret")));
  EXPECT_EQ(AskInt(*pool, "SELECT 1", kNever).error().code, ErrorCode::kUnavailable)
      << "at run time it may be over soon";
}

TEST_F(PostgresPoolTest, AServerThatIsAwayIsSaidAtOnce) {
  const auto pool = PostgresPool::Open({.url = "postgres://u:t0pSecret@127.0.0.1:1/db"}).value();
  const auto away = AskInt(*pool, "SELECT 1", In(seconds(30)));
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(away.error().message, HasSubstr("PostgreSQL at 127.0.0.1:1"));
  EXPECT_THAT(away.error().message, Not(HasSubstr("t0pSecret")));
  EXPECT_TRUE(away.error().retry_after.has_value());
}

TEST_F(PostgresPoolTest, TextThatIsNoUtf8IsTheCallersMistake) {
  const auto bad = pool_->Read(kNever, [](PostgresConnection& connection) {
    return connection.Run("SELECT $1::text", std::string("\xFF"));
  });
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(PostgresPoolTest, MigratingAgainChangesNothingAndManyMayDoItAtOnce) {
  PostgresPool::Options options = schema_->Options();
  options.schema = schema_->name() + "_\"b";
  std::atomic<std::uint64_t> applied{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto pool = PostgresPool::Open(options).value();
        const auto report = Migrate(*pool, kNever);
        ASSERT_TRUE(report.ok()) << report.error().message;
        applied += report->applied;
      });
    }
  }
  const auto pool = PostgresPool::Open(options).value();
  EXPECT_EQ(applied + Migrate(*pool, kNever)->left_out, AllPostgresMigrations().size());
  EXPECT_TRUE(CheckSchema(*pool, kNever).ok());
  EXPECT_TRUE(pool->Run(kNever,
                        [this](PostgresConnection& connection) {
                          return connection.RunScript("DROP SCHEMA \"" + schema_->name() +
                                                      "_\"\"b\" CASCADE");
                        })
                  .ok());
  EXPECT_THAT(CheckSchema(*pool, kNever).error().message, HasSubstr("run umbranet migrate"));
}

TEST_F(PostgresPoolTest, ASchemaThatIsBehindOrAheadIsSaidInOneSentence) {
  std::vector<PostgresMigration> more = AllPostgresMigrations();
  more.push_back({.component = "test", .version = 1, .script = "CREATE TABLE t(i int)"});
  const Status behind = CheckSchema(*pool_, more, kNever);
  EXPECT_EQ(behind.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(behind.error().message, HasSubstr("run umbranet migrate"));
  EXPECT_EQ(Migrate(*pool_, more, kNever)->applied, 1U);
  EXPECT_TRUE(CheckSchema(*pool_, more, kNever).ok());
  const Status ahead = CheckSchema(*pool_, kNever);
  EXPECT_EQ(ahead.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(ahead.error().message, HasSubstr("newer version"));
  EXPECT_EQ(Migrate(*pool_, kNever).error().code, ErrorCode::kFailedPrecondition);
  more.back().script = "CREATE TABLE t(i bigint)";
  EXPECT_THAT(CheckSchema(*pool_, more, kNever).error().message, HasSubstr("another version"));
}

TEST_F(PostgresPoolTest, AStepThatNeedsAnExtensionTheServerLacksIsLeftOut) {
  std::vector<PostgresMigration> more = AllPostgresMigrations();
  more.push_back({.component = "test",
                  .version = 1,
                  .script = "CREATE EXTENSION none_such",
                  .extension = "none_such"});
  more.push_back({.component = "test", .version = 2, .script = "CREATE TABLE t(i int)"});
  const auto report = Migrate(*pool_, more, kNever);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->applied, 0U);
  EXPECT_GE(report->left_out, 2U);
  EXPECT_TRUE(CheckSchema(*pool_, more, kNever).ok());
}

TEST_F(PostgresPoolTest, AStepThatFailsLeavesNothingOfTheMigration) {
  std::vector<PostgresMigration> more = AllPostgresMigrations();
  more.push_back({.component = "test", .version = 1, .script = "CREATE TABLE t(i int)"});
  more.push_back({.component = "test", .version = 2, .script = "CREATE TABLE t(i int)"});
  const auto failed = Migrate(*pool_, more, kNever);
  EXPECT_THAT(failed.error().message, HasSubstr("step 2 of the test schema"));
  EXPECT_TRUE(CheckSchema(*pool_, kNever).ok());
}

TEST_F(PostgresPoolTest, AServerThatIsAwayCostsOnlyTheFirstCallersTheirDeadline) {
  TcpFaultProxy proxy("127.0.0.1", schema_->ServerPort());
  std::vector<std::string> log_lines;
  StructuredLog log(clock_, {.sink = [&](std::string_view line) { log_lines.emplace_back(line); }});
  PostgresPool::Options options = schema_->OptionsAt("127.0.0.1", proxy.port());
  options.breaker.pause_first = std::chrono::hours(1);
  options.log = &log;
  const auto pool = PostgresPool::Open(options).value();
  ASSERT_TRUE(AskInt(*pool, "SELECT 1", kNever).ok());
  proxy.Stall();
  for (std::uint32_t i = 0; i < options.breaker.failures_to_open; ++i) {
    EXPECT_FALSE(pool->breaker().IsOpen());
    EXPECT_FALSE(AskInt(*pool, "SELECT 1", In(milliseconds(300))).ok());
  }
  EXPECT_TRUE(pool->breaker().IsOpen());
  const std::uint64_t sent = proxy.BytesFromClients();
  const auto told = AskInt(*pool, "SELECT 1", kNever);
  EXPECT_EQ(told.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(told.error().message, HasSubstr("PostgreSQL at 127.0.0.1"));
  EXPECT_EQ(proxy.BytesFromClients(), sent) << "nobody was asked";
  ASSERT_FALSE(log_lines.empty());
  EXPECT_THAT(log_lines.back(), HasSubstr("postgres_away"));
  // Whoever opens a session of his own is the first to see it come back.
  proxy.Resume();
  EXPECT_TRUE(pool->OpenSession(kNever).ok());
  EXPECT_FALSE(pool->breaker().IsOpen());
  EXPECT_TRUE(AskInt(*pool, "SELECT 1", kNever).ok());
  EXPECT_GT(pool->ReadCounts().reconnects, 0U);
}

TEST_F(PostgresPoolTest, ACallWithNextToNoTimeSaysNothingOfTheServer) {
  TcpFaultProxy proxy("127.0.0.1", schema_->ServerPort());
  const auto pool = PostgresPool::Open(schema_->OptionsAt("127.0.0.1", proxy.port())).value();
  ASSERT_TRUE(AskInt(*pool, "SELECT 1", kNever).ok());
  proxy.Stall();
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(AskInt(*pool, "SELECT 1", In(milliseconds(20))).ok());
  }
  EXPECT_FALSE(pool->breaker().IsOpen());
}

TEST_F(PostgresPoolTest, WarningsOfTheServerGoToTheLog) {
  std::vector<std::string> log_lines;
  StructuredLog log(clock_, {.sink = [&](std::string_view line) { log_lines.emplace_back(line); }});
  PostgresPool::Options options = schema_->Options();
  options.log = &log;
  const auto pool = PostgresPool::Open(options).value();
  const Status done = pool->Run(kNever, [](PostgresConnection& connection) {
    return connection.RunScript("DO $$ BEGIN RAISE WARNING E'beware\\nof this'; END $$");
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
  ASSERT_EQ(log_lines.size(), 1U);
  EXPECT_THAT(log_lines[0], HasSubstr("postgres_notice"));
  EXPECT_THAT(log_lines[0], HasSubstr("beware"));
  EXPECT_THAT(log_lines[0], Not(HasSubstr("of this")));
}

}  // namespace
}  // namespace umbranet
