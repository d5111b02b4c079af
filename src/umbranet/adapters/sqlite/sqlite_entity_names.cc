#include "umbranet/adapters/sqlite/sqlite_entity_names.h"

#include <algorithm>

#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

// Without statistics SQLite takes a table that is its own primary key for small and would read all
// names of the user, so joins and lookups by root say where to go.
constexpr std::string_view kSelectName =
    "SELECT root, display, as_alias, first_at, first_sequence, first_ordinal, type, type_at,"
    " type_sequence, type_ordinal, last_at, last_sequence, claimed"
    " FROM entity_name WHERE user_key = ? AND name = ?";
constexpr std::string_view kSaveName =
    "INSERT INTO entity_name(user_key, name, root, display, as_alias, first_at, first_sequence,"
    " first_ordinal, type, type_at, type_sequence, type_ordinal, last_at, last_sequence, claimed)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(user_key, name) DO UPDATE SET root = excluded.root, display = excluded.display,"
    " as_alias = excluded.as_alias, first_at = excluded.first_at,"
    " first_sequence = excluded.first_sequence, first_ordinal = excluded.first_ordinal,"
    " type = excluded.type, type_at = excluded.type_at, type_sequence = excluded.type_sequence,"
    " type_ordinal = excluded.type_ordinal, last_at = excluded.last_at,"
    " last_sequence = excluded.last_sequence, claimed = excluded.claimed";
constexpr std::string_view kSelectRoot =
    "SELECT root FROM entity_name WHERE user_key = ? AND name = ?";
constexpr std::string_view kSelectOfRoot =
    "SELECT name FROM entity_name WHERE user_key = ? AND root = ? ORDER BY name";
constexpr std::string_view kMoveName =
    "UPDATE entity_name SET root = ? WHERE user_key = ? AND name = ?";
constexpr std::string_view kSelectClaim =
    "SELECT first_at, first_sequence FROM entity_claim"
    " WHERE user_key = ? AND relation_name = ? AND name = ?";
constexpr std::string_view kSaveClaim =
    "INSERT INTO entity_claim(user_key, relation_name, name, first_at, first_sequence)"
    " VALUES(?, ?, ?, ?, ?) ON CONFLICT(user_key, relation_name, name) DO UPDATE"
    " SET first_at = excluded.first_at, first_sequence = excluded.first_sequence";
constexpr std::string_view kSelectClaims =
    "SELECT first_at, first_sequence, name FROM entity_claim"
    " WHERE user_key = ? AND relation_name = ? ORDER BY first_at, first_sequence, name";
constexpr std::string_view kSelectClaimsBy =
    "SELECT relation_name FROM entity_claim WHERE user_key = ? AND name = ?"
    " ORDER BY relation_name";
constexpr std::string_view kSelectClaimants =
    "SELECT n.root FROM entity_claim c"
    " CROSS JOIN entity_name n ON n.user_key = c.user_key AND n.name = c.name"
    " WHERE c.user_key = ? AND c.relation_name = ? ORDER BY n.root";
constexpr std::string_view kSelectEntity =
    "SELECT name, display, as_alias, first_at, first_sequence, first_ordinal, type, type_at,"
    " type_sequence, type_ordinal FROM entity_name"
    " INDEXED BY entity_name_by_root WHERE user_key = ? AND root = ? AND claimed = 0"
    " ORDER BY as_alias, first_at, first_sequence, first_ordinal, display";
constexpr std::string_view kSelectRelationDisplays =
    "SELECT DISTINCT r.display FROM entity_name n INDEXED BY entity_name_by_root"
    " CROSS JOIN entity_claim c ON c.user_key = n.user_key AND c.name = n.name"
    " CROSS JOIN entity_name r ON r.user_key = c.user_key AND r.name = c.relation_name"
    " WHERE n.user_key = ? AND n.root = ? ORDER BY r.display";
// A root comes once for each of its names.
constexpr std::string_view kSelectRecentRoots =
    "SELECT root FROM entity_name WHERE user_key = ? AND claimed = 0"
    " ORDER BY last_at DESC, last_sequence DESC, root";
constexpr std::string_view kDeleteNames = "DELETE FROM entity_name WHERE user_key = ?";
constexpr std::string_view kDeleteClaims = "DELETE FROM entity_claim WHERE user_key = ?";

// Ordinals of names that a fact uses come after those of the plan's entities.
constexpr std::int64_t kFactOrdinal = 1'000'000;

Result<std::vector<std::string>> ReadTexts(SqliteStatement rows) {
  std::vector<std::string> texts;
  while (rows.Step()) {
    texts.push_back(rows.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return texts;
}

template <typename... Values>
Result<std::vector<std::string>> SelectTexts(SqliteConnection& connection, std::string_view sql,
                                             const Values&... values) {
  SqliteStatement rows = connection.Prepare(sql);
  rows.BindAll(values...);
  return ReadTexts(std::move(rows));
}

}  // namespace

Result<std::string> SqliteEntityReader::RootOf(const std::string& name) {
  const auto known = roots_.find(name);
  if (known != roots_.end()) {
    return known->second;
  }
  SqliteStatement row = connection_.Prepare(kSelectRoot);
  row.BindAll(user_key_, name);
  std::string root = row.Step() ? row.String(0) : name;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return roots_.emplace(name, std::move(root)).first->second;
}

Result<const std::vector<SqliteEntityReader::Claim>*> SqliteEntityReader::ClaimsOn(
    const std::string& relation_name) {
  const auto known = claims_.find(relation_name);
  if (known != claims_.end()) {
    return &known->second;
  }
  std::vector<Claim>& claims = claims_[relation_name];
  SqliteStatement rows = connection_.Prepare(kSelectClaims);
  rows.BindAll(user_key_, relation_name);
  while (rows.Step()) {
    claims.push_back({rows.Time(0), rows.Int(1), rows.String(2)});
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return &claims;
}

Result<std::string> SqliteEntityReader::Resolve(const std::string& name, Timestamp occurred_at,
                                                std::int64_t sequence) {
  if (!IsRelationName(name)) {
    return RootOf(name);
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Claim>* claims, ClaimsOn(name));
  if (claims->empty()) {
    return RootOf(name);
  }
  const Claim* chosen = &claims->front();
  for (const Claim& claim : *claims) {
    if (std::pair(claim.first_at, claim.first_sequence) <= std::pair(occurred_at, sequence)) {
      chosen = &claim;
    }
  }
  return RootOf(chosen->name);
}

Result<const Entity*> SqliteEntityReader::Read(const UserKey& user, const std::string& root) {
  const auto known = entities_.find(root);
  if (known != entities_.end()) {
    return &known->second;
  }
  UMBRANET_ASSIGN_OR_RETURN(Entity entity, Load(user, root));
  return &entities_.emplace(root, std::move(entity)).first->second;
}

Result<Entity> SqliteEntityReader::Load(const UserKey& user, const std::string& root) {
  Entity entity;
  entity.entity_id = "en_" + NameUuidV5({"entity", user.tenant, user.user_id, root});
  entity.user = user;
  const bool self = root == kSelfEntity;
  std::set<std::string> displays;
  SqliteStatement rows = connection_.Prepare(kSelectEntity);
  rows.BindAll(user_key_, root);
  std::optional<std::tuple<std::int64_t, std::int64_t, std::int64_t>> typed;
  while (rows.Step()) {
    if (entity.name.empty()) {
      entity.name = rows.String(1);
    }
    if (!self || rows.Text(0) != kSelfEntity) {
      displays.insert(rows.String(1));
    }
    const EntityType type = ParseEntityType(rows.Text(6)).value_or(EntityType::kOther);
    const std::tuple at(rows.Int(7), rows.Int(8), rows.Int(9));
    if (type != EntityType::kOther && (!typed.has_value() || at < *typed)) {
      typed = at;
      entity.type = type;
    }
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  if (self) {
    entity.name = std::string(kSelfEntity);
    entity.type = EntityType::kPerson;
  } else if (entity.name.empty()) {
    entity.name = root;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> relations,
                            SelectTexts(connection_, kSelectRelationDisplays, user_key_, root));
  displays.insert(relations.begin(), relations.end());
  displays.erase(entity.name);
  entity.aliases.assign(displays.begin(), displays.end());
  return entity;
}

Result<std::vector<std::string>> SqliteEntityReader::NamesOf(const UserKey& user,
                                                             const std::string& root) {
  UMBRANET_ASSIGN_OR_RETURN(const Entity* entity, Read(user, root));
  std::vector<std::string> names = entity->aliases;
  if (entity->name != kSelfEntity) {
    names.push_back(entity->name);
  }
  return names;
}

Result<SqliteEntityNames::Name*> SqliteEntityNames::Load(const std::string& name) {
  const auto known = names_.find(name);
  if (known != names_.end()) {
    return &known->second;
  }
  Name row;
  row.root = name;
  SqliteStatement stored = connection_.Prepare(kSelectName);
  stored.BindAll(user_key_, name);
  if (stored.Step()) {
    row.stored = true;
    row.root = stored.String(0);
    row.first = {stored.Int(2) != 0, stored.Time(3), stored.Int(4), stored.Int(5),
                 stored.String(1)};
    row.type = ParseEntityType(stored.Text(6)).value_or(EntityType::kOther);
    row.typed = {false, stored.Time(7), stored.Int(8), stored.Int(9), ""};
    row.last_at = stored.Time(10);
    row.last_sequence = stored.Int(11);
    row.claimed = stored.Int(12) != 0;
  }
  UMBRANET_RETURN_IF_ERROR(stored.status());
  return &names_.emplace(name, std::move(row)).first->second;
}

Status SqliteEntityNames::Store(const std::string& name, Name& row) {
  row.changed = false;
  row.stored = true;
  return connection_.Run(kSaveName, user_key_, name, row.root, row.first.display,
                         row.first.as_alias, row.first.at, row.first.sequence, row.first.ordinal,
                         EntityTypeName(row.type), row.typed.at, row.typed.sequence,
                         row.typed.ordinal, row.last_at, row.last_sequence, row.claimed);
}

Status SqliteEntityNames::Flush() {
  for (auto& [name, row] : names_) {
    if (row.changed) {
      UMBRANET_RETURN_IF_ERROR(Store(name, row));
    }
  }
  return merges_.Flush();
}

Result<std::string> SqliteEntityNames::Mention(const ReflectionPlan& plan, std::string_view text,
                                               EntityType type, bool as_alias,
                                               std::int64_t ordinal) {
  std::string name = NormalizeName(text);
  if (name.empty()) {
    return name;
  }
  UMBRANET_ASSIGN_OR_RETURN(Name * row, Load(name));
  Use use{as_alias, plan.occurred_at, plan.sequence, ordinal, std::string(text)};
  const Use typed{false, plan.occurred_at, plan.sequence, ordinal, ""};
  const bool fresh = !row->stored && row->first.display.empty();
  if (fresh || use < row->first) {
    if (!fresh && use.display != row->first.display) {
      UMBRANET_RETURN_IF_ERROR(MarkRenamed(name, row->root));
    }
    row->first = std::move(use);
  }
  if (type != EntityType::kOther && (row->type == EntityType::kOther || typed < row->typed)) {
    row->type = type;
    row->typed = typed;
  }
  const std::pair last(plan.occurred_at, plan.sequence);
  if (fresh || last > std::pair(row->last_at, row->last_sequence)) {
    row->last_at = last.first;
    row->last_sequence = last.second;
  }
  row->changed = true;
  return name;
}

Status SqliteEntityNames::MarkRenamed(const std::string& name, const std::string& root) {
  renamed_.insert(root);
  if (IsRelationName(name)) {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> claimants,
                              SelectTexts(connection_, kSelectClaimants, user_key_, name));
    renamed_.insert(claimants.begin(), claimants.end());
  }
  return {};
}

Status SqliteEntityNames::Unite(const std::string& a, const std::string& b) {
  UMBRANET_ASSIGN_OR_RETURN(const Name* row_a, Load(a));
  UMBRANET_ASSIGN_OR_RETURN(const Name* row_b, Load(b));
  const std::string root_a = row_a->root;
  const std::string root_b = row_b->root;
  if (root_a == root_b) {
    return {};
  }
  const bool self = root_a == kSelfEntity || root_b == kSelfEntity;
  const std::string root = self ? std::string(kSelfEntity) : std::min(root_a, root_b);
  UMBRANET_RETURN_IF_ERROR(Flush());
  renamed_.insert(root);
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<std::string> names,
      SelectTexts(connection_, kSelectOfRoot, user_key_, root == root_a ? root_b : root_a));
  for (const std::string& name : names) {
    UMBRANET_RETURN_IF_ERROR(connection_.Run(kMoveName, root, user_key_, name));
    const auto cached = names_.find(name);
    if (cached != names_.end()) {
      cached->second.root = root;
    }
    moved_.insert(name);
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> relations,
                              SelectTexts(connection_, kSelectClaimsBy, user_key_, name));
    moved_.insert(relations.begin(), relations.end());
  }
  return {};
}

Status SqliteEntityNames::Claim(const ReflectionPlan& plan, const std::string& relation_name,
                                const std::string& name) {
  {
    SqliteStatement known = connection_.Prepare(kSelectClaim);
    known.BindAll(user_key_, relation_name, name);
    if (known.Step() &&
        std::pair(known.Time(0), known.Int(1)) <= std::pair(plan.occurred_at, plan.sequence)) {
      return known.status();
    }
    UMBRANET_RETURN_IF_ERROR(known.status());
  }
  UMBRANET_RETURN_IF_ERROR(
      connection_.Run(kSaveClaim, user_key_, relation_name, name, plan.occurred_at, plan.sequence));
  moved_.insert(relation_name);
  UMBRANET_ASSIGN_OR_RETURN(Name * relation, Load(relation_name));
  relation->changed = relation->changed || !relation->claimed;
  relation->claimed = true;
  UMBRANET_ASSIGN_OR_RETURN(const Name* row, Load(name));
  renamed_.insert(row->root);
  return {};
}

Status SqliteEntityNames::TakeIn(const ReflectionPlan& plan) {
  std::int64_t ordinal = 0;
  for (const PlannedEntity& entity : plan.entities) {
    UMBRANET_ASSIGN_OR_RETURN(const std::string name,
                              Mention(plan, entity.name, entity.type, false, ordinal++));
    for (const std::string& alias : entity.aliases) {
      UMBRANET_ASSIGN_OR_RETURN(const std::string other,
                                Mention(plan, alias, EntityType::kOther, true, ordinal++));
      if (name.empty() || other.empty() || name == other) {
        continue;
      }
      const bool relation = IsRelationName(name);
      const bool claim = relation != IsRelationName(other);
      if (relation && !claim) {
        continue;
      }
      const bool first = claim ? relation : name < other;
      UMBRANET_ASSIGN_OR_RETURN(const bool counts,
                                merges_.Note(plan, first ? name : other, first ? other : name));
      if (counts && claim) {
        UMBRANET_RETURN_IF_ERROR(Claim(plan, first ? name : other, first ? other : name));
      } else if (counts) {
        UMBRANET_RETURN_IF_ERROR(Unite(name, other));
      }
    }
  }
  ordinal = kFactOrdinal;
  for (const PlannedFact& fact : plan.facts) {
    UMBRANET_ASSIGN_OR_RETURN(std::string name,
                              Mention(plan, fact.subject, EntityType::kOther, false, ordinal++));
    if (fact.object_is_entity) {
      UMBRANET_ASSIGN_OR_RETURN(name,
                                Mention(plan, fact.object, EntityType::kOther, false, ordinal++));
    }
  }
  return {};
}

Result<std::vector<Entity>> ReadEntities(SqliteConnection& connection, std::int64_t user_key,
                                         const UserKey& user, std::size_t limit) {
  std::vector<std::string> roots;
  {
    std::set<std::string, std::less<>> seen;
    SqliteStatement rows = connection.Prepare(kSelectRecentRoots);
    rows.BindAll(user_key);
    while (roots.size() < limit && rows.Step()) {
      if (!seen.contains(rows.Text(0))) {
        roots.push_back(*seen.insert(rows.String(0)).first);
      }
    }
    UMBRANET_RETURN_IF_ERROR(rows.status());
  }
  SqliteEntityReader resolver(connection, user_key);
  std::vector<Entity> entities;
  entities.reserve(roots.size());
  for (const std::string& root : roots) {
    UMBRANET_ASSIGN_OR_RETURN(const Entity* entity, resolver.Read(user, root));
    entities.push_back(*entity);
  }
  return entities;
}

Status EraseEntityNames(SqliteConnection& connection, std::int64_t user_key) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteNames, user_key));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteClaims, user_key));
  return EraseMerges(connection, user_key);
}

}  // namespace umbranet
