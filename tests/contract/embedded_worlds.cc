#include <cstdlib>
#include <filesystem>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_episode_consolidation.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_memory_generations.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"
#include "umbranet/base/unique_id.h"

#include "tests/contract/tier_world.h"
#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_memory_generations.h"
#include "tests/doubles/in_memory_short_term_memory.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

// A broken world ends the test there and then.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

class SqliteWorld final : public TierWorld {
 public:
  explicit SqliteWorld(SqliteEpisodicMemory::Options episodic = {},
                       SqliteSemanticMemory::Options semantic = {})
      : folder_(std::filesystem::temp_directory_path() / ("umbranet-tiers-" + RandomHex(8))),
        database_(Must(SqliteDatabase::Open(clock_, Options(folder_)))),
        store_(Must(SqliteLedgerStore::Open(*database_, {}))),
        journal_(*store_),
        ledger_(*store_),
        short_term_(*database_),
        episodic_(*database_, episodic),
        semantic_(*database_, semantic),
        procedural_(*database_),
        generations_(*store_),
        consolidation_(*store_) {}

  ~SqliteWorld() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return episodic_; }

  SemanticMemory& semantic() override { return semantic_; }

  ProceduralMemory& procedural() override { return procedural_; }

  Journal* journal() override { return &journal_; }

  JobLedger* ledger() override { return &ledger_; }

  MemoryGenerations* generations() override { return &generations_; }

  EpisodeConsolidation* consolidation() override { return &consolidation_; }

  Interaction Accept(Interaction turn) override {
    const std::vector<Interaction> turns{turn};
    turn.sequence = Must(journal_.Accept(turns, RunMode::kBackground, "", kNever)).front().sequence;
    return turn;
  }

  Lease Claim(std::span<const ReflectionPlan> plans) override {
    while (!Must(ledger_.Find(plans.front().user.tenant, plans.front().job_id, kNever))) {
      Must(ledger_.ReflectAgain(plans.front().user, kNever));
    }
    // The first claim may be of another user's turns; it stays leased, so the next one is not.
    for (;;) {
      const auto batch = Must(ledger_.Claim({.jobs_max = 10'000, .worker = "test"}, kNever));
      if (!batch.has_value()) {
        ADD_FAILURE() << "the jobs are not ready";
        return {};
      }
      if (batch->user == plans.front().user) {
        return batch->lease;
      }
      others_.push_back(batch->lease);
    }
  }

  void Release(const Lease& lease) override {
    EXPECT_TRUE(ledger_.Release(lease, kNever).ok());
    for (const Lease& other : std::exchange(others_, {})) {
      EXPECT_TRUE(ledger_.Release(other, kNever).ok());
    }
  }

  void ForgetTurns(const UserKey& user) override { Must(journal_.EraseUser(user, kNever)); }

 private:
  static SqliteDatabase::Options Options(const std::filesystem::path& folder) {
    SqliteDatabase::Options options;
    options.path = (folder / "umbranet.db").string();
    return options;
  }

  const std::filesystem::path folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  SqliteJournal journal_;
  SqliteJobLedger ledger_;
  SqliteShortTermMemory short_term_;
  SqliteEpisodicMemory episodic_;
  SqliteSemanticMemory semantic_;
  SqliteProceduralMemory procedural_;
  SqliteMemoryGenerations generations_;
  SqliteEpisodeConsolidation consolidation_;
  std::vector<Lease> others_;
};

// The twins as they are in force, over the in-memory ledger.
class InMemoryGenerationsWorld final : public TierWorld {
 public:
  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return generations_.in_force().episodic; }

  SemanticMemory& semantic() override { return generations_.in_force().semantic; }

  ProceduralMemory& procedural() override { return generations_.in_force().procedural; }

  Journal* journal() override { return &journal_; }

  JobLedger* ledger() override { return &ledger_; }

  MemoryGenerations* generations() override { return &generations_; }

  Interaction Accept(Interaction turn) override {
    const std::vector<Interaction> turns{turn};
    turn.sequence = Must(journal_.Accept(turns, RunMode::kBackground, "", kNever)).front().sequence;
    return turn;
  }

  Lease Claim(std::span<const ReflectionPlan> /*plans*/) override {
    const auto batch = Must(ledger_.Claim({.jobs_max = 10'000, .worker = "test"}, kNever));
    return batch.has_value() ? batch->lease : Lease();
  }

  void Release(const Lease& lease) override { EXPECT_TRUE(ledger_.Release(lease, kNever).ok()); }

  void ForgetTurns(const UserKey& user) override { Must(journal_.EraseUser(user, kNever)); }

 private:
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  InMemoryShortTermMemory short_term_;
  InMemoryMemoryGenerations generations_{store_};
};

std::vector<TierWorldKind> BothWorlds() {
  return {{"InMemory", MakeInMemoryWorld},
          {"Sqlite", [] { return std::make_unique<SqliteWorld>(); }}};
}

}  // namespace

std::vector<TierWorldKind> ShortTermWorlds() {
  return BothWorlds();
}

std::vector<TierWorldKind> EpisodicWorlds() {
  std::vector<TierWorldKind> worlds = BothWorlds();
  worlds.push_back({"SqliteInTheFile", [] {
                      return std::make_unique<SqliteWorld>(
                          SqliteEpisodicMemory::Options{.cached_documents_max = 0});
                    }});
  // Room for one user at a time.
  worlds.push_back({"SqliteCacheTooSmall", [] {
                      return std::make_unique<SqliteWorld>(
                          SqliteEpisodicMemory::Options{.cache_bytes_max = 1});
                    }});
  return worlds;
}

std::vector<TierWorldKind> SemanticWorlds() {
  std::vector<TierWorldKind> worlds = BothWorlds();
  worlds.push_back({"SqliteInTheFile", [] {
                      return std::make_unique<SqliteWorld>(
                          SqliteEpisodicMemory::Options{},
                          SqliteSemanticMemory::Options{.cached_facts_of_user_max = 0});
                    }});
  // As beside a ledger in another database.
  worlds.push_back({"SqliteUnfenced", [] {
                      return std::make_unique<SqliteWorld>(
                          SqliteEpisodicMemory::Options{},
                          SqliteSemanticMemory::Options{.fenced = false});
                    }});
  return worlds;
}

std::vector<TierWorldKind> ProceduralWorlds() {
  return BothWorlds();
}

std::vector<TierWorldKind> GenerationWorlds() {
  return {{"InMemory", [] { return std::make_unique<InMemoryGenerationsWorld>(); }},
          {"Sqlite", [] { return std::make_unique<SqliteWorld>(); }},
          {"SqliteInTheFile", [] {
             return std::make_unique<SqliteWorld>(
                 SqliteEpisodicMemory::Options{.cached_documents_max = 0},
                 SqliteSemanticMemory::Options{.cached_facts_of_user_max = 0});
           }}};
}

std::vector<TierWorldKind> FencedWorlds() {
  return {{"Sqlite", [] { return std::make_unique<SqliteWorld>(); }}};
}

std::vector<TierWorldKind> FencedSemanticWorlds() {
  return FencedWorlds();
}

std::vector<TierWorldKind> ModelledWorlds() {
  return FencedWorlds();
}

}  // namespace umbranet
