#include "umbranet/adapters/sqlite/sqlite_move_source.h"

#include <array>
#include <utility>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectBounds =
    "SELECT max((SELECT value FROM ledger_value WHERE name = 'last_seq'),"
    " (SELECT coalesce(max(seq), 0) FROM turn), (SELECT coalesce(max(seq), 0) FROM job)),"
    " (SELECT value FROM ledger_value WHERE name = 'fence'),"
    " max((SELECT value FROM ledger_value WHERE name = 'last_now'),"
    " (SELECT coalesce(max(enqueued_at), 0) FROM job))";
// Changes with whatever is accepted, reflected, edited, erased, summarised, consolidated, embedded
// or paid for.
constexpr std::string_view kSelectFingerprint =
    "SELECT (SELECT count(*) || ' ' || coalesce(max(seq), 0) FROM turn)"
    " || ' ' || (SELECT count(*) || ' ' || total(state) || ' ' || total(attempts + crashes)"
    " || ' ' || total(finished_at) || ' ' || total(generation) FROM job)"
    " || ' ' || (SELECT coalesce(max(id), 0) FROM audit)"
    " || ' ' || (SELECT count(*) || ' ' || total(stored_at) FROM answer)"
    " || ' ' || (SELECT count(*) || ' ' || total(erased_at) FROM account)"
    " || ' ' || (SELECT total(revision) || ' ' || total(documents) FROM corpus)"
    " || ' ' || (SELECT count(*) FROM erased_memory)"
    " || ' ' || (SELECT count(*) || ' ' || coalesce(max(vector_key), 0) FROM episode_vector)"
    " || ' ' || (SELECT total(through_sequence) || ' ' || total(length(summary))"
    " FROM session_summary)"
    " || ' ' || (SELECT count(*) || ' ' || total(parted_at) FROM entity_merge)"
    " || ' ' || (SELECT count(*) || ' ' || coalesce(max(statement_key), 0) || ' '"
    " || total(length(edited_text)) || ' ' || total(edited_valid_to) FROM fact_statement)"
    " || ' ' || (SELECT count(*) || ' ' || coalesce(max(statement_key), 0) || ' '"
    " || total(length(edited_text)) || ' ' || total(edited_withdrawn_at) FROM rule_statement)"
    " || ' ' || (SELECT count(*) || ' ' || coalesce(max(consolidated_key), 0)"
    " FROM consolidated_episode)"
    " || ' ' || (SELECT count(*) || ' ' || total(until_at) FROM consolidation_left_alone)"
    " || ' ' || (SELECT total(calls) FROM model_usage)";
constexpr std::string_view kSelectUsers =
    "SELECT user_key, tenant, user_id FROM account ORDER BY user_key";
constexpr std::string_view kSelectSummaries =
    "SELECT session_id, through_sequence, summary FROM session_summary WHERE user_key = ?"
    " ORDER BY session_id";
constexpr std::string_view kSelectNames =
    "SELECT name, as_alias, first_at, first_sequence, first_ordinal, display, type, type_at,"
    " type_sequence, type_ordinal, last_at, last_sequence FROM entity_name WHERE user_key = ?"
    " ORDER BY name";
constexpr std::string_view kSelectMerges =
    "SELECT name, other, interaction_id, occurred_at, sequence, recorded_at, last_sequence,"
    " parted_at, parted_through FROM entity_merge WHERE user_key = ? ORDER BY name, other";
constexpr std::string_view kSelectStatements =
    "SELECT statement_id, occurred_at, sequence, interaction_id, ordinal, recorded_at,"
    " subject_name, predicate, qualifier, object, object_is_entity, ends_name, negated, supersedes,"
    " retracts, text, valid_from, valid_to, confidence, edited_text, edited_valid_to"
    " FROM fact_statement WHERE user_key = ? ORDER BY statement_key";
constexpr std::string_view kSelectErasedFacts =
    "SELECT id, interaction_id FROM erased_memory WHERE user_key = ? AND tier = 2 ORDER BY id";
constexpr std::string_view kSelectAppliedToFacts =
    "SELECT job_id FROM tier_applied WHERE user_key = ? AND tier = 2 ORDER BY job_id";

constexpr std::string_view kOwnerColumn = "user_key";
constexpr std::string_view kSelectMemory =
    "SELECT memory_key FROM memory_generation WHERE user_key = ? AND state = 1";

struct Selection {
  std::string_view table;
  std::string_view select;  // The columns as in MovedTables.
  std::string_view count;
  // The rows are asked for by the key of the user's memory, and moved under his own.
  bool of_memory = false;
};

// Tiers 1 and 3: what belongs to tier 2 moves as Knowledge.
constexpr std::array<Selection, 18> kSelections = {{
    {"account",
     "SELECT user_key, tenant, user_id, accepted, reflected, dead, erased_at FROM account"
     " ORDER BY user_key",
     ""},
    {"embedding_space", "SELECT space_key, space FROM embedding_space ORDER BY space_key", ""},
    {"model_usage",
     "SELECT day, tenant, model, purpose, first_day, calls, failed, prompt_tokens,"
     " completion_tokens, cost FROM model_usage ORDER BY day, tenant, model, purpose",
     ""},
    {"turn",
     "SELECT seq, user_key, interaction_id, session_id, speaker, occurred_at, accepted_at,"
     " priority, origin, past_generation, past_state, metadata, user_message, assistant_response"
     " FROM turn WHERE user_key = ? ORDER BY seq",
     "SELECT count(*) FROM turn WHERE user_key = ?"},
    // A lease ends with its process.
    {"job",
     "SELECT seq, user_key, job_id, generation, priority, mode, iif(state = 1, 0, state), attempts,"
     " crashes + (state = 1), solo OR state = 1, tiers_done, enqueued_at, due_at, available_at,"
     " holds_user, finished_at, interaction_id, traceparent, last_error, last_error_tier,"
     " fallback FROM job WHERE user_key = ? ORDER BY seq",
     "SELECT count(*) FROM job WHERE user_key = ?"},
    {"former_job",
     "SELECT job_id, user_key, interaction_id, generation, priority, mode, state, attempts, "
     "crashes,"
     " tiers_done, enqueued_at, finished_at, traceparent, last_error, last_error_tier,"
     " fallback FROM former_job WHERE user_key = ? ORDER BY job_id",
     "SELECT count(*) FROM former_job WHERE user_key = ?"},
    {"plan",
     "SELECT p.seq, p.plan FROM job j JOIN plan p ON p.seq = j.seq WHERE j.user_key = ?"
     " ORDER BY p.seq",
     "SELECT count(*) FROM job j JOIN plan p ON p.seq = j.seq WHERE j.user_key = ?"},
    {"attempt",
     "SELECT a.seq, a.ordinal, a.attempt, a.at, a.kind, a.tier, a.error"
     " FROM job j JOIN attempt a ON a.seq = j.seq WHERE j.user_key = ? ORDER BY a.seq, a.ordinal",
     "SELECT count(*) FROM job j JOIN attempt a ON a.seq = j.seq WHERE j.user_key = ?"},
    {"audit",
     "SELECT id, at, actor, action, job_id, user_key, reason FROM audit WHERE user_key = ?"
     " ORDER BY id",
     "SELECT count(*) FROM audit WHERE user_key = ?"},
    {"answer",
     "SELECT tenant, idempotency_key, user_key, fingerprint, http_status, body, stored_at"
     " FROM answer WHERE user_key = ? ORDER BY tenant, idempotency_key",
     "SELECT count(*) FROM answer WHERE user_key = ?"},
    {"tier_applied",
     "SELECT user_key, tier, job_id FROM tier_applied WHERE user_key = ? AND tier <> 2"
     " ORDER BY tier, job_id",
     "SELECT count(*) FROM tier_applied WHERE user_key = ? AND tier <> 2", true},
    {"erased_memory",
     "SELECT user_key, tier, id, interaction_id FROM erased_memory WHERE user_key = ?"
     " AND tier <> 2 ORDER BY tier, id",
     "SELECT count(*) FROM erased_memory WHERE user_key = ? AND tier <> 2"},
    {"episode",
     "SELECT e.episode_key, e.user_key, s.session_id, e.sequence, e.ordinal, e.occurred_at, e.role,"
     " e.length, e.importance, e.memory_id, e.interaction_id, e.speaker, e.event_times, e.text,"
     " e.terms, e.edited FROM episode e JOIN episode_session s ON s.session_key = e.session_key"
     " WHERE e.user_key = ? ORDER BY e.episode_key",
     "SELECT count(*) FROM episode WHERE user_key = ?", true},
    {"episode_vector",
     "SELECT v.episode_key, v.vector_key, v.user_key, v.space_key, v.role, e.occurred_at, v.vector"
     " FROM episode_vector v JOIN episode e ON e.episode_key = v.episode_key WHERE v.user_key = ?"
     " ORDER BY v.vector_key",
     "SELECT count(*) FROM episode_vector v JOIN episode e ON e.episode_key = v.episode_key"
     " WHERE v.user_key = ?",
     true},
    {"rule_statement",
     "SELECT statement_key, user_key, statement_id, interaction_id, occurred_at, sequence, ordinal,"
     " recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text, edited_text,"
     " edited_withdrawn_at FROM rule_statement WHERE user_key = ? ORDER BY statement_key",
     "SELECT count(*) FROM rule_statement WHERE user_key = ?", true},
    {"consolidated_episode",
     "SELECT consolidated_key, user_key, memory_id, session_id, from_at, until_at, made_at, model,"
     " text, terms FROM consolidated_episode WHERE user_key = ? ORDER BY consolidated_key",
     "SELECT count(*) FROM consolidated_episode WHERE user_key = ?", true},
    {"consolidated_source",
     "SELECT s.consolidated_key, s.place, s.episode_key FROM consolidated_episode c"
     " JOIN consolidated_source s ON s.consolidated_key = c.consolidated_key WHERE c.user_key = ?"
     " ORDER BY s.consolidated_key, s.place",
     "SELECT count(*) FROM consolidated_episode c JOIN consolidated_source s"
     " ON s.consolidated_key = c.consolidated_key WHERE c.user_key = ?",
     true},
    {"consolidation_left_alone",
     "SELECT user_key, memory_id, until_at FROM consolidation_left_alone WHERE user_key = ?"
     " ORDER BY memory_id",
     "SELECT count(*) FROM consolidation_left_alone WHERE user_key = ?"},
}};

Result<const Selection*> SelectionOf(const MovedTable& table) {
  for (const Selection& selection : kSelections) {
    if (selection.table == table.name) {
      return &selection;
    }
  }
  return Internal("sqlite: no rows of " + std::string(table.name) + " are moved");
}

MovedValue ReadValue(const SqliteStatement& row, int column, MovedKind kind) {
  if (row.IsNull(column)) {
    return std::monostate();
  }
  switch (kind) {
    case MovedKind::kInteger:
    case MovedKind::kFlag:
      return row.Int(column);
    case MovedKind::kReal:
      return row.Real(column);
    case MovedKind::kId:
    case MovedKind::kWords:
    case MovedKind::kTerms:
      return row.String(column);
    case MovedKind::kBytes:
      break;
  }
  return std::string(row.Blob(column));
}

// The key of the memory in force of the user with that key.
Result<std::int64_t> MemoryOf(SqliteConnection& connection, std::int64_t user_key) {
  SqliteStatement row = connection.Prepare(kSelectMemory);
  row.BindAll(user_key);
  const std::int64_t memory = row.Step() ? row.Int(0) : user_key;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return memory;
}

Status ReadNames(SqliteConnection& connection, std::int64_t user_key, KnowledgeRows& rows) {
  SqliteStatement names = connection.Prepare(kSelectNames);
  names.BindAll(user_key);
  while (names.Step()) {
    KnownName row;
    row.first = {names.Int(1) != 0, names.Time(2), names.Int(3), names.Int(4), names.String(5)};
    row.type = ParseEntityType(names.Text(6)).value_or(EntityType::kOther);
    row.typed = {false, names.Time(7), names.Int(8), names.Int(9), ""};
    row.last_at = names.Time(10);
    row.last_sequence = names.Int(11);
    rows.names.emplace_back(names.String(0), std::move(row));
  }
  UMBRANET_RETURN_IF_ERROR(names.status());
  SqliteStatement merges = connection.Prepare(kSelectMerges);
  merges.BindAll(user_key);
  while (merges.Step()) {
    NameMerge row;
    row.interaction_id = merges.String(2);
    row.occurred_at = merges.Time(3);
    row.sequence = merges.Int(4);
    row.recorded_at = merges.Time(5);
    row.last_sequence = merges.Int(6);
    row.parted_at = merges.OptionalTime(7);
    row.parted_through = merges.OptionalInt(8);
    rows.merges.emplace_back(NamePair(merges.String(0), merges.String(1)), std::move(row));
  }
  return merges.status();
}

Status ReadStatements(SqliteConnection& connection, std::int64_t user_key, KnowledgeRows& rows) {
  SqliteStatement stored = connection.Prepare(kSelectStatements);
  stored.BindAll(user_key);
  while (stored.Step()) {
    KnowledgeRows::SaidAndEdited row;
    row.said.statement_id = stored.String(0);
    row.said.place = {stored.Time(1), stored.Int(2), stored.String(3),
                      static_cast<std::uint32_t>(stored.Int(4))};
    row.said.recorded_at = stored.Time(5);
    PlannedFact& fact = row.said.fact;
    // Names are told by their normal form alone; how they are shown is in the rows of names.
    fact.subject = stored.String(6);
    fact.predicate = ParsePredicate(stored.Text(7)).value_or(Predicate::kOther);
    fact.qualifier = stored.String(8);
    fact.object = stored.String(9);
    fact.object_is_entity = stored.Int(10) != 0;
    fact.ends_object = stored.String(11);
    fact.negated = stored.Int(12) != 0;
    fact.supersedes = stored.Int(13) != 0;
    fact.retracts = stored.Int(14) != 0;
    fact.text = stored.String(15);
    fact.valid_from = stored.OptionalTime(16);
    fact.valid_to = stored.OptionalTime(17);
    fact.confidence = stored.Real(18);
    if (!stored.IsNull(19)) {
      row.edits.text = stored.String(19);
    }
    row.edits.valid_to = stored.OptionalTime(20);
    rows.statements.push_back(std::move(row));
  }
  return stored.status();
}

}  // namespace

Result<MovedBounds> SqliteMoveSource::Bounds(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  MovedBounds bounds;
  {
    SqliteStatement row = reader->Prepare(kSelectBounds);
    if (row.Step()) {
      bounds.last_sequence = row.Int(0);
      bounds.last_fence = row.Int(1);
      bounds.last_now = row.Int(2);
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
  }
  SqliteStatement row = reader->Prepare(kSelectFingerprint);
  if (row.Step()) {
    bounds.fingerprint = Sha256Hex(row.Text(0));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return bounds;
}

Result<std::vector<MovedUser>> SqliteMoveSource::Users(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  std::vector<MovedUser> users;
  SqliteStatement rows = reader->Prepare(kSelectUsers);
  while (rows.Step()) {
    users.push_back({rows.Int(0), {rows.String(1), rows.String(2)}});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return users;
}

Status SqliteMoveSource::Read(const MovedTable& table, std::optional<std::int64_t> user_key,
                              std::size_t page, const MovedRowsSink& sink, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const Selection* selection, SelectionOf(table));
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  std::optional<std::int64_t> asked_for = user_key;
  std::optional<std::size_t> owner_column;
  if (selection->of_memory && user_key.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(asked_for, MemoryOf(*reader, *user_key));
    for (std::size_t i = 0; i < table.columns.size() && asked_for != user_key; ++i) {
      owner_column = table.columns[i].name == kOwnerColumn ? std::optional(i) : owner_column;
    }
  }
  SqliteStatement rows = reader->Prepare(selection->select);
  if (asked_for.has_value()) {
    rows.BindAll(*asked_for);
  }
  std::vector<MovedRow> taken;
  while (rows.Step()) {
    if (taken.size() == page) {
      UMBRANET_RETURN_IF_ERROR(sink(std::exchange(taken, {}), false));
    }
    MovedRow row;
    row.reserve(table.columns.size());
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      row.push_back(ReadValue(rows, static_cast<int>(i), table.columns[i].kind));
    }
    if (owner_column.has_value()) {
      row[*owner_column] = *user_key;
    }
    taken.push_back(std::move(row));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return sink(std::move(taken), true);
}

Result<std::uint64_t> SqliteMoveSource::Count(const MovedTable& table, std::int64_t user_key,
                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const Selection* selection, SelectionOf(table));
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  std::int64_t asked_for = user_key;
  if (selection->of_memory) {
    UMBRANET_ASSIGN_OR_RETURN(asked_for, MemoryOf(*reader, user_key));
  }
  SqliteStatement row = reader->Prepare(selection->count);
  row.BindAll(asked_for);
  const std::uint64_t count = row.Step() ? static_cast<std::uint64_t>(row.Int(0)) : 0;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return count;
}

Result<std::vector<MovedSummary>> SqliteMoveSource::Summaries(std::int64_t user_key,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  std::vector<MovedSummary> summaries;
  SqliteStatement rows = reader->Prepare(kSelectSummaries);
  rows.BindAll(user_key);
  while (rows.Step()) {
    summaries.push_back({rows.String(0), rows.Int(1), rows.String(2)});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return summaries;
}

Result<KnowledgeRows> SqliteMoveSource::Knowledge(std::int64_t user_key, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  KnowledgeRows rows;
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t memory, MemoryOf(*reader, user_key));
  UMBRANET_RETURN_IF_ERROR(ReadNames(*reader, memory, rows));
  UMBRANET_RETURN_IF_ERROR(ReadStatements(*reader, memory, rows));
  {
    SqliteStatement erased = reader->Prepare(kSelectErasedFacts);
    erased.BindAll(user_key);
    while (erased.Step()) {
      SaidFact said;
      said.statement_id = erased.String(0);
      said.place.interaction_id = erased.String(1);
      rows.erased.push_back(std::move(said));
    }
    UMBRANET_RETURN_IF_ERROR(erased.status());
  }
  SqliteStatement applied = reader->Prepare(kSelectAppliedToFacts);
  applied.BindAll(memory);
  while (applied.Step()) {
    rows.applied.push_back(applied.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(applied.status());
  return rows;
}

}  // namespace umbranet
