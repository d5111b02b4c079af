// How fast journal and ledger are on this machine, without HTTP: durable accepts from 1, 8 and 64
// producers, with and without reflection behind them, and a worker's round (claim, plan, tiers,
// settle) before a backlog, one of them with a user who has a fifth of it.
//
//   build/bench/bin/ledger_bench [folder]
//
// The folder should be on the disk that is to be measured; the current one when it is left out.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/utsname.h>
#include <unistd.h>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

using SteadyClock = std::chrono::steady_clock;

double MillisSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// Sorts.
double Percentile(std::vector<double>& values, double part) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

// An engine in a folder of its own, which goes with it.
class Engine {
 public:
  explicit Engine(const std::string& folder)
      : folder_(folder + "/ledger-bench-" + RandomHex(4)),
        database_(SqliteDatabase::Open(clock_, OptionsFor(folder_)).value()),
        store_(SqliteLedgerStore::Open(*database_, {}).value()),
        journal_(*store_),
        ledger_(*store_) {}

  ~Engine() {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] Interaction Turn(const std::string& user) const {
    Interaction turn;
    turn.user = {std::string(kDefaultTenant), user};
    turn.interaction_id = NewUuidV7(clock_.Now());
    turn.session_id = "session of " + user;
    turn.occurred_at = clock_.Now();
    turn.accepted_at = turn.occurred_at;
    turn.user_message = std::string(300, 'm');
    turn.assistant_response = std::string(500, 'r');
    return turn;
  }

  SqliteJournal& journal() { return journal_; }

  SqliteJobLedger& ledger() { return ledger_; }

  SqliteDatabase& database() { return *database_; }

 private:
  static SqliteDatabase::Options OptionsFor(const std::string& folder) {
    SqliteDatabase::Options options;
    options.path = folder + "/umbranet.db";
    return options;
  }

  SystemClock clock_;
  std::string folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  SqliteJournal journal_;
  SqliteJobLedger ledger_;
};

// What the worker's round took, milliseconds.
struct Rounds {
  std::vector<double> claim;
  std::vector<double> settle;
  std::size_t jobs = 0;
};

// Claims a batch and carries it to its end. False: there was nothing.
bool WorkOnce(Engine& engine, Rounds& rounds) {
  ClaimOptions options;
  options.worker = "bench";
  auto start = SteadyClock::now();
  const auto batch = engine.ledger().Claim(options, Deadline::Never()).value();
  if (!batch.has_value()) {
    return false;
  }
  rounds.claim.push_back(MillisSince(start));
  std::vector<PlanRecord> plans;
  std::vector<TierProgress> progress;
  for (const ClaimedJob& job : batch->jobs) {
    plans.push_back({job.job.job_id, std::string(600, 'p')});
    progress.push_back({job.job.job_id, kAllReflectedTiers});
  }
  bool ok = engine.ledger().SavePlans(batch->lease, plans, Deadline::Never()).ok();
  ok = engine.ledger().MarkTiersDone(batch->lease, progress, Deadline::Never()).ok() && ok;
  start = SteadyClock::now();
  ok = engine.ledger().Settle(batch->lease, {}, Deadline::Never()).ok() && ok;
  rounds.settle.push_back(MillisSince(start));
  rounds.jobs += batch->jobs.size();
  return ok;
}

void AcceptFrom(const std::string& folder, std::size_t producers, std::size_t turns,
                bool reflecting) {
  Engine engine(folder);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};
  std::vector<std::vector<double>> latencies(producers);
  Rounds rounds;
  std::jthread worker;
  if (reflecting) {
    worker = std::jthread([&] {
      while (!ended) {
        if (!WorkOnce(engine, rounds)) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      }
    });
  }
  const auto start = SteadyClock::now();
  const std::clock_t cpu_start = std::clock();
  {
    std::vector<std::jthread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
      threads.emplace_back([&, producer] {
        while (next++ < turns) {
          const std::vector<Interaction> turn = {engine.Turn("user" + std::to_string(next % 1000))};
          const auto begin = SteadyClock::now();
          if (!engine.journal().Accept(turn, RunMode::kBackground, "", Deadline::Never()).ok()) {
            std::abort();
          }
          latencies[producer].push_back(MillisSince(begin));
        }
      });
    }
  }
  const double seconds = MillisSince(start) / 1000;
  const double cpu_us = 1e6 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  ended = true;
  if (worker.joinable()) {
    worker.join();
  }
  std::vector<double> all;
  for (const std::vector<double>& one : latencies) {
    all.insert(all.end(), one.begin(), one.end());
  }
  const SqliteDatabase::Counters counters = engine.database().counters();
  std::printf(
      "accept%s  %2zu producers: %7.0f turns/s  p50 %6.3f ms  p99 %7.3f ms  max %7.1f ms  "
      "%5.1f us CPU a turn  %llu commits  %llu checkpoints",
      reflecting ? " + reflect" : "          ", producers, static_cast<double>(turns) / seconds,
      Percentile(all, 0.5), Percentile(all, 0.99), Percentile(all, 1.0),
      cpu_us / static_cast<double>(turns), static_cast<unsigned long long>(counters.commits),
      static_cast<unsigned long long>(counters.checkpoints));
  if (reflecting) {
    std::printf("  %zu reflected", rounds.jobs);
  }
  std::printf("\n");
}

void WorkThrough(const std::string& folder, std::size_t backlog, std::size_t hot) {
  Engine engine(folder);
  std::vector<Interaction> turns;
  for (std::size_t i = 0; i < backlog; ++i) {
    turns.push_back(engine.Turn(i < hot ? "hot" : "user" + std::to_string(i % 2000)));
    if (turns.size() == 1000 || i + 1 == backlog) {
      if (!engine.journal().Accept(turns, RunMode::kBackground, "", Deadline::Never()).ok()) {
        std::abort();
      }
      turns.clear();
    }
  }
  // The hot user stays leased throughout, at the head of the queue.
  ClaimOptions options;
  options.lease = std::chrono::hours(1);
  options.lease_cap = std::chrono::hours(1);
  if (hot > 0 && !engine.ledger().Claim(options, Deadline::Never()).value().has_value()) {
    std::abort();
  }
  Rounds rounds;
  const auto start = SteadyClock::now();
  for (int i = 0; i < 1000 && WorkOnce(engine, rounds); ++i) {
  }
  const double seconds = MillisSince(start) / 1000;
  std::printf(
      "backlog %6zu, of one leased user %5zu: claim p50 %.3f ms  p99 %.3f ms  settle p50 %.3f ms  "
      "p99 %.3f ms  %.0f jobs/s with one worker\n",
      backlog, hot, Percentile(rounds.claim, 0.5), Percentile(rounds.claim, 0.99),
      Percentile(rounds.settle, 0.5), Percentile(rounds.settle, 0.99),
      static_cast<double>(rounds.jobs) / seconds);
}

void PrintMachine(const std::string& folder) {
  utsname system{};
  uname(&system);
  std::printf("%s %s %s, %u cores, in %s\n", system.sysname, system.release, system.machine,
              std::thread::hardware_concurrency(),
              std::filesystem::absolute(folder).lexically_normal().c_str());
}

}  // namespace
}  // namespace umbranet

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  umbranet::PrintMachine(folder);
  umbranet::AcceptFrom(folder, 1, 5'000, false);
  umbranet::AcceptFrom(folder, 8, 20'000, false);
  umbranet::AcceptFrom(folder, 64, 50'000, false);
  umbranet::AcceptFrom(folder, 8, 20'000, true);
  umbranet::AcceptFrom(folder, 64, 50'000, true);
  umbranet::WorkThrough(folder, 10'000, 0);
  umbranet::WorkThrough(folder, 100'000, 0);
  umbranet::WorkThrough(folder, 100'000, 20'000);
  return 0;
}
