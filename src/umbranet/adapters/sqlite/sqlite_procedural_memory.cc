#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"

#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/rule_book.h"
#include "umbranet/domain/rule_history.h"

namespace umbranet {
namespace {

constexpr std::string_view kInsertStatement =
    "INSERT INTO rule_statement(user_key, statement_id, interaction_id, occurred_at, sequence,"
    " ordinal, recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(statement_id, user_key) DO NOTHING";
// What an owner changed in another generation.
constexpr std::string_view kInheritEdits =
    "UPDATE rule_statement SET edited_text = o.edited_text,"
    " edited_withdrawn_at = o.edited_withdrawn_at FROM rule_statement o"
    " WHERE rule_statement.statement_id = ?1 AND rule_statement.user_key = ?2"
    " AND o.statement_id = ?1 AND o.user_key <> ?2"
    " AND (o.edited_text IS NOT NULL OR o.edited_withdrawn_at IS NOT NULL)";
constexpr std::string_view kSelectStatements =
    "SELECT statement_key, statement_id, interaction_id, occurred_at, sequence, ordinal,"
    " recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text, edited_text,"
    " edited_withdrawn_at FROM rule_statement WHERE user_key = ? AND occurred_at <= ?"
    " ORDER BY occurred_at, sequence, interaction_id, ordinal";
constexpr std::string_view kSelectOwner =
    "SELECT s.user_key, a.user_id FROM rule_statement s" UMBRANET_JOIN_OWNER(
        "s") " WHERE s.statement_id = ? AND a.tenant = ? AND " UMBRANET_STATE_OF_MEMORY " = ?";
constexpr std::string_view kSetEdits =
    "UPDATE rule_statement SET edited_text = coalesce(?, edited_text),"
    " edited_withdrawn_at = coalesce(?, edited_withdrawn_at) WHERE statement_id = ?";
constexpr std::string_view kDeleteStatement = "DELETE FROM rule_statement WHERE statement_id = ?";
constexpr std::string_view kDeleteUser = "DELETE FROM rule_statement WHERE user_key = ?";

// The user's rules as of a time, oldest first.
Result<std::vector<KeptRule>> ReadRules(SqliteConnection& connection, std::int64_t user_key,
                                        const UserKey& user, Timestamp until) {
  std::vector<KeptRuleStatement> statements;
  SqliteStatement row = connection.Prepare(kSelectStatements);
  row.BindAll(user_key, until);
  while (row.Step()) {
    KeptRuleStatement& kept = statements.emplace_back();
    kept.key = row.Int(0);
    kept.statement_id = row.String(1);
    kept.recorded_at = row.Time(6);
    kept.statement = {
        {row.Time(3), row.Int(4), row.String(2), static_cast<std::uint32_t>(row.Int(5))},
        row.String(11),
        row.Int(8) != 0,
        row.Int(9) != 0,
        row.OptionalTime(15)};
    kept.kind = static_cast<RuleKind>(row.Int(7));
    kept.confidence = row.Real(10);
    kept.scope = row.String(12);
    kept.text = row.String(13);
    if (!row.IsNull(14)) {
      kept.edited_text = row.String(14);
    }
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return FoldRules(user, statements);
}

struct Located {
  std::int64_t user_key = 0;
  KeptRule rule;
};

Result<std::optional<Located>> Locate(SqliteConnection& connection, std::string_view tenant,
                                      std::string_view memory_id, GenerationState which) {
  std::optional<Located> located;
  if (!memory_id.starts_with(kRulePrefix)) {
    return located;
  }
  const std::string_view statement_id = memory_id.substr(kRulePrefix.size());
  std::int64_t user_key = 0;
  UserKey user;
  {
    SqliteStatement owner = connection.Prepare(kSelectOwner);
    owner.BindAll(statement_id, tenant, which);
    if (!owner.Step()) {
      UMBRANET_RETURN_IF_ERROR(owner.status());
      return located;
    }
    user_key = owner.Int(0);
    user = {std::string(tenant), owner.String(1)};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<KeptRule> rules,
                            ReadRules(connection, user_key, user, Timestamp::max()));
  if (const KeptRule* const rule = RuleOfStatement(rules, statement_id); rule != nullptr) {
    located = {user_key, *rule};
  }
  return located;
}

Status ApplyPlan(SqliteConnection& connection, const TierApplication& application, Timestamp now,
                 const ReflectionPlan& plan) {
  const std::int64_t user_key = application.user_key;
  std::int64_t ordinal = -1;
  for (const PlannedRule& rule : plan.rules) {
    ++ordinal;
    const std::string id = MakeStatementId(plan.user, plan.interaction_id, rule);
    UMBRANET_ASSIGN_OR_RETURN(const bool erased,
                              IsErased(connection, user_key, Tier::kProcedural, id));
    if (erased) {
      continue;
    }
    UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertStatement, user_key, id, plan.interaction_id,
                                            plan.occurred_at, plan.sequence, ordinal, now,
                                            rule.kind, rule.negative, rule.withdraws,
                                            rule.confidence, rule.key, rule.scope, rule.text));
    if (application.may_inherit) {
      UMBRANET_RETURN_IF_ERROR(connection.Run(kInheritEdits, id, user_key));
    }
  }
  return {};
}

Status EraseRules(SqliteConnection& connection, std::int64_t memory_key) {
  UMBRANET_RETURN_IF_ERROR(CloseBook(connection, memory_key, Tier::kProcedural));
  return connection.Run(kDeleteUser, memory_key);
}

}  // namespace

Status SqliteProceduralMemory::EraseMemory(std::int64_t memory_key, Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) { return EraseRules(connection, memory_key); }, deadline);
}

Status SqliteProceduralMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                     Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(
            const TierApplication application,
            BeginApplication(connection, Tier::kProcedural, plans, FenceOf(fence, which_), which_));
        for (const ReflectionPlan* plan : application.plans) {
          UMBRANET_RETURN_IF_ERROR(
              ApplyPlan(connection, application, database_.clock().Now(), *plan));
        }
        return {};
      },
      deadline);
}

Result<MemoryPage> SqliteProceduralMemory::List(const UserKey& user, std::string_view cursor,
                                                std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("sqlite: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, which_));
  if (!user_key.has_value()) {
    return MemoryPage();
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<KeptRule> rules,
                            ReadRules(*reader, *user_key, user, Timestamp::max()));
  return PageOfRules(std::move(rules), *after, limit);
}

Result<std::optional<MemoryItem>> SqliteProceduralMemory::Get(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(*reader, tenant, memory_id, which_));
  return located.has_value() ? std::optional(RuleItem(located->rule.rule)) : std::nullopt;
}

Result<std::optional<MemoryItem>> SqliteProceduralMemory::Update(std::string_view tenant,
                                                                 std::string_view memory_id,
                                                                 const MemoryPatch& patch,
                                                                 Deadline deadline) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("sqlite: text: must not be empty");
  }
  std::optional<MemoryItem> changed;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        changed.reset();
        UMBRANET_ASSIGN_OR_RETURN(std::optional<Located> located,
                                  Locate(connection, tenant, memory_id, which_));
        if (!located.has_value()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kSetEdits, patch.text, patch.valid_to,
                                                located->rule.statement_ids.front()));
        UMBRANET_ASSIGN_OR_RETURN(located, Locate(connection, tenant, memory_id, which_));
        changed = RuleItem(located->rule.rule);
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return changed;
}

Result<bool> SqliteProceduralMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                           Deadline deadline) {
  bool erased = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                                  Locate(connection, tenant, memory_id, which_));
        erased = located.has_value();
        if (!erased) {
          return {};
        }
        const KeptRule& rule = located->rule;
        for (std::size_t i = 0; i < rule.statement_ids.size(); ++i) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteStatement, rule.statement_ids[i]));
          UMBRANET_RETURN_IF_ERROR(RememberErasure(connection, located->user_key, Tier::kProcedural,
                                                   rule.statement_ids[i], rule.interaction_ids[i]));
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return erased;
}

Result<std::uint64_t> SqliteProceduralMemory::EraseUser(const UserKey& user, Deadline deadline) {
  std::uint64_t removed = 0;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        removed = 0;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        if (!in_force.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<KeptRule> rules,
                                  ReadRules(connection, *in_force, user, Timestamp::max()));
        removed = rules.size();
        UMBRANET_RETURN_IF_ERROR(EndOtherMemories(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                                  MemoriesOf(connection, user));
        for (const std::int64_t memory : memories) {
          UMBRANET_RETURN_IF_ERROR(EraseRules(connection, memory));
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return removed;
}

Result<std::vector<Rule>> SqliteProceduralMemory::Active(const UserKey& user,
                                                         std::optional<Timestamp> as_of,
                                                         std::size_t limit, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, which_));
  if (!user_key.has_value()) {
    return std::vector<Rule>();
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<KeptRule> rules,
                            ReadRules(*reader, *user_key, user, as_of.value_or(Timestamp::max())));
  return RulesInForce(std::move(rules), as_of.value_or(database_.clock().Now()), limit);
}

}  // namespace umbranet
