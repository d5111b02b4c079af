// Goal: no table and no index holds what was forgotten. Method: store turns with words that occur
// nowhere else, forget them, and look for the words in the bytes on the disk. SQLite zeroes what it
// deletes (secure_delete) but keeps copies of cells that it moved when a page was split, so the
// file is vacuumed before; what is left then is what some table holds.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"
#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"
#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

const Deadline kNever = Deadline::Never();

class SqliteForgetting : public testing::Test {
 protected:
  SqliteForgetting() {
    SqliteDatabase::Options options;
    options.path = (folder_ / "umbranet.db").string();
    auto opened = SqliteDatabase::Open(clock_, options);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    database_ = std::move(opened).value();
    auto store = SqliteLedgerStore::Open(*database_, {});
    EXPECT_TRUE(store.ok());
    store_ = std::move(store).value();
  }

  ~SqliteForgetting() override {
    Close();
    std::filesystem::remove_all(folder_);
  }

  void Close() {
    store_.reset();
    database_.reset();
  }

  // A turn with `word` in every place where a word can be, reflected into every tier.
  void Remember(const UserKey& user, const std::string& word) {
    Interaction turn;
    turn.interaction_id = "turn-" + word;
    turn.user = user;
    turn.session_id = "session-" + word;
    turn.speaker = "Speaker" + word;
    turn.occurred_at = clock_.Now();
    turn.user_message = "said " + word;
    turn.assistant_response = "answered " + word;
    SqliteJournal journal(*store_);
    const auto accepted = journal.Accept(std::vector{turn}, RunMode::kBackground, "", kNever);
    ASSERT_TRUE(accepted.ok());
    ReflectionPlan plan;
    plan.job_id = accepted->front().job_id;
    plan.interaction_id = turn.interaction_id;
    plan.user = user;
    plan.session_id = turn.session_id;
    plan.occurred_at = turn.occurred_at;
    plan.sequence = accepted->front().sequence;
    plan.episodes = {{Role::kUser, turn.speaker, turn.user_message, 0.5, {}}};
    plan.entities = {{"Name" + word, EntityType::kPerson, {"sister", "Alias" + word}}};
    PlannedFact fact;
    fact.subject = "Name" + word;
    fact.qualifier = "Kind" + word;
    fact.object = "Object" + word;
    fact.text = "fact of " + word;
    plan.facts = {fact};
    plan.rules = {{.text = "rule " + word, .scope = "Scope" + word, .key = "key " + word}};

    SqliteJobLedger ledger(*store_);
    const auto claimed = ledger.Claim({.worker = "test"}, kNever);
    ASSERT_TRUE(claimed.ok() && claimed->has_value());
    const Lease lease = claimed->value().lease;
    ASSERT_TRUE(episodic().Apply(std::vector{plan}, lease, kNever).ok());
    ASSERT_TRUE(semantic().Apply(std::vector{plan}, lease, kNever).ok());
    ASSERT_TRUE(procedural().Apply(std::vector{plan}, lease, kNever).ok());
    ASSERT_TRUE(ledger
                    .MarkTiersDone(
                        lease, std::vector<TierProgress>{{plan.job_id, kAllReflectedTiers}}, kNever)
                    .ok());
    ASSERT_TRUE(ledger.Settle(lease, {}, kNever).ok());
    SqliteShortTermMemory short_term(*database_);
    ASSERT_TRUE(
        short_term.SaveSummary(user, turn.session_id, plan.sequence, "summary " + word, kNever)
            .ok());
  }

  // Which files hold the word, in any case.
  std::vector<std::string> FilesWith(const std::string& word) {
    Close();
    {
      auto opened = SqliteConnection::Open(
          {.path = (folder_ / "umbranet.db").string(), .mode = SqliteConnection::Mode::kReadWrite});
      EXPECT_TRUE(opened.ok());
      EXPECT_TRUE((*opened)->Execute("VACUUM").ok());
    }
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      for (char& c : bytes) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      if (bytes.find(word) != std::string::npos) {
        files.push_back(entry.path().filename().string());
      }
    }
    return files;
  }

  SqliteEpisodicMemory& episodic() { return Made(episodic_); }

  SqliteSemanticMemory& semantic() { return Made(semantic_); }

  SqliteProceduralMemory& procedural() { return Made(procedural_); }

  template <typename Tier>
  Tier& Made(std::unique_ptr<Tier>& tier) {
    if (tier == nullptr) {
      tier = std::make_unique<Tier>(*database_);
    }
    return *tier;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("umbranet-forgetting-" + RandomHex(8));
  ManualClock clock_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteLedgerStore> store_;
  std::unique_ptr<SqliteEpisodicMemory> episodic_;
  std::unique_ptr<SqliteSemanticMemory> semantic_;
  std::unique_ptr<SqliteProceduralMemory> procedural_;
  const UserKey ana_{"default", "ana"};
  const UserKey ben_{"default", "ben"};
};

TEST_F(SqliteForgetting, AForgottenUserIsInNoByteOfTheFolder) {
  for (int i = 0; i < 30; ++i) {
    Remember(ben_, "walrus" + std::to_string(i));
    Remember(ana_, "quokka" + std::to_string(i));
  }
  SqliteJournal journal(*store_);
  ASSERT_TRUE(journal.EraseUser(ana_, kNever).ok());
  SqliteShortTermMemory short_term(*database_);
  EXPECT_EQ(*short_term.EraseUser(ana_, kNever), 30U);
  EXPECT_EQ(*episodic().EraseUser(ana_, kNever), 30U);
  EXPECT_EQ(*semantic().EraseUser(ana_, kNever), 30U);
  EXPECT_EQ(*procedural().EraseUser(ana_, kNever), 30U);
  EXPECT_THAT(FilesWith("quokka"), IsEmpty());
  EXPECT_THAT(FilesWith("walrus"), Not(IsEmpty()));
}

TEST_F(SqliteForgetting, WhatIsRememberedIsFoundByThisTest) {
  Remember(ana_, "quokka");
  EXPECT_THAT(FilesWith("quokka"), Not(IsEmpty()));
}

}  // namespace
}  // namespace umbranet
