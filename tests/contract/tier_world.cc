#include "tests/contract/tier_world.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/in_memory_procedural_memory.h"
#include "tests/doubles/in_memory_semantic_memory.h"
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

class InMemoryWorld final : public TierWorld {
 public:
  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return episodic_; }

  SemanticMemory& semantic() override { return semantic_; }

  ProceduralMemory& procedural() override { return procedural_; }

  Interaction Accept(Interaction turn) override {
    turn.sequence = ++sequence_;
    return turn;
  }

  Lease Claim(std::span<const ReflectionPlan> /*plans*/) override { return {++token_}; }

  void Release(const Lease& /*lease*/) override {}

  void ForgetTurns(const UserKey& /*user*/) override {}

 private:
  InMemoryShortTermMemory short_term_;
  InMemoryEpisodicMemory episodic_;
  InMemorySemanticMemory semantic_{clock_};
  InMemoryProceduralMemory procedural_{clock_};
  std::int64_t sequence_ = 0;
  std::uint64_t token_ = 0;
};

class SqliteWorld final : public TierWorld {
 public:
  explicit SqliteWorld(SqliteEpisodicMemory::Options episodic = {})
      : folder_(std::filesystem::temp_directory_path() / ("umbranet-tiers-" + RandomHex(8))),
        database_(Must(SqliteDatabase::Open(clock_, Options(folder_)))),
        store_(Must(SqliteLedgerStore::Open(*database_, {}))),
        journal_(*store_),
        ledger_(*store_),
        short_term_(*database_),
        episodic_(*database_, episodic),
        semantic_(*database_),
        procedural_(*database_) {}

  ~SqliteWorld() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return episodic_; }

  SemanticMemory& semantic() override { return semantic_; }

  ProceduralMemory& procedural() override { return procedural_; }

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
  std::vector<Lease> others_;
};

}  // namespace

std::unique_ptr<TierWorld> MakeInMemoryWorld() {
  return std::make_unique<InMemoryWorld>();
}

std::unique_ptr<TierWorld> MakeSqliteWorld() {
  return std::make_unique<SqliteWorld>();
}

std::vector<TierWorldKind> AllTierWorlds() {
  return {{"InMemory", MakeInMemoryWorld}, {"Sqlite", MakeSqliteWorld}};
}

std::vector<TierWorldKind> EpisodicTierWorlds() {
  std::vector<TierWorldKind> worlds = AllTierWorlds();
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

std::vector<TierWorldKind> FencedTierWorlds() {
  return {{"Sqlite", MakeSqliteWorld}};
}

std::string TierWorldName(const testing::TestParamInfo<TierWorldKind>& info) {
  return info.param.name;
}

ReflectionPlan TierContract::NewPlan(const UserKey& user, int minute,
                                     const std::string& interaction_id,
                                     const std::string& session_id) {
  Interaction turn;
  turn.interaction_id =
      interaction_id.empty() ? "turn-" + std::to_string(++turns_) : interaction_id;
  turn.user = user;
  turn.session_id = session_id;
  turn.occurred_at = At(minute);
  turn.accepted_at = At(minute);
  turn.user_message = "hello";
  turn = world_->Accept(std::move(turn));
  ReflectionPlan plan;
  plan.job_id = MakeJobId(user, turn.interaction_id);
  plan.interaction_id = turn.interaction_id;
  plan.user = user;
  plan.session_id = session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  plan.extractor = "rules/1";
  return plan;
}

ReflectionPlan TierContract::NextGeneration(ReflectionPlan plan, std::uint32_t generation) {
  plan.job_id = MakeJobId(plan.user, plan.interaction_id, generation);
  return plan;
}

Status TierContract::TryApply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans) {
  const Lease lease = world_->Claim(plans);
  Status applied = tier.Apply(plans, lease, kNever);
  world_->Release(lease);
  return applied;
}

void TierContract::Apply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans) {
  const Status applied = TryApply(tier, plans);
  ASSERT_TRUE(applied.ok()) << applied.error().message;
}

std::vector<MemoryItem> TierContract::ListAll(MemoryTier& tier, const UserKey& user,
                                              std::size_t page) {
  std::vector<MemoryItem> all;
  std::string cursor;
  do {
    const auto listed = tier.List(user, cursor, page, kNever);
    EXPECT_TRUE(listed.ok());
    all.insert(all.end(), listed->items.begin(), listed->items.end());
    cursor = listed->next_cursor;
  } while (!cursor.empty());
  return all;
}

std::vector<std::string> TierContract::Texts(const std::vector<MemoryItem>& items) {
  std::vector<std::string> texts;
  for (const MemoryItem& item : items) {
    texts.push_back(item.text);
  }
  return texts;
}

}  // namespace umbranet
