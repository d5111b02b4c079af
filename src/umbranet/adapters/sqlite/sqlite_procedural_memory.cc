#include "umbranet/adapters/sqlite/sqlite_procedural_memory.h"

#include <algorithm>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/rule_history.h"

namespace umbranet {
namespace {

constexpr std::string_view kInsertStatement =
    "INSERT INTO rule_statement(user_key, statement_id, interaction_id, occurred_at, sequence,"
    " ordinal, recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(statement_id) DO NOTHING";
constexpr std::string_view kSelectStatements =
    "SELECT statement_key, statement_id, interaction_id, occurred_at, sequence, ordinal,"
    " recorded_at, kind, negative, withdraws, confidence, rule_key, scope, text, edited_text,"
    " edited_withdrawn_at FROM rule_statement WHERE user_key = ? AND occurred_at <= ?"
    " ORDER BY occurred_at, sequence, interaction_id, ordinal";
constexpr std::string_view kSelectOwner =
    "SELECT a.user_key, a.user_id FROM rule_statement s"
    " JOIN account a ON a.user_key = s.user_key WHERE s.statement_id = ? AND a.tenant = ?";
constexpr std::string_view kSetEdits =
    "UPDATE rule_statement SET edited_text = coalesce(?, edited_text),"
    " edited_withdrawn_at = coalesce(?, edited_withdrawn_at) WHERE statement_key = ?";
constexpr std::string_view kDeleteStatement = "DELETE FROM rule_statement WHERE statement_key = ?";
constexpr std::string_view kDeleteUser = "DELETE FROM rule_statement WHERE user_key = ?";

struct StoredRule {
  Rule rule;
  MemoryPlace place;
  // Statement keys, head first, and their ids and turns.
  std::vector<std::int64_t> keys;
  std::vector<std::string> statement_ids;
  std::vector<std::string> interaction_ids;
};

struct StoredStatement {
  std::int64_t key = 0;
  std::string statement_id;
  Timestamp recorded_at{};
  PlannedRule said;
  std::optional<std::string> edited_text;
};

// The user's rules as of a time, oldest first.
class RuleBook {
 public:
  static Result<std::vector<StoredRule>> Read(SqliteConnection& connection, std::int64_t user_key,
                                              const UserKey& user, Timestamp until) {
    RuleBook book;
    SqliteStatement row = connection.Prepare(kSelectStatements);
    row.BindAll(user_key, until);
    while (row.Step()) {
      book.Take(row);
    }
    UMBRANET_RETURN_IF_ERROR(row.status());
    return book.Fold(user);
  }

 private:
  void Take(const SqliteStatement& row) {
    StoredStatement& stored = stored_.emplace_back();
    stored.key = row.Int(0);
    stored.statement_id = row.String(1);
    stored.recorded_at = row.Time(6);
    stored.said.kind = static_cast<RuleKind>(row.Int(7));
    stored.said.confidence = row.Real(10);
    stored.said.scope = row.String(12);
    stored.said.text = row.String(13);
    if (!row.IsNull(14)) {
      stored.edited_text = row.String(14);
    }
    statements_.push_back(
        {{row.Time(3), row.Int(4), row.String(2), static_cast<std::uint32_t>(row.Int(5))},
         row.String(11),
         row.Int(8) != 0,
         row.Int(9) != 0,
         row.OptionalTime(15)});
  }

  std::vector<StoredRule> Fold(const UserKey& user) {
    const std::vector<RuleFate> fates = FoldRuleStatements(statements_);
    std::vector<StoredRule> rules;
    std::vector<std::size_t> rule_of(stored_.size(), kNoStatement);  // By head, into rules.
    for (std::size_t i = 0; i < stored_.size(); ++i) {
      const std::size_t head = fates[i].head;
      if (head == kNoStatement) {
        continue;
      }
      if (head == i) {
        rule_of[i] = rules.size();
        rules.push_back(Open(i, fates[i], user));
      }
      Witness(rules[rule_of[head]], i);
    }
    return rules;
  }

  StoredRule Open(std::size_t head, const RuleFate& fate, const UserKey& user) const {
    StoredRule stored;
    Rule& rule = stored.rule;
    const PlannedRule& newest = stored_[fate.newest].said;
    rule.memory_id = std::string(kRulePrefix) + stored_[head].statement_id;
    rule.user = user;
    rule.kind = newest.kind;
    rule.text = newest.text;
    rule.scope = newest.scope;
    rule.key = statements_[head].key;
    rule.negative = statements_[head].negative;
    rule.confidence = 0;
    rule.occurred_at = statements_[fate.newest].place.occurred_at;
    rule.recorded_at = stored_[head].recorded_at;
    rule.withdrawn_at = fate.withdrawn_at;
    if (fate.superseded_by != kNoStatement) {
      rule.superseded_by = std::string(kRulePrefix) + stored_[fate.superseded_by].statement_id;
    }
    const StatementPlace& place = statements_[head].place;
    stored.place = {place.occurred_at, place.sequence, place.ordinal, rule.memory_id};
    return stored;
  }

  void Witness(StoredRule& stored, std::size_t index) const {
    Rule& rule = stored.rule;
    rule.confidence = std::max(rule.confidence, stored_[index].said.confidence);
    rule.text = stored_[index].edited_text.value_or(rule.text);
    const std::string& turn = statements_[index].place.interaction_id;
    const SourceRef source{turn, Role::kUser};
    if (std::find(rule.sources.begin(), rule.sources.end(), source) == rule.sources.end()) {
      rule.sources.push_back(source);
    }
    rule.evidence = static_cast<std::uint32_t>(rule.sources.size());
    stored.keys.push_back(stored_[index].key);
    stored.statement_ids.push_back(stored_[index].statement_id);
    stored.interaction_ids.push_back(turn);
  }

  std::vector<StoredStatement> stored_;
  std::vector<RuleStatement> statements_;
};

struct Located {
  std::int64_t user_key = 0;
  StoredRule rule;
};

Result<std::optional<Located>> Locate(SqliteConnection& connection, std::string_view tenant,
                                      std::string_view memory_id) {
  std::optional<Located> located;
  if (!memory_id.starts_with(kRulePrefix)) {
    return located;
  }
  const std::string_view statement_id = memory_id.substr(kRulePrefix.size());
  std::int64_t user_key = 0;
  UserKey user;
  {
    SqliteStatement owner = connection.Prepare(kSelectOwner);
    owner.BindAll(statement_id, tenant);
    if (!owner.Step()) {
      UMBRANET_RETURN_IF_ERROR(owner.status());
      return located;
    }
    user_key = owner.Int(0);
    user = {std::string(tenant), owner.String(1)};
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<StoredRule> rules,
                            RuleBook::Read(connection, user_key, user, Timestamp::max()));
  for (StoredRule& rule : rules) {
    if (std::find(rule.statement_ids.begin(), rule.statement_ids.end(), statement_id) !=
        rule.statement_ids.end()) {
      located = {user_key, std::move(rule)};
      break;
    }
  }
  return located;
}

MemoryItem ToItem(const Rule& rule) {
  MemoryItem item;
  item.memory_id = rule.memory_id;
  item.user = rule.user;
  item.tier = Tier::kProcedural;
  item.text = rule.text;
  item.occurred_at = rule.occurred_at;
  item.valid_to = rule.withdrawn_at;
  item.superseded_by = rule.superseded_by;
  item.sources = rule.sources;
  return item;
}

Status ApplyPlan(SqliteConnection& connection, std::int64_t user_key, Timestamp now,
                 const ReflectionPlan& plan) {
  std::int64_t ordinal = -1;
  for (const PlannedRule& rule : plan.rules) {
    ++ordinal;
    const std::string id = MakeStatementId(plan.user, plan.interaction_id, rule);
    UMBRANET_ASSIGN_OR_RETURN(const bool erased,
                              IsErased(connection, user_key, Tier::kProcedural, id));
    if (!erased) {
      UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertStatement, user_key, id, plan.interaction_id,
                                              plan.occurred_at, plan.sequence, ordinal, now,
                                              rule.kind, rule.negative, rule.withdraws,
                                              rule.confidence, rule.key, rule.scope, rule.text));
    }
  }
  return {};
}

}  // namespace

Status SqliteProceduralMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                     Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const TierApplication application,
                                  BeginApplication(connection, Tier::kProcedural, plans, fence));
        for (const ReflectionPlan* plan : application.plans) {
          UMBRANET_RETURN_IF_ERROR(
              ApplyPlan(connection, application.user_key, database_.clock().Now(), *plan));
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
  MemoryPage page;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
  if (!user_key.has_value()) {
    return page;
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<StoredRule> rules,
                            RuleBook::Read(*reader, *user_key, user, Timestamp::max()));
  std::sort(rules.begin(), rules.end(),
            [](const StoredRule& a, const StoredRule& b) { return a.place < b.place; });
  const MemoryPlace* last = nullptr;
  for (const StoredRule& rule : rules) {
    if (rule.place <= *after) {
      continue;
    }
    if (page.items.size() == limit) {
      page.next_cursor = last == nullptr ? std::string() : FormatCursor(*last);
      break;
    }
    page.items.push_back(ToItem(rule.rule));
    last = &rule.place;
  }
  return page;
}

Result<std::optional<MemoryItem>> SqliteProceduralMemory::Get(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(*reader, tenant, memory_id));
  return located.has_value() ? std::optional(ToItem(located->rule.rule)) : std::nullopt;
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
                                  Locate(connection, tenant, memory_id));
        if (!located.has_value()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kSetEdits, patch.text, patch.valid_to, located->rule.keys.front()));
        UMBRANET_ASSIGN_OR_RETURN(located, Locate(connection, tenant, memory_id));
        changed = ToItem(located->rule.rule);
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
                                  Locate(connection, tenant, memory_id));
        erased = located.has_value();
        if (!erased) {
          return {};
        }
        const StoredRule& rule = located->rule;
        for (std::size_t i = 0; i < rule.keys.size(); ++i) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteStatement, rule.keys[i]));
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
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                                  FindAccount(connection, user));
        if (!user_key.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<StoredRule> rules,
                                  RuleBook::Read(connection, *user_key, user, Timestamp::max()));
        removed = rules.size();
        UMBRANET_RETURN_IF_ERROR(CloseBook(connection, *user_key, Tier::kProcedural));
        return connection.Run(kDeleteUser, *user_key);
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
  std::vector<Rule> active;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
  if (!user_key.has_value()) {
    return active;
  }
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<StoredRule> rules,
      RuleBook::Read(*reader, *user_key, user, as_of.value_or(Timestamp::max())));
  const Timestamp at = as_of.value_or(database_.clock().Now());
  std::erase_if(rules, [&](const StoredRule& rule) {
    return rule.rule.withdrawn_at.has_value() && *rule.rule.withdrawn_at <= at;
  });
  std::sort(rules.begin(), rules.end(), [](const StoredRule& a, const StoredRule& b) {
    return std::tie(a.rule.occurred_at, a.place) > std::tie(b.rule.occurred_at, b.place);
  });
  for (std::size_t i = 0; i < std::min(limit, rules.size()); ++i) {
    active.push_back(std::move(rules[i].rule));
  }
  return active;
}

}  // namespace umbranet
