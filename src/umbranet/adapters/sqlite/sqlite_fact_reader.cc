#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "umbranet/domain/memory_item.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectFact =
    "SELECT h.statement_id, h.subject_root, h.predicate, h.qualifier, h.qualifier_name, h.object,"
    " h.object_root, h.object_is_entity, h.negated, h.text, h.occurred_at, h.sequence, h.ordinal,"
    " h.recorded_at, h.ended_at, h.superseded_by, s.statement_id, h.length, h.terms,"
    " h.confidence, h.valid_from, h.edited_text"
    " FROM fact_statement h LEFT JOIN fact_statement s ON s.statement_key = h.superseded_by"
    " WHERE h.statement_key = ? AND h.head = h.statement_key";
constexpr std::string_view kSelectWitnesses =
    "SELECT interaction_id, confidence, valid_from, edited_text FROM fact_statement"
    " INDEXED BY fact_statement_by_witness WHERE head = ? AND occurred_at <= ?"
    " ORDER BY occurred_at DESC, sequence DESC, interaction_id DESC, ordinal DESC LIMIT ?";
constexpr std::string_view kCountWitnesses =
    "SELECT count(DISTINCT interaction_id) FROM fact_statement"
    " INDEXED BY fact_statement_by_witness WHERE head = ? AND occurred_at <= ?";
constexpr std::string_view kSelectStatementId =
    "SELECT statement_id FROM fact_statement WHERE statement_key = ?";

std::string FactId(std::string_view statement_id) {
  return std::string(kFactPrefix) + std::string(statement_id);
}

}  // namespace

Result<std::optional<StoredFact>> SqliteFactReader::Read(std::int64_t head) {
  StoredFact stored;
  stored.head = head;
  Fact& fact = stored.fact;
  FactSlot slot;
  std::string object_root;
  {
    SqliteStatement row = connection_.Prepare(kSelectFact);
    row.BindAll(head);
    const bool there = row.Step() && row.Time(10) <= as_of_.value_or(Timestamp::max());
    if (!there) {
      UMBRANET_RETURN_IF_ERROR(row.status());
      return std::optional<StoredFact>();
    }
    fact.memory_id = FactId(row.Text(0));
    fact.user = user_;
    slot = {row.String(1), row.String(2), row.String(4)};
    fact.predicate = ParsePredicate(slot.predicate).value_or(Predicate::kOther);
    fact.qualifier = row.String(3);
    fact.object = row.String(5);
    object_root = row.Int(7) != 0 ? row.String(6) : "";
    fact.negated = row.Int(8) != 0;
    fact.text = row.String(9);
    fact.occurred_at = row.Time(10);
    fact.recorded_at = row.Time(13);
    fact.valid_to = row.OptionalTime(14);
    stored.superseded_by = row.OptionalInt(15);
    if (stored.superseded_by.has_value()) {
      fact.superseded_by = FactId(row.Text(16));
    }
    stored.length = static_cast<std::uint32_t>(row.Int(17));
    stored.terms = row.String(18);
    fact.confidence = row.Real(19);
    fact.valid_from = row.OptionalTime(20);
    if (!row.IsNull(21)) {
      fact.text = row.String(21);
    }
    stored.place = {fact.occurred_at, row.Int(11), row.Int(12), fact.memory_id};
  }
  if (as_of_.has_value()) {
    UMBRANET_RETURN_IF_ERROR(ReadPast(slot, stored));
  }
  UMBRANET_ASSIGN_OR_RETURN(const Entity* subject, resolver_.Read(user_, slot.subject_root));
  fact.subject_id = subject->entity_id;
  fact.subject = subject->name;
  if (!object_root.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const Entity* object, resolver_.Read(user_, object_root));
    fact.object_id = object->entity_id;
  }
  UMBRANET_RETURN_IF_ERROR(ReadWitnesses(stored));
  return std::optional(std::move(stored));
}

Status SqliteFactReader::ReadWitnesses(StoredFact& stored) {
  Fact& fact = stored.fact;
  const Timestamp horizon = as_of_.value_or(Timestamp::max());
  SqliteStatement witness = connection_.Prepare(kSelectWitnesses);
  witness.BindAll(stored.head, horizon, witnesses_max_);
  std::optional<Timestamp> earliest_start;
  bool edited = false;
  std::unordered_set<std::string> named;
  std::size_t read = 0;
  while (witness.Step()) {  // The latest first.
    ++read;
    fact.confidence = std::max(fact.confidence, witness.Real(1));
    earliest_start = witness.IsNull(2) ? earliest_start : witness.OptionalTime(2);
    if (!edited && !witness.IsNull(3)) {
      fact.text = witness.String(3);
      edited = true;
    }
    std::string interaction_id = witness.String(0);
    if (named.insert(interaction_id).second) {
      fact.sources.push_back({std::move(interaction_id), Role::kUser});
    }
  }
  UMBRANET_RETURN_IF_ERROR(witness.status());
  std::reverse(fact.sources.begin(), fact.sources.end());
  fact.evidence = static_cast<std::uint32_t>(fact.sources.size());
  if (read < witnesses_max_) {
    fact.valid_from = earliest_start;
  } else {  // The earliest were not read; what the head said of the start has to do.
    SqliteStatement count = connection_.Prepare(kCountWitnesses);
    count.BindAll(stored.head, horizon);
    fact.evidence = count.Step() ? static_cast<std::uint32_t>(count.Int(0)) : fact.evidence;
    UMBRANET_RETURN_IF_ERROR(count.status());
  }
  return {};
}

Status SqliteFactReader::ReadPast(const FactSlot& slot, StoredFact& stored) {
  auto known = past_.find(slot);
  if (known == past_.end()) {
    known = past_.emplace(slot, std::map<std::int64_t, Past>()).first;
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<StoredStatement> statements,
                              ReadSlot(connection_, user_key_, slot, std::nullopt, *as_of_));
    std::vector<FactStatement> plain;
    plain.reserve(statements.size());
    for (const StoredStatement& statement : statements) {
      plain.push_back(statement.statement);
    }
    const std::vector<StatementFate> fates = FoldFactStatements(plain);
    for (std::size_t i = 0; i < statements.size(); ++i) {
      Past& past = known->second[statements[i].key];
      past.valid_to = fates[i].valid_to;
      if (fates[i].superseded_by != kNoStatement) {
        past.superseded_by = statements[fates[i].superseded_by].key;
      }
    }
  }
  const Past& past = known->second[stored.head];
  stored.fact.valid_to = past.valid_to;
  if (past.superseded_by != stored.superseded_by) {
    stored.superseded_by = past.superseded_by;
    stored.fact.superseded_by.reset();
    if (past.superseded_by.has_value()) {
      SqliteStatement successor = connection_.Prepare(kSelectStatementId);
      successor.BindAll(*past.superseded_by);
      if (successor.Step()) {
        stored.fact.superseded_by = FactId(successor.Text(0));
      }
      UMBRANET_RETURN_IF_ERROR(successor.status());
    }
  }
  return {};
}

}  // namespace umbranet
