// Goal: a file that united names before there was a log of it can tell, and undo, what it united.
// Method: a file with the older tables alone is filled by hand and then brought up to date.
#include "umbranet/adapters/sqlite/entity_merge_schema.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/ledger_schema.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"
#include "umbranet/adapters/sqlite/tier_schema.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kInsertName =
    "INSERT INTO entity_name(user_key, name, root, display, as_alias, first_at, first_sequence,"
    " first_ordinal, type, type_at, type_sequence, type_ordinal, last_at, last_sequence, claimed)"
    " VALUES(1, ?, ?, ?, 0, 1000, ?, 0, 'person', 0, 0, 0, 2000, 9, ?)";
constexpr std::string_view kInsertTurn =
    "INSERT INTO turn(seq, user_key, interaction_id, session_id, speaker, occurred_at, accepted_at,"
    " priority, origin, metadata, user_message, assistant_response)"
    " VALUES(7, 1, 'turn-7', 's', 'User', 1000, 1000, 1, 0, '{}', 'hello', '')";
constexpr std::string_view kInsertClaim =
    "INSERT INTO entity_claim(user_key, relation_name, name, first_at, first_sequence)"
    " VALUES(1, 'sister', 'liz', 1000, 7)";
constexpr std::string_view kSelectRoots =
    "SELECT name || '=' || root FROM entity_name ORDER BY name";

class EntityMergeSchema : public testing::Test {
 protected:
  ~EntityMergeSchema() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open(std::vector<SqliteMigration> steps) {
    database_.reset();
    SqliteDatabase::Options options;
    options.path = (folder_ / "umbranet.db").string();
    options.migrations = std::move(steps);
    auto opened = SqliteDatabase::Open(clock_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    database_ = std::move(opened).value();
  }

  void Write(const std::function<Status(SqliteConnection&)>& write) {
    const Status written =
        database_->Write(SqliteDatabase::Lane::kForeground, write, Deadline::Never());
    ASSERT_TRUE(written.ok()) << written.error().message;
  }

  ManualClock clock_;
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("umbranet-" + RandomHex(8));
  std::unique_ptr<SqliteDatabase> database_;
};

Status FillByHand(SqliteConnection& db) {
  UMBRANET_RETURN_IF_ERROR(db.Run(kInsertTurn));
  UMBRANET_RETURN_IF_ERROR(db.Run(kInsertName, "liz", "elizabeth", "Liz", 7, 0));
  UMBRANET_RETURN_IF_ERROR(db.Run(kInsertName, "elizabeth", "elizabeth", "Elizabeth", 3, 0));
  UMBRANET_RETURN_IF_ERROR(db.Run(kInsertName, "sister", "sister", "my sister", 7, 1));
  return db.Run(kInsertClaim);
}

TEST_F(EntityMergeSchema, TakesOverWhatWasUnitedBeforeAndCanUndoIt) {
  std::vector<SqliteMigration> steps = LedgerMigrations();
  for (const SqliteMigration& step : TierMigrations()) {
    steps.push_back(step);
  }
  Open(steps);
  Write(FillByHand);
  for (const SqliteMigration& step : EntityMergeMigrations()) {
    steps.push_back(step);
  }
  Open(steps);
  Write([](SqliteConnection& db) -> Status {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<EntityMerge> merges, ReadMerges(db, 1, 10));
    EXPECT_THAT(merges, SizeIs(2));
    EXPECT_EQ(merges.at(0).name + "+" + merges.at(0).other, "Elizabeth+Liz");
    EXPECT_EQ(merges.at(0).interaction_id, "turn-7");
    EXPECT_EQ(merges.at(1).name + "+" + merges.at(1).other, "my sister+Liz");
    UMBRANET_ASSIGN_OR_RETURN(const PartedNames parted,
                              PartNames(db, 1, "liz", "elizabeth", FromUnixMillis(3000)));
    EXPECT_EQ(parted.merges, 1U);
    EXPECT_THAT(parted.moved, UnorderedElementsAre("liz", "sister"));
    std::vector<std::string> roots;
    SqliteStatement rows = db.Prepare(kSelectRoots);
    while (rows.Step()) {
      roots.push_back(rows.String(0));
    }
    EXPECT_THAT(roots, UnorderedElementsAre("elizabeth=elizabeth", "liz=liz", "sister=sister"));
    return rows.status();
  });
}

}  // namespace
}  // namespace umbranet
