// How long the SQLite tiers take to apply plans and to find candidates in a memory of realistic
// size: one user with `turns` turns of about 25 words each (and as many short answers), ten others
// beside him. Words are drawn by Zipf's law from 20,000 made-up ones, so that a question holds rare
// and common terms as real ones do.
//
//   tiers_bench [turns=10000] [questions=400]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

class Words {
 public:
  Words() {
    double sum = 0;
    for (int i = 0; i < 20'000; ++i) {
      words_.push_back(Make(static_cast<std::size_t>(i)));
      sum += 1.0 / (i + 20);
      cumulated_.push_back(sum);
    }
  }

  std::string Draw() {
    const double at = std::uniform_real_distribution<double>(0, cumulated_.back())(random_);
    const auto found = std::lower_bound(cumulated_.begin(), cumulated_.end(), at);
    return words_[static_cast<std::size_t>(found - cumulated_.begin())];
  }

  std::string Sentence(int words) {
    std::string text;
    for (int i = 0; i < words; ++i) {
      text += Draw() + ' ';
    }
    return text;
  }

  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

 private:
  static std::string Make(std::size_t number) {
    constexpr std::string_view kConsonants = "bdfgklmnprtvz";
    constexpr std::string_view kVowels = "aeiou";
    std::string word;
    number = number * 2'654'435'761U % 1'000'003U;
    do {
      word += kConsonants[number % kConsonants.size()];
      number /= kConsonants.size();
      word += kVowels[number % kVowels.size()];
      number /= kVowels.size();
    } while (number > 0);
    return word + "k";
  }

  std::mt19937 random_{7};
  std::vector<std::string> words_;
  std::vector<double> cumulated_;
};

struct Bench {
  explicit Bench(const std::filesystem::path& folder) {
    SqliteDatabase::Options options;
    options.path = (folder / "umbranet.db").string();
    database = Must(SqliteDatabase::Open(clock, options));
    store = Must(SqliteLedgerStore::Open(*database, {}));
    journal = std::make_unique<SqliteJournal>(*store);
    ledger = std::make_unique<SqliteJobLedger>(*store);
    episodic = std::make_unique<SqliteEpisodicMemory>(*database);
    semantic = std::make_unique<SqliteSemanticMemory>(*database);
    procedural = std::make_unique<SqliteProceduralMemory>(*database);
  }

  SystemClock clock;
  std::unique_ptr<SqliteDatabase> database;
  std::unique_ptr<SqliteLedgerStore> store;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<SqliteJobLedger> ledger;
  std::unique_ptr<SqliteEpisodicMemory> episodic;
  std::unique_ptr<SqliteSemanticMemory> semantic;
  std::unique_ptr<SqliteProceduralMemory> procedural;
};

// CPU time of this thread, since other work on the machine hardly moves it. Applying happens on the
// writer's thread, and is therefore given in wall time.
double CpuMilliseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  };
  const double begin = now();
  work();
  return now() - begin;
}

double Milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

void Report(const char* name, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  double sum = 0;
  for (const double time : times) {
    sum += time;
  }
  std::printf("%-34s n=%-6zu mean %7.3f  p50 %7.3f  p95 %7.3f  max %7.3f ms\n", name, times.size(),
              sum / static_cast<double>(times.size()), at(0.5), at(0.95), at(1));
}

ReflectionPlan MakePlan(const Interaction& turn, const AcceptedTurn& accepted, Words& words) {
  ReflectionPlan plan;
  plan.job_id = accepted.job_id;
  plan.interaction_id = turn.interaction_id;
  plan.user = turn.user;
  plan.session_id = turn.session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = accepted.sequence;
  plan.episodes.push_back({Role::kUser, "User", turn.user_message, 0.5, {}});
  plan.episodes.push_back({Role::kAssistant, "Assistant", turn.assistant_response, 0.3, {}});
  PlannedFact fact;
  fact.subject = words.Between(0, 2) > 0 ? "user" : words.Draw();
  fact.predicate = words.Between(0, 99) == 0 ? Predicate::kLivesIn : Predicate::kEvent;
  fact.object = words.Draw() + ' ' + words.Draw();
  fact.text = fact.subject + " did " + fact.object + " with " + words.Draw();
  plan.facts.push_back(fact);
  plan.entities.push_back({fact.subject, EntityType::kPerson, {}});
  if (words.Between(0, 19) == 0) {
    plan.rules.push_back({.text = "always " + fact.text, .scope = "", .key = fact.object});
  }
  return plan;
}

void Fill(Bench& bench, const UserKey& user, int turns, Words& words, bool report) {
  std::vector<double> episodic;
  std::vector<double> semantic;
  std::vector<double> procedural;
  for (int first = 0; first < turns; first += 10) {
    std::vector<Interaction> batch;
    for (int i = first; i < std::min(first + 10, turns); ++i) {
      Interaction turn;
      turn.interaction_id = NewUuidV7(bench.clock.Now());
      turn.user = user;
      turn.session_id = "session-" + std::to_string(i / 20);
      turn.occurred_at = FromUnixMillis(1'700'000'000'000 + i * std::int64_t{600'000});
      turn.accepted_at = bench.clock.Now();
      turn.user_message = words.Sentence(words.Between(10, 40));
      turn.assistant_response = words.Sentence(words.Between(10, 40));
      batch.push_back(std::move(turn));
    }
    const auto accepted = Must(bench.journal->Accept(batch, RunMode::kBackground, "", kNever));
    const auto claimed = Must(bench.ledger->Claim({.worker = "bench"}, kNever)).value();
    std::vector<ReflectionPlan> plans;
    std::vector<TierProgress> progress;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      plans.push_back(MakePlan(batch[i], accepted[i], words));
      progress.push_back({accepted[i].job_id, kAllReflectedTiers});
    }
    episodic.push_back(
        Milliseconds([&] { Must(bench.episodic->Apply(plans, claimed.lease, kNever)); }));
    semantic.push_back(
        Milliseconds([&] { Must(bench.semantic->Apply(plans, claimed.lease, kNever)); }));
    procedural.push_back(
        Milliseconds([&] { Must(bench.procedural->Apply(plans, claimed.lease, kNever)); }));
    Must(bench.ledger->MarkTiersDone(claimed.lease, progress, kNever));
    Must(bench.ledger->Settle(claimed.lease, {}, kNever));
  }
  if (report) {
    Report("apply 10 turns, episodic", episodic);
    Report("apply 10 turns, semantic", semantic);
    Report("apply 10 turns, procedural", procedural);
  }
}

void Ask(Bench& bench, const UserKey& user, int questions, Words& words) {
  std::vector<double> episodes;
  std::vector<double> facts;
  std::vector<double> rules;
  std::size_t candidates = 0;
  for (int i = 0; i < questions; ++i) {
    std::set<std::string> terms;
    for (const std::string& term : AnalyzeTerms(words.Sentence(words.Between(4, 9)))) {
      terms.insert(term);
    }
    EpisodeQuery query;
    query.user = user;
    query.terms.assign(terms.begin(), terms.end());
    episodes.push_back(CpuMilliseconds(
        [&] { candidates += Must(bench.episodic->Find(query, kNever)).candidates.size(); }));
    FactQuery fact_query;
    fact_query.user = user;
    fact_query.terms = query.terms;
    facts.push_back(CpuMilliseconds([&] { Must(bench.semantic->Find(fact_query, kNever)); }));
    rules.push_back(
        CpuMilliseconds([&] { Must(bench.procedural->Active(user, std::nullopt, 100, kNever)); }));
  }
  Report("find episodes, CPU", episodes);
  std::printf("  candidates a question: %.0f\n",
              static_cast<double>(candidates) / std::max(1, questions));
  Report("find facts, CPU", facts);
  Report("active rules, CPU", rules);
}

int Run(int turns, int questions) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("umbranet-bench-" + RandomHex(6));
  {
    Words words;
    Bench bench(folder);
    for (int other = 0; other < 10; ++other) {
      Fill(bench, {"default", "other" + std::to_string(other)}, turns / 20, words, false);
    }
    const UserKey user{"default", "user"};
    Fill(bench, user, turns, words, true);
    Ask(bench, user, questions, words);
    std::printf("known entities, CPU                %.3f ms\n",
                CpuMilliseconds([&] { Must(bench.semantic->KnownEntities(user, 200, kNever)); }));
    std::printf("forget episodes                    %.1f ms\n",
                Milliseconds([&] { Must(bench.episodic->EraseUser(user, kNever)); }));
    std::printf("forget facts                       %.1f ms\n",
                Milliseconds([&] { Must(bench.semantic->EraseUser(user, kNever)); }));
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace umbranet

int main(int argc, char** argv) {
  const int turns = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int questions = argc > 2 ? std::atoi(argv[2]) : 400;
  return umbranet::Run(std::max(turns, 20), std::max(questions, 1));
}
