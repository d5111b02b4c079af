#include "umbranet/adapters/sqlite/sqlite_fact_slots.h"

#include <algorithm>

#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/fact.h"

namespace umbranet {
namespace {

// A macro, so that the statements stay constants.
#define UMBRANET_SLOT_COLUMNS                                                                \
  "SELECT statement_key, occurred_at, sequence, interaction_id, ordinal, object_root,"       \
  " ends_name, negated, supersedes, retracts, valid_from, valid_to, edited_valid_to, head,"  \
  " ended_at, superseded_by, terms IS NOT NULL, edited_text IS NOT NULL FROM fact_statement" \
  " WHERE user_key = ? AND subject_root = ? AND predicate = ? AND qualifier_name = ?"
constexpr std::string_view kSelectSlot =
    UMBRANET_SLOT_COLUMNS " AND occurred_at <= ? ORDER BY statement_key";
constexpr std::string_view kSelectValue =
    UMBRANET_SLOT_COLUMNS " AND occurred_at <= ? AND object_root = ? ORDER BY statement_key";
#undef UMBRANET_SLOT_COLUMNS
constexpr std::string_view kSelectReaching =
    "SELECT 1 FROM fact_statement WHERE user_key = ? AND subject_root = ? AND predicate = ?"
    " AND qualifier_name = ? AND reaches = 1 LIMIT 1";
constexpr std::string_view kSetFate =
    "UPDATE fact_statement SET head = ?, ended_at = ?, superseded_by = ? WHERE statement_key = ?";
constexpr std::string_view kSelectUses =
    "SELECT statement_key, subject_name, subject_root, predicate, qualifier_name, object_name,"
    " object_root, object_is_entity, reaches, occurred_at, sequence"
    " FROM fact_statement WHERE user_key = ?1 AND subject_name = ?2"
    " UNION SELECT statement_key, subject_name, subject_root, predicate, qualifier_name,"
    " object_name, object_root, object_is_entity, reaches, occurred_at, sequence"
    " FROM fact_statement WHERE user_key = ?1 AND object_name = ?2 AND object_is_entity = 1"
    " ORDER BY statement_key";
constexpr std::string_view kMoveStatement =
    "UPDATE fact_statement SET subject_root = ?, object_root = ? WHERE statement_key = ?";
constexpr std::string_view kSelectHeadsOf =
    "SELECT statement_key FROM fact_statement"
    " WHERE user_key = ?1 AND subject_root = ?2 AND head = statement_key"
    " UNION SELECT head FROM fact_statement"
    " WHERE user_key = ?1 AND object_root = ?2 AND object_is_entity = 1 AND head IS NOT NULL"
    " ORDER BY 1";
constexpr std::string_view kSelectDocument =
    "SELECT h.subject_root, h.object_root, h.object_is_entity, h.length, h.terms,"
    " h.head = h.statement_key, h.text, (SELECT w.edited_text FROM fact_statement w"
    "   WHERE w.head = h.statement_key AND w.edited_text IS NOT NULL"
    "   ORDER BY w.occurred_at DESC, w.sequence DESC, w.interaction_id DESC, w.ordinal DESC"
    "   LIMIT 1)"
    " FROM fact_statement h WHERE h.statement_key = ?";
constexpr std::string_view kSetTerms =
    "UPDATE fact_statement SET length = ?, terms = ? WHERE statement_key = ?";

struct Use {
  std::int64_t key = 0;
  std::string subject_name;
  FactSlot slot;
  std::string object_name;
  std::string object_root;
  bool object_is_entity = false;
  bool reaches = false;
  Timestamp occurred_at{};
  std::int64_t sequence = 0;
};

StoredStatement ReadStatement(const SqliteStatement& row, bool functional) {
  StoredStatement stored;
  stored.key = row.Int(0);
  FactStatement& statement = stored.statement;
  statement.place = {row.Time(1), row.Int(2), row.String(3),
                     static_cast<std::uint32_t>(row.Int(4))};
  statement.object_key = row.String(5);
  statement.ends_key = row.String(6);
  statement.functional = functional;
  statement.negated = row.Int(7) != 0;
  statement.supersedes = row.Int(8) != 0;
  statement.retracts = row.Int(9) != 0;
  statement.valid_from = row.OptionalTime(10);
  statement.valid_to = row.OptionalTime(11);
  statement.edited_valid_to = row.OptionalTime(12);
  stored.head = row.OptionalInt(13);
  stored.ended_at = row.OptionalTime(14);
  stored.superseded_by = row.OptionalInt(15);
  stored.indexed = row.Int(16) != 0;
  stored.edited_text = row.Int(17) != 0;
  return stored;
}

bool IsFunctionalSlot(const FactSlot& slot) {
  return IsFunctional(ParsePredicate(slot.predicate).value_or(Predicate::kOther));
}

}  // namespace

Result<std::vector<StoredStatement>> ReadSlot(SqliteConnection& connection, std::int64_t user_key,
                                              const FactSlot& slot,
                                              std::optional<std::string_view> object_root,
                                              Timestamp until) {
  SqliteStatement rows = connection.Prepare(object_root.has_value() ? kSelectValue : kSelectSlot);
  if (object_root.has_value()) {
    rows.BindAll(user_key, slot.subject_root, slot.predicate, slot.qualifier_name, until,
                 *object_root);
  } else {
    rows.BindAll(user_key, slot.subject_root, slot.predicate, slot.qualifier_name, until);
  }
  const bool functional = IsFunctionalSlot(slot);
  std::vector<StoredStatement> statements;
  while (rows.Step()) {
    statements.push_back(ReadStatement(rows, functional));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return statements;
}

void SqliteFactSlots::Touch(const FactSlot& slot, const std::string& object_root,
                            bool reaches_other_values) {
  Touched& touched = touched_[slot];
  touched.whole = touched.whole || reaches_other_values;
  touched.object_roots.insert(object_root);
}

Status SqliteFactSlots::TouchNamesOf(const std::string& root) {
  SqliteStatement heads = connection_.Prepare(kSelectHeadsOf);
  heads.BindAll(user_key_, root);
  while (heads.Step()) {
    to_index_.insert(heads.Int(0));
  }
  return heads.status();
}

Status SqliteFactSlots::MoveStatementsOf(const std::string& name) {
  std::vector<Use> uses;
  {
    SqliteStatement rows = connection_.Prepare(kSelectUses);
    rows.BindAll(user_key_, name);
    while (rows.Step()) {
      uses.push_back({rows.Int(0),
                      rows.String(1),
                      {rows.String(2), rows.String(3), rows.String(4)},
                      rows.String(5),
                      rows.String(6),
                      rows.Int(7) != 0,
                      rows.Int(8) != 0,
                      rows.Time(9),
                      rows.Int(10)});
    }
    UMBRANET_RETURN_IF_ERROR(rows.status());
  }
  for (const Use& use : uses) {
    UMBRANET_ASSIGN_OR_RETURN(const std::string subject_root,
                              resolver_.Resolve(use.subject_name, use.occurred_at, use.sequence));
    std::string object_root = use.object_root;
    if (use.object_is_entity && !use.object_name.empty()) {
      UMBRANET_ASSIGN_OR_RETURN(object_root,
                                resolver_.Resolve(use.object_name, use.occurred_at, use.sequence));
    }
    if (subject_root == use.slot.subject_root && object_root == use.object_root) {
      continue;
    }
    Touch(use.slot, use.object_root, use.reaches);
    FactSlot slot = use.slot;
    slot.subject_root = subject_root;
    Touch(slot, object_root, use.reaches);
    UMBRANET_RETURN_IF_ERROR(connection_.Run(kMoveStatement, subject_root, object_root, use.key));
    to_index_.insert(use.key);
  }
  return {};
}

Status SqliteFactSlots::Settle() {
  if (touched_.empty() && to_index_.empty()) {
    return {};
  }
  for (const auto& [slot, touched] : touched_) {
    UMBRANET_RETURN_IF_ERROR(SettleSlot(slot, touched));
  }
  touched_.clear();
  for (const std::int64_t head : to_index_) {
    UMBRANET_RETURN_IF_ERROR(Index(head));
  }
  revised_.merge(to_index_);
  to_index_.clear();
  UMBRANET_RETURN_IF_ERROR(MarkCorpusRevised(connection_, user_key_, CorpusKind::kFacts));
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t revision,
                            ReadCorpusRevision(connection_, user_key_, CorpusKind::kFacts));
  cache_.Touch(user_key_, revision, revised_);
  revised_.clear();
  return {};
}

Status SqliteFactSlots::SettleSlot(const FactSlot& slot, const Touched& touched) {
  bool whole = touched.whole || IsFunctionalSlot(slot);
  if (!whole) {
    SqliteStatement reaching = connection_.Prepare(kSelectReaching);
    reaching.BindAll(user_key_, slot.subject_root, slot.predicate, slot.qualifier_name);
    whole = reaching.Step();
    UMBRANET_RETURN_IF_ERROR(reaching.status());
  }
  if (whole) {
    UMBRANET_ASSIGN_OR_RETURN(
        const std::vector<StoredStatement> statements,
        ReadSlot(connection_, user_key_, slot, std::nullopt, Timestamp::max()));
    return Fold(statements, touched);
  }
  for (const std::string& object_root : touched.object_roots) {
    UMBRANET_ASSIGN_OR_RETURN(
        const std::vector<StoredStatement> statements,
        ReadSlot(connection_, user_key_, slot, object_root, Timestamp::max()));
    UMBRANET_RETURN_IF_ERROR(Fold(statements, touched));
  }
  return {};
}

Status SqliteFactSlots::Fold(const std::vector<StoredStatement>& statements,
                             const Touched& touched) {
  std::vector<FactStatement> plain;
  plain.reserve(statements.size());
  for (const StoredStatement& stored : statements) {
    plain.push_back(stored.statement);
  }
  const std::vector<StatementFate> fates = FoldFactStatements(plain);
  const auto key_of = [&](std::size_t index) {
    return index == kNoStatement ? std::nullopt : std::optional(statements[index].key);
  };
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const StoredStatement& stored = statements[i];
    const std::optional<std::int64_t> head = key_of(fates[i].head);
    const bool is_head = fates[i].head == i;
    const std::optional<std::int64_t> superseded_by = key_of(fates[i].superseded_by);
    const bool refated = head != stored.head || fates[i].valid_to != stored.ended_at ||
                         superseded_by != stored.superseded_by;
    // A value that gained or lost a statement has another weight, whatever became of its head.
    if (refated || touched.object_roots.contains(stored.statement.object_key)) {
      revised_.insert({stored.key, head.value_or(stored.key), stored.head.value_or(stored.key)});
    }
    if (is_head != stored.indexed) {
      to_index_.insert(stored.key);
    }
    if (stored.edited_text && head != stored.head) {
      to_index_.insert(head.value_or(stored.key));
      to_index_.insert(stored.head.value_or(stored.key));
    }
    if (refated) {
      UMBRANET_RETURN_IF_ERROR(
          connection_.Run(kSetFate, head, fates[i].valid_to, superseded_by, stored.key));
    }
  }
  return {};
}

Status SqliteFactSlots::Unindex(std::int64_t head) {
  revised_.insert(head);
  std::int64_t length = 0;
  std::string terms;
  {
    SqliteStatement document = connection_.Prepare(kSelectDocument);
    document.BindAll(head);
    if (!document.Step() || document.IsNull(4)) {
      return document.status();
    }
    length = document.Int(3);
    terms = document.String(4);
  }
  UMBRANET_RETURN_IF_ERROR(
      index_.Remove(connection_, head, {user_key_, static_cast<int>(CorpusKind::kFacts)}, terms));
  UMBRANET_RETURN_IF_ERROR(connection_.Run(kSetTerms, nullptr, nullptr, head));
  return GrowCorpus(connection_, user_key_, CorpusKind::kFacts, -1, -length);
}

Status SqliteFactSlots::Index(std::int64_t head) {
  std::string subject_root;
  std::string object_root;
  std::string text;
  std::optional<std::string> stored;
  bool is_head = false;
  {
    SqliteStatement document = connection_.Prepare(kSelectDocument);
    document.BindAll(head);
    if (!document.Step()) {
      return document.status();
    }
    subject_root = document.String(0);
    object_root = document.Int(2) != 0 ? document.String(1) : "";
    if (!document.IsNull(4)) {
      stored = document.String(4);
    }
    is_head = document.Int(5) != 0;
    text = document.IsNull(7) ? document.String(6) : document.String(7);
  }
  if (!is_head) {
    return Unindex(head);
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<std::string> names, resolver_.NamesOf(user_, subject_root));
  if (!object_root.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> more,
                              resolver_.NamesOf(user_, object_root));
    names.insert(names.end(), more.begin(), more.end());
  }
  const FactTerms analyzed = AnalyzeFact(text, names);
  const std::string terms = JoinTerms(analyzed.terms);
  if (stored == terms) {
    return {};
  }
  UMBRANET_RETURN_IF_ERROR(Unindex(head));
  UMBRANET_RETURN_IF_ERROR(connection_.Run(kSetTerms, analyzed.text_length, terms, head));
  UMBRANET_RETURN_IF_ERROR(
      index_.Add(connection_, head, {user_key_, static_cast<int>(CorpusKind::kFacts)}, terms));
  return GrowCorpus(connection_, user_key_, CorpusKind::kFacts, 1, analyzed.text_length);
}

}  // namespace umbranet
