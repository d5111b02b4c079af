// Goal: the pure pieces of a move say what they promise: where a sqlite:// URL leads, which lines
// of an export count as the same, and that rows of knowledge put together make what they came from.
// Method: direct calls.
#include "umbranet/app/data_move.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/app/composition_move.h"
#include "umbranet/domain/knowledge_rows.h"
#include "umbranet/domain/moved_rows.h"

namespace umbranet {
namespace {

TEST(SqliteUrl, NamesAFileOrTheFileOfAFolder) {
  EXPECT_EQ(ParseSqliteUrl("sqlite:///srv/memory/old.db").value(), "/srv/memory/old.db");
  EXPECT_EQ(ParseSqliteUrl("sqlite://old.db").value(), "old.db");
  EXPECT_EQ(ParseSqliteUrl("sqlite://" + ::testing::TempDir()).value(),
            ::testing::TempDir() + "umbranet.db");
}

TEST(SqliteUrl, RefusesWhatIsNone) {
  for (const std::string url : {"", "/srv/old.db", "sqlite:", "sqlite://", "postgres://h/n"}) {
    const auto parsed = ParseSqliteUrl(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(CanonicalExportLine, TakesALeaseForWhatItIsAfterTheMove) {
  EXPECT_EQ(CanonicalExportLine(R"({"type":"interaction","reflection":"leased"})"),
            R"({"type":"interaction","reflection":"queued"})");
  EXPECT_EQ(CanonicalExportLine(R"({"type":"interaction","reflection":"dead"})"),
            R"({"type":"interaction","reflection":"dead"})");
  EXPECT_EQ(CanonicalExportLine("no json"), "no json");
}

TEST(MovedTables, HaveNamesOfTheirOwnAndColumnsOfTheirOwn) {
  std::set<std::string_view> tables;
  for (const MovedTable& table : MovedTables()) {
    EXPECT_TRUE(tables.insert(table.name).second) << table.name;
    std::set<std::string_view> columns;
    for (const MovedColumn& column : table.columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << table.name << "." << column.name;
    }
  }
}

ReflectionPlan PlanOf(const UserKey& user, std::int64_t sequence, const std::string& city) {
  ReflectionPlan plan;
  plan.user = user;
  plan.interaction_id = "t" + std::to_string(sequence);
  plan.sequence = sequence;
  plan.occurred_at = FromUnixMillis(1'000 * sequence);
  plan.entities = {{.name = "Jonas", .type = EntityType::kPerson, .aliases = {"Joni"}},
                   {.name = city, .type = EntityType::kPlace, .aliases = {}}};
  PlannedFact fact;
  fact.subject = "Jonas";
  fact.predicate = Predicate::kLivesIn;
  fact.object = city;
  fact.object_is_entity = true;
  fact.text = "Jonas lives in " + city + ".";
  plan.facts = {fact};
  return plan;
}

TEST(KnowledgeRows, PutTogetherAreWhatTheyCameFrom) {
  const UserKey user{"default", "ana"};
  UserKnowledge original(user);
  const ReflectionPlan plans[] = {PlanOf(user, 1, "Bergen"), PlanOf(user, 2, "Oslo"),
                                  PlanOf(user, 3, "Rome")};
  const ReflectionPlan* const all[] = {&plans[0], &plans[1], &plans[2]};
  original.Apply(all, FromUnixMillis(9'000));
  const auto erased = original.Erase(original.heads().back()).erased;

  KnowledgeRows rows;
  for (const auto& [name, row] : original.names().names()) {
    rows.names.emplace_back(name, row);
  }
  for (const auto& [names, row] : original.names().merges()) {
    rows.merges.emplace_back(names, row);
  }
  for (std::size_t i = 0; i < original.statement_count(); ++i) {
    if (original.at(i).said != nullptr) {
      rows.statements.push_back({*original.at(i).said, original.at(i).edits});
    }
  }
  rows.erased = erased;
  UserKnowledge copy(user);
  const UserKnowledge::Changes changes = PutRows(rows, copy);

  ASSERT_EQ(copy.heads().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Fact& was = original.at(original.heads()[i]).fact->fact;
    const Fact& is = copy.at(copy.heads()[i]).fact->fact;
    EXPECT_EQ(was.memory_id, is.memory_id);
    EXPECT_EQ(was.subject_id, is.subject_id);
    EXPECT_EQ(was.superseded_by, is.superseded_by);
    EXPECT_EQ(was.valid_to, is.valid_to);
  }
  EXPECT_EQ(changes.statements.size(), 2U);
  EXPECT_EQ(changes.names.size(), original.names().names().size());
  EXPECT_EQ(changes.merges.size(), 1U);
  EXPECT_EQ(changes.erased.size(), 1U);
  // What was erased stays away.
  const ReflectionPlan* const again[] = {&plans[2]};
  copy.Apply(again, FromUnixMillis(9'500));
  EXPECT_EQ(copy.heads().size(), 2U);
}

}  // namespace
}  // namespace umbranet
