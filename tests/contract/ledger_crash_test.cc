// Goal: what the journal has confirmed is there, once, however its process ended; and what its
// workers had half done is done by the next ones.
// Method: a child process (this program again, running only the disabled test below) accepts turns
// from four threads while a fifth reflects, and writes the id of every confirmed turn to a pipe.
// The parent kills it with SIGKILL after a random number of them, opens the data and looks. The
// same folder goes through several rounds.
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/base/unique_id.h"

extern char** environ;

namespace umbranet {
namespace {

constexpr const char* kFolderVariable = "UMBRANET_CRASH_TEST_FOLDER";
constexpr const char* kPipeVariable = "UMBRANET_CRASH_TEST_PIPE";
constexpr int kUsers = 5;

struct Engine {
  explicit Engine(const std::string& folder) {
    SqliteDatabase::Options options;
    options.path = folder + "/umbranet.db";
    options.wal_pages_max = 200;  // Checkpoints often, so that some kills hit one.
    database = SqliteDatabase::Open(clock, options).value();
    store = SqliteLedgerStore::Open(*database, {}).value();
    journal = std::make_unique<SqliteJournal>(*store);
    ledger = std::make_unique<SqliteJobLedger>(*store);
  }

  SystemClock clock;
  std::unique_ptr<SqliteDatabase> database;
  std::unique_ptr<SqliteLedgerStore> store;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<SqliteJobLedger> ledger;
};

UserKey UserOf(int number) {
  return {std::string(kDefaultTenant), "user " + std::to_string(number)};
}

bool ReflectOnce(SqliteJobLedger& ledger) {
  ClaimOptions options;
  options.worker = "worker";
  const auto batch = ledger.Claim(options, Deadline::Never()).value();
  if (!batch.has_value()) {
    return false;
  }
  std::vector<TierProgress> progress;
  for (const ClaimedJob& job : batch->jobs) {
    progress.push_back({job.job.job_id, kAllReflectedTiers});
  }
  EXPECT_TRUE(ledger.MarkTiersDone(batch->lease, progress, Deadline::Never()).ok());
  EXPECT_TRUE(ledger.Settle(batch->lease, {}, Deadline::Never()).ok());
  return true;
}

// Not a test, but the child's part of the one below.
TEST(LedgerCrashChild, DISABLED_AcceptsUntilItIsKilled) {
  const char* folder = std::getenv(kFolderVariable);
  const char* pipe_number = std::getenv(kPipeVariable);
  ASSERT_NE(folder, nullptr);
  ASSERT_NE(pipe_number, nullptr);
  const int pipe = std::atoi(pipe_number);
  Engine engine(folder);
  std::vector<std::jthread> threads;
  threads.emplace_back([&engine] {
    while (true) {
      ReflectOnce(*engine.ledger);
    }
  });
  for (int producer = 0; producer < 4; ++producer) {
    threads.emplace_back([&engine, pipe, producer] {
      for (int i = 0;; ++i) {
        Interaction turn;
        turn.user = UserOf((producer + i) % kUsers);
        turn.interaction_id = NewUuidV7(engine.clock.Now());
        turn.user_message = "I bought a kayak, the " + std::to_string(i) + "th.";
        const std::vector<Interaction> turns = {turn};
        if (engine.journal->Accept(turns, RunMode::kBackground, "", Deadline::Never()).ok()) {
          // Short enough to be written whole or not at all.
          const std::string line = turn.interaction_id + "\n";
          if (write(pipe, line.data(), line.size()) < 0) {
            return;
          }
        }
      }
    });
  }
}

pid_t StartChild(const std::string& folder, int pipe) {
  setenv(kFolderVariable, folder.c_str(), 1);
  setenv(kPipeVariable, std::to_string(pipe).c_str(), 1);
  std::array<std::string, 3> words = {"/proc/self/exe", "--gtest_also_run_disabled_tests",
                                      "--gtest_filter=LedgerCrashChild.*"};
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  EXPECT_EQ(posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

// Reads confirmed ids, kills the child when there are `enough`, and reads what it had still
// written.
void RunAndKill(const std::string& folder, std::size_t enough, std::multiset<std::string>& ids) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  const pid_t child = StartChild(folder, ends[1]);
  close(ends[1]);
  std::string pending;
  std::array<char, 4096> buffer{};
  std::size_t seen = 0;
  bool killed = false;
  while (true) {
    const ssize_t size = read(ends[0], buffer.data(), buffer.size());
    if (size <= 0) {
      break;
    }
    pending.append(buffer.data(), static_cast<std::size_t>(size));
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      ids.insert(pending.substr(0, end));
      pending.erase(0, end + 1);
      ++seen;
    }
    if (!killed && seen >= enough) {
      killed = true;
      kill(child, SIGKILL);
    }
  }
  close(ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself";
}

// Every turn of the journal, as often as it is there.
std::multiset<std::string> StoredIds(SqliteJournal& journal) {
  std::multiset<std::string> stored;
  for (int user = 0; user < kUsers; ++user) {
    std::string cursor;
    do {
      const JournalPage page = journal.List(UserOf(user), cursor, 500, Deadline::Never()).value();
      for (const JournalEntry& entry : page.entries) {
        stored.insert(entry.interaction.interaction_id);
      }
      cursor = page.next_cursor;
    } while (!cursor.empty());
  }
  return stored;
}

TEST(LedgerCrash, WhatWasConfirmedIsThereOnceAfterEveryKill) {
  const std::string folder = testing::TempDir() + "umbranet-" + RandomHex(8);
  std::filesystem::create_directories(folder);
  std::mt19937 random(20240503);
  std::multiset<std::string> confirmed;
  for (int round = 0; round < 6; ++round) {
    const std::size_t enough = std::uniform_int_distribution<std::size_t>(1, 400)(random);
    ASSERT_NO_FATAL_FAILURE(RunAndKill(folder, enough, confirmed));
    Engine engine(folder);
    EXPECT_TRUE(engine.database->CheckIntegrity(Deadline::Never()).ok());
    const std::multiset<std::string> stored = StoredIds(*engine.journal);
    std::size_t missing = 0;
    for (const std::string& id : confirmed) {
      missing += stored.contains(id) ? 0U : 1U;
    }
    EXPECT_EQ(missing, 0U) << "of " << confirmed.size() << " confirmed turns in round " << round;
    EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), stored.size());
    // What was accepted but not confirmed is at most what the four threads were about.
    EXPECT_LE(stored.size(), confirmed.size() + 4 * static_cast<std::size_t>(round + 1));
    // Nothing is left leased, and the sums are right.
    EXPECT_EQ(engine.ledger->Stats(Deadline::Never()).value().leased, 0U);
    std::uint64_t accepted = 0;
    for (int user = 0; user < kUsers; ++user) {
      const Freshness freshness =
          engine.journal->ReadFreshness(UserOf(user), Deadline::Never()).value();
      EXPECT_EQ(freshness.dead, 0U);
      accepted += freshness.accepted;
    }
    EXPECT_EQ(accepted, stored.size());
  }
  {
    Engine engine(folder);
    // What is left waits because it crashed more than once, and what came after it waits with it.
    std::size_t left = 0;
    while (ReflectOnce(*engine.ledger)) {
    }
    for (int user = 0; user < kUsers; ++user) {
      left += engine.journal->ReadFreshness(UserOf(user), Deadline::Never()).value().pending;
    }
    const LedgerStats stats = engine.ledger->Stats(Deadline::Never()).value();
    const std::uint64_t ready = stats.ready_high + stats.ready_normal + stats.ready_low;
    EXPECT_EQ(left, stats.retry_wait + ready);
    EXPECT_TRUE(ready == 0 || stats.retry_wait > 0);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace umbranet
