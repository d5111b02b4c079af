// How many turns a second reflection works off without a language model: SQLite on disk, the rule
// extractor, workers as the server has them. Two shapes: one user who has said much, where batches
// are full, and many users who have said little, where they are not.
//
//   reflection_bench [workers] [folder]        3 workers in a folder of its own under /tmp
//
// Everything is accepted first, then the clock runs from the start of the workers until the ledger
// holds nothing unfinished; turns that are not in all three tiers at the end make it fail.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/condition_variable_doorbell.h"
#include "umbranet/reflection/memory_reflector.h"
#include "umbranet/reflection/reflection_queue.h"
#include "umbranet/reflection/session_summarizer.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {
namespace {

constexpr std::size_t kTurnsAtOnce = 200;

constexpr std::array kNames = {"Ana", "Bea", "Cleo", "Dario", "Emil", "Fay", "Gus", "Hana"};
constexpr std::array kTowns = {"Porto", "Lyon", "Oslo", "Turin", "Ghent", "Split", "Malmo", "Vigo"};
constexpr std::array kThings = {"a blue kayak", "an old piano",   "two goldfish", "a red bicycle",
                                "a telescope",  "a small garden", "a sourdough",  "a camera"};

// A turn as people write them: some teach much, some a little, some nothing.
std::string Said(std::size_t n) {
  const std::string name = kNames.at(n % kNames.size());
  const std::string town = kTowns.at(n / 3 % kTowns.size());
  const std::string thing = kThings.at(n / 7 % kThings.size());
  switch (n % 8) {
    case 0:
      return "My sister " + name + " moved to " + town + " last month and works as a nurse there.";
    case 1:
      return "I bought " + thing + " yesterday. It was cheaper than I thought, and " + name +
             " helped me carry it home.";
    case 2:
      return "Thanks, that helps!";
    case 3:
      return "I am planning a trip to " + town + " with " + name + " on 12 June. We want to stay " +
             "four days and see the harbour.";
    case 4:
      return "Always answer in metric units when we talk about distances, please.";
    case 5:
      return "I really like hiking, but I do not like long drives. Is it far from " + town + "?";
    case 6:
      return "Actually the dentist is on Tuesday, not on Monday.";
    default:
      return name + " told me that the bakery near " + town + " closes next week.";
  }
}

struct Shape {
  const char* name;
  std::size_t users;
  std::size_t turns_each;
};

struct Stack {
  Stack(const Clock& the_clock, SqliteDatabase& database, SqliteLedgerStore& store,
        std::size_t workers)
      : clock(the_clock),
        journal(store),
        ledger(store),
        short_term(database),
        episodic(database),
        semantic(database),
        procedural(database),
        queue(clock, ledger, doorbell, {}),
        processor(clock, {journal, ledger, episodic, semantic, procedural}, extractor, metrics, log,
                  {}),
        summarizer(journal, short_term, metrics, log, {}),
        reflector(clock, queue, processor, summarizer, metrics, log, {.workers = workers}) {}

  const Clock& clock;
  StructuredLog log{clock, {.level = LogLevel::kWarning}};
  Metrics metrics{{"bench", "bench"}};
  SqliteJournal journal;
  SqliteJobLedger ledger;
  ConditionVariableDoorbell doorbell;
  SqliteShortTermMemory short_term;
  SqliteEpisodicMemory episodic;
  SqliteSemanticMemory semantic;
  SqliteProceduralMemory procedural;
  RuleExtractor extractor;
  ReflectionQueue queue;
  BatchProcessor processor;
  SessionSummarizer summarizer;
  MemoryReflector reflector;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "reflection_bench: %s\n", what.c_str());
  std::exit(1);
}

void Accept(Stack& stack, const Shape& shape) {
  std::vector<Interaction> turns;
  const auto flush = [&] {
    const auto accepted = stack.journal.Accept(turns, RunMode::kBackground, "", Deadline::Never());
    if (!accepted.ok()) {
      Fail(accepted.error().message);
    }
    turns.clear();
  };
  for (std::size_t n = 0; n < shape.turns_each; ++n) {
    for (std::size_t u = 0; u < shape.users; ++u) {
      Interaction& turn = turns.emplace_back();
      turn.interaction_id = "t" + std::to_string(n);
      turn.user = {std::string(kDefaultTenant), "user" + std::to_string(u)};
      turn.session_id = "s" + std::to_string(n / 40);
      turn.occurred_at = stack.clock.Now();
      turn.accepted_at = turn.occurred_at;
      turn.user_message = Said(n + u);
      turn.assistant_response = "Noted.";
      if (turns.size() == kTurnsAtOnce) {
        flush();
      }
    }
  }
  if (!turns.empty()) {
    flush();
  }
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Measure(const Shape& shape, std::size_t workers, const std::filesystem::path& folder) {
  const SystemClock clock;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  SqliteDatabase::Options options;
  options.path = (folder / "umbranet.db").string();
  auto database = SqliteDatabase::Open(clock, std::move(options));
  if (!database.ok()) {
    Fail(database.error().message);
  }
  auto store = SqliteLedgerStore::Open(**database, {});
  if (!store.ok()) {
    Fail(store.error().message);
  }
  Stack stack(clock, **database, **store, workers);
  Accept(stack, shape);

  const double turns = static_cast<double>(shape.users * shape.turns_each);
  const double cpu_before = CpuSeconds();
  const SteadyTime started = clock.SteadyNow();
  stack.queue.Start();
  stack.reflector.Start();
  if (!stack.reflector.WaitIdle(Deadline::After(clock, std::chrono::minutes(10)))) {
    Fail("not done within ten minutes");
  }
  const std::chrono::duration<double> elapsed = clock.SteadyNow() - started;
  const double cpu = CpuSeconds() - cpu_before;
  stack.reflector.Stop();
  stack.queue.Stop();
  const double done = stack.metrics.reflection_attempts_total.At("done").Value();
  if (done != turns) {
    Fail(std::to_string(done) + " of " + std::to_string(turns) + " turns were reflected");
  }
  const auto batches = stack.metrics.reflection_batch_jobs.Collect().histogram.sample_count;
  std::printf("%-28s %6.0f turns  %7.2f s  %7.0f turns/s  %5.2f ms CPU/turn  %5.2f turns/batch\n",
              shape.name, turns, elapsed.count(), turns / elapsed.count(), 1e3 * cpu / turns,
              turns / static_cast<double>(batches));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace umbranet

int main(int argc, char** argv) {
  const std::size_t workers = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 3;
  const std::filesystem::path folder =
      argc > 2 ? std::filesystem::path(argv[2])
               : std::filesystem::path("/tmp") /
                     ("umbranet-reflection-bench-" + std::to_string(getpid()));
  std::printf("%zu workers, %u cores\n", workers, std::thread::hardware_concurrency());
  for (const umbranet::Shape& shape : {umbranet::Shape{"one user, many turns", 1, 5'000},
                                       umbranet::Shape{"1,000 users, five turns each", 1'000, 5},
                                       umbranet::Shape{"5,000 users, one turn each", 5'000, 1}}) {
    umbranet::Measure(shape, workers, folder);
  }
  return 0;
}
