#include "umbranet/adapters/postgres/postgres_procedural_memory.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/adapters/postgres/postgres_tier_book.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/rule_book.h"
#include "umbranet/domain/rule_history.h"

namespace umbranet {
namespace {

// Makes the row when there is none, and locks it.
constexpr std::string_view kOpenBook =
    "INSERT INTO rule_book(user_key) VALUES($1)"
    " ON CONFLICT (user_key) DO UPDATE SET user_key = excluded.user_key";
constexpr std::string_view kLockBook =
    "SELECT user_key FROM rule_book WHERE user_key = $1 FOR UPDATE";
constexpr std::string_view kInsertStatements =
    "INSERT INTO rule_statement(user_key, statement_id, interaction_id, occurred_at, sequence,"
    " ordinal, recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text)"
    " SELECT $1, n.statement_id, n.interaction_id, n.occurred_at, n.sequence, n.ordinal, $2,"
    " n.kind, n.negative <> 0, n.withdraws <> 0, n.confidence, n.rule_key, n.scope, n.text"
    " FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],"
    " $9::bigint[], $10::bigint[], $11::double precision[], $12::bytea[], $13::bytea[], "
    "$14::bytea[])"
    " AS n(statement_id, interaction_id, occurred_at, sequence, ordinal, kind, negative, withdraws,"
    " confidence, rule_key, scope, text)"
    " WHERE NOT EXISTS (SELECT 1 FROM erased_memory e"
    " WHERE e.user_key = $16 AND e.tier = $15 AND e.id = n.statement_id)"
    " ON CONFLICT (statement_id, user_key) DO NOTHING";
// What an owner changed in another generation.
constexpr std::string_view kInheritEdits =
    "UPDATE rule_statement n SET edited_text = o.edited_text,"
    " edited_withdrawn_at = o.edited_withdrawn_at FROM rule_statement o"
    " WHERE n.user_key = $1 AND n.statement_id = ANY($2::text[])"
    " AND o.statement_id = n.statement_id AND o.user_key <> n.user_key"
    " AND (o.edited_text IS NOT NULL OR o.edited_withdrawn_at IS NOT NULL)";
#define UMBRANET_SELECT_STATEMENTS(memory)                                                \
  "SELECT s.statement_key, s.statement_id, s.interaction_id, s.occurred_at, s.sequence,"  \
  " s.ordinal, s.recorded_at, s.kind, s.negative, s.withdraws, s.confidence, s.rule_key," \
  " s.scope, s.text, s.edited_text, s.edited_withdrawn_at FROM " memory                   \
  " JOIN rule_statement s ON s.user_key = m.memory_key WHERE s.occurred_at <= $3"         \
  " ORDER BY s.occurred_at, s.sequence, s.interaction_id, s.ordinal"
constexpr std::string_view kSelectStatements = UMBRANET_SELECT_STATEMENTS(UMBRANET_MEMORY_IN_FORCE);
constexpr std::string_view kSelectShadowStatements =
    UMBRANET_SELECT_STATEMENTS(UMBRANET_MEMORY_IN_SHADOW);
#define UMBRANET_SELECT_OWNER                                                    \
  "SELECT a.user_key, a.user_id FROM rule_statement s" UMBRANET_JOIN_ACCOUNT_OF( \
      "s") " WHERE s.statement_id = $1 AND a.tenant = $2 AND "
constexpr std::string_view kSelectOwner = UMBRANET_SELECT_OWNER UMBRANET_ROW_IS_IN_FORCE("s");
constexpr std::string_view kSelectShadowOwner = UMBRANET_SELECT_OWNER UMBRANET_ROW_IS_IN_SHADOW;
// In every generation.
constexpr std::string_view kSetEdits =
    "UPDATE rule_statement SET edited_text = coalesce($1::bytea, edited_text),"
    " edited_withdrawn_at = coalesce($2::bigint, edited_withdrawn_at) WHERE statement_id = $3";
constexpr std::string_view kDeleteStatements =
    "DELETE FROM rule_statement WHERE statement_id = ANY($1::text[])";
constexpr std::string_view kDeleteUser = "DELETE FROM rule_statement WHERE user_key = $1";
constexpr std::string_view kDeleteBook = "DELETE FROM rule_book WHERE user_key = $1";

std::string_view StatementsIn(GenerationState which) {
  return which == GenerationState::kInForce ? kSelectStatements : kSelectShadowStatements;
}

// Columns as in kSelectStatements.
KeptRuleStatement ReadStatement(const PostgresRow& row) {
  KeptRuleStatement kept;
  kept.key = row.Int(0);
  kept.statement_id = row.String(1);
  kept.recorded_at = row.Time(6);
  kept.statement = {
      {row.Time(3), row.Int(4), row.String(2), static_cast<std::uint32_t>(row.Int(5))},
      row.String(11),
      row.Bool(8),
      row.Bool(9),
      row.OptionalTime(15)};
  kept.kind = static_cast<RuleKind>(row.Int(7));
  kept.confidence = row.Real(10);
  kept.scope = row.String(12);
  kept.text = row.String(13);
  if (!row.IsNull(14)) {
    kept.edited_text = row.String(14);
  }
  return kept;
}

// Oldest first.
std::vector<KeptRule> RulesOf(const PostgresRows& rows, const UserKey& user) {
  std::vector<KeptRuleStatement> statements;
  statements.reserve(static_cast<std::size_t>(rows.size()));
  for (const PostgresRow row : rows) {
    statements.push_back(ReadStatement(row));
  }
  return FoldRules(user, statements);
}

// The user's rules as of a time, oldest first.
Result<std::vector<KeptRule>> ReadRules(PostgresConnection& connection, const UserKey& user,
                                        Timestamp until, GenerationState which) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(StatementsIn(which), user.tenant, user.user_id, until));
  return RulesOf(rows, user);
}

Result<std::vector<KeptRule>> AskRules(PostgresPool& pool, const UserKey& user, Timestamp until,
                                       GenerationState which, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, pool.Ask(deadline, StatementsIn(which),
                                                              user.tenant, user.user_id, until));
  return RulesOf(rows, user);
}

struct Owner {
  std::int64_t owner_key = 0;
  UserKey user;
  GenerationState which = GenerationState::kInForce;  // That it was found in.
  std::string_view statement_id;                      // Of the memory id that was asked for.
};

Result<std::optional<Owner>> FindOwner(PostgresConnection& connection, std::string_view tenant,
                                       std::string_view memory_id, GenerationState which) {
  std::optional<Owner> owner;
  if (!memory_id.starts_with(kRulePrefix)) {
    return owner;
  }
  const std::string_view statement_id = memory_id.substr(kRulePrefix.size());
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(which == GenerationState::kInForce ? kSelectOwner : kSelectShadowOwner,
                       statement_id, tenant));
  if (!rows.empty()) {
    owner = {rows[0].Int(0), {std::string(tenant), rows[0].String(1)}, which, statement_id};
  }
  return owner;
}

Result<std::optional<KeptRule>> ReadRule(PostgresConnection& connection, const Owner& owner) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<KeptRule> rules,
                            ReadRules(connection, owner.user, Timestamp::max(), owner.which));
  const KeptRule* const rule = RuleOfStatement(rules, owner.statement_id);
  return rule == nullptr ? std::nullopt : std::optional(*rule);
}

// The rule that the statement bears witness to, and nobody else writes the user's rules until the
// transaction ends.
Result<std::optional<KeptRule>> LockRule(PostgresConnection& connection, const Owner& owner) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows locked,
                            connection.Query(kLockBook, owner.owner_key));
  return ReadRule(connection, owner);
}

// Statements of plans as parallel columns; refers to the plans.
struct StatementColumns {
  std::vector<std::string> statement_ids;
  std::vector<std::string> interaction_ids;
  std::vector<Timestamp> occurred_at;
  std::vector<std::int64_t> sequences;
  std::vector<std::int64_t> ordinals;
  std::vector<std::int64_t> kinds;
  std::vector<std::int64_t> negative;
  std::vector<std::int64_t> withdraws;
  std::vector<double> confidences;
  std::vector<PostgresBytes> keys;
  std::vector<PostgresBytes> scopes;
  std::vector<PostgresBytes> texts;

  void Add(const ReflectionPlan& plan) {
    std::int64_t ordinal = -1;
    for (const PlannedRule& rule : plan.rules) {
      statement_ids.push_back(MakeStatementId(plan.user, plan.interaction_id, rule));
      interaction_ids.push_back(plan.interaction_id);
      occurred_at.push_back(plan.occurred_at);
      sequences.push_back(plan.sequence);
      ordinals.push_back(++ordinal);
      kinds.push_back(static_cast<std::int64_t>(rule.kind));
      negative.push_back(rule.negative ? 1 : 0);
      withdraws.push_back(rule.withdraws ? 1 : 0);
      confidences.push_back(rule.confidence);
      keys.push_back({rule.key});
      scopes.push_back({rule.scope});
      texts.push_back({rule.text});
    }
  }
};

Status AddStatements(PostgresConnection& connection, const PostgresMemory& memory, Timestamp now,
                     const StatementColumns& said) {
  std::vector<PostgresCommand> commands{
      MakeCommand(kOpenBook, memory.owner_key),
      MakeCommand(kInsertStatements, memory.memory_key, now, said.statement_ids,
                  said.interaction_ids, said.occurred_at, said.sequences, said.ordinals, said.kinds,
                  said.negative, said.withdraws, said.confidences, said.keys, said.scopes,
                  said.texts, Tier::kProcedural, memory.owner_key)};
  if (memory.has_others) {
    commands.push_back(MakeCommand(kInheritEdits, memory.memory_key, said.statement_ids));
  }
  const auto added = connection.RunAll(commands);
  return added.ok() ? Status() : added.error();
}

Status EraseRules(PostgresConnection& connection, std::int64_t memory_key) {
  UMBRANET_RETURN_IF_ERROR(CloseBook(connection, memory_key, Tier::kProcedural));
  const Result<std::int64_t> deleted = connection.Run(kDeleteUser, memory_key);
  return deleted.ok() ? Status() : deleted.error();
}

}  // namespace

Status PostgresProceduralMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                       Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresTierApplication application,
            BeginApplication(connection, Tier::kProcedural, plans, fence, which_));
        StatementColumns said;
        for (const ReflectionPlan* plan : application.plans) {
          said.Add(*plan);
        }
        return said.statement_ids.empty()
                   ? Status()
                   : AddStatements(connection, application.memory, clock_.Now(), said);
      },
      PostgresDurability::kSoon);
}

Result<MemoryPage> PostgresProceduralMemory::List(const UserKey& user, std::string_view cursor,
                                                  std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("postgres: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<KeptRule> rules,
                            AskRules(pool_, user, Timestamp::max(), which_, deadline));
  return PageOfRules(std::move(rules), *after, limit);
}

Result<std::optional<MemoryItem>> PostgresProceduralMemory::Get(std::string_view tenant,
                                                                std::string_view memory_id,
                                                                Deadline deadline) {
  using Item = std::optional<MemoryItem>;
  return pool_.Read(deadline, [&](PostgresConnection& connection) -> Result<Item> {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<Owner> owner,
                              FindOwner(connection, tenant, memory_id, which_));
    if (!owner.has_value()) {
      return Item();
    }
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<KeptRule> rule, ReadRule(connection, *owner));
    return rule.has_value() ? Item(RuleItem(rule->rule)) : Item();
  });
}

Result<std::optional<MemoryItem>> PostgresProceduralMemory::Update(std::string_view tenant,
                                                                   std::string_view memory_id,
                                                                   const MemoryPatch& patch,
                                                                   Deadline deadline) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("postgres: text: must not be empty");
  }
  const auto text = patch.text.has_value() ? std::optional(PostgresBytes{*patch.text})
                                           : std::optional<PostgresBytes>();
  using Item = std::optional<MemoryItem>;
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<Item> {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Owner> owner,
                                  FindOwner(connection, tenant, memory_id, which_));
        if (!owner.has_value()) {
          return Item();
        }
        UMBRANET_ASSIGN_OR_RETURN(std::optional<KeptRule> rule, LockRule(connection, *owner));
        if (!rule.has_value()) {
          return Item();
        }
        UMBRANET_ASSIGN_OR_RETURN(
            const std::int64_t edited,
            connection.Run(kSetEdits, text, patch.valid_to, rule->statement_ids.front()));
        UMBRANET_ASSIGN_OR_RETURN(rule, ReadRule(connection, *owner));
        return edited > 0 && rule.has_value() ? Item(RuleItem(rule->rule)) : Item();
      });
}

Result<bool> PostgresProceduralMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                             Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<bool> {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Owner> owner,
                                  FindOwner(connection, tenant, memory_id, which_));
        if (!owner.has_value()) {
          return false;
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<KeptRule> rule, LockRule(connection, *owner));
        if (!rule.has_value()) {
          return false;
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::int64_t deleted,
                                  connection.Run(kDeleteStatements, rule->statement_ids));
        UMBRANET_RETURN_IF_ERROR(RememberErasures(connection, owner->owner_key, Tier::kProcedural,
                                                  rule->statement_ids, rule->interaction_ids));
        return deleted > 0;
      });
}

Result<std::uint64_t> PostgresProceduralMemory::EraseUser(const UserKey& user, Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::uint64_t> {
        UMBRANET_RETURN_IF_ERROR(EndOtherMemories(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> memory,
                                  FindMemory(connection, user, GenerationState::kInForce));
        if (!memory.has_value()) {
          return std::uint64_t{0};
        }
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows locked,
                                  connection.Query(kLockBook, memory->owner_key));
        UMBRANET_ASSIGN_OR_RETURN(
            const std::vector<KeptRule> rules,
            ReadRules(connection, user, Timestamp::max(), GenerationState::kInForce));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, memory->owner_key));
        for (const std::int64_t key : memories) {
          UMBRANET_RETURN_IF_ERROR(EraseRules(connection, key));
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteBook, memory->owner_key));
        return std::uint64_t{rules.size()};
      });
}

Status PostgresProceduralMemory::EraseMemory(std::int64_t memory_key, Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) { return EraseRules(connection, memory_key); });
}

Result<std::vector<Rule>> PostgresProceduralMemory::Active(const UserKey& user,
                                                           std::optional<Timestamp> as_of,
                                                           std::size_t limit, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<KeptRule> rules,
      AskRules(pool_, user, as_of.value_or(Timestamp::max()), which_, deadline));
  return RulesInForce(std::move(rules), as_of.value_or(clock_.Now()), limit);
}

}  // namespace umbranet
