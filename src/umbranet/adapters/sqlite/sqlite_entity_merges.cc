#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"

#include <algorithm>

#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/domain/entity_name.h"
#include "umbranet/domain/fact.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectMerge =
    "SELECT interaction_id, occurred_at, sequence, recorded_at, last_sequence, parted_through"
    " FROM entity_merge WHERE user_key = ? AND name = ? AND other = ?";
constexpr std::string_view kSaveMerge =
    "INSERT INTO entity_merge(user_key, name, other, interaction_id, occurred_at, sequence,"
    " recorded_at, last_sequence) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(user_key, name, other) DO UPDATE SET interaction_id = excluded.interaction_id,"
    " occurred_at = excluded.occurred_at, sequence = excluded.sequence,"
    " recorded_at = excluded.recorded_at, last_sequence = excluded.last_sequence";
constexpr std::string_view kSelectHolding =
    "SELECT name, other FROM entity_merge WHERE user_key = ?1 AND (name = ?2 OR other = ?2)"
    " AND (parted_through IS NULL OR last_sequence > parted_through) ORDER BY name, other";
constexpr std::string_view kPart =
    "UPDATE entity_merge SET parted_at = ?, parted_through = last_sequence"
    " WHERE user_key = ? AND name = ? AND other = ?";
constexpr std::string_view kDeleteClaim =
    "DELETE FROM entity_claim WHERE user_key = ? AND relation_name = ? AND name = ?";
constexpr std::string_view kUnclaim =
    "UPDATE entity_name SET claimed = 0 WHERE user_key = ?1 AND name = ?2 AND NOT EXISTS"
    " (SELECT 1 FROM entity_claim WHERE user_key = ?1 AND relation_name = ?2)";
constexpr std::string_view kSelectRoot =
    "SELECT root FROM entity_name WHERE user_key = ? AND name = ?";
constexpr std::string_view kSelectNames =
    "SELECT name FROM entity_name WHERE user_key = ? AND root = ? ORDER BY name";
constexpr std::string_view kSelectBonds =
    "SELECT m.name, m.other FROM entity_name n INDEXED BY entity_name_by_root"
    " CROSS JOIN entity_merge m ON m.user_key = n.user_key AND m.name = n.name"
    " WHERE n.user_key = ? AND n.root = ?"
    " AND (m.parted_through IS NULL OR m.last_sequence > m.parted_through)"
    " ORDER BY m.name, m.other";
constexpr std::string_view kMoveName =
    "UPDATE entity_name SET root = ? WHERE user_key = ? AND name = ?";
constexpr std::string_view kSelectClaimsBy =
    "SELECT relation_name FROM entity_claim WHERE user_key = ? AND name = ?"
    " ORDER BY relation_name";
constexpr std::string_view kSelectLog =
    "SELECT coalesce(a.display, m.name), coalesce(b.display, m.other), m.interaction_id,"
    " m.occurred_at, m.recorded_at, m.parted_at,"
    " m.parted_through IS NULL OR m.last_sequence > m.parted_through"
    " FROM entity_merge m"
    " LEFT JOIN entity_name a ON a.user_key = m.user_key AND a.name = m.name"
    " LEFT JOIN entity_name b ON b.user_key = m.user_key AND b.name = m.other"
    " WHERE m.user_key = ? ORDER BY m.occurred_at DESC, m.sequence DESC, m.name, m.other LIMIT ?";
constexpr std::string_view kDeleteLog =
    "DELETE FROM entity_merge WHERE user_key = ?1 AND (parted_through IS NULL OR"
    " interaction_id NOT IN (SELECT interaction_id FROM turn"
    " WHERE user_key = " UMBRANET_OWNER_OF("?1") "))";
constexpr std::string_view kResetPartings =
    "UPDATE entity_merge SET last_sequence = parted_through WHERE user_key = ?";

using Pair = std::pair<std::string, std::string>;

template <typename... Values>
Result<std::vector<std::string>> SelectNames(SqliteConnection& connection, std::string_view sql,
                                             const Values&... values) {
  SqliteStatement rows = connection.Prepare(sql);
  rows.BindAll(values...);
  std::vector<std::string> names;
  while (rows.Step()) {
    names.push_back(rows.String(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return names;
}

template <typename... Values>
Result<std::vector<Pair>> SelectPairs(SqliteConnection& connection, std::string_view sql,
                                      const Values&... values) {
  SqliteStatement rows = connection.Prepare(sql);
  rows.BindAll(values...);
  std::vector<Pair> pairs;
  while (rows.Step()) {
    pairs.emplace_back(rows.String(0), rows.String(1));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return pairs;
}

Result<std::string> RootOf(SqliteConnection& connection, std::int64_t user_key,
                           const std::string& name) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> roots,
                            SelectNames(connection, kSelectRoot, user_key, name));
  return roots.empty() ? name : roots.front();
}

// What a relation name stood for, it stands for no more.
Status PartClaim(SqliteConnection& connection, std::int64_t user_key, const Pair& claim,
                 PartedNames& parted) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteClaim, user_key, claim.first, claim.second));
  UMBRANET_RETURN_IF_ERROR(connection.Run(kUnclaim, user_key, claim.first));
  UMBRANET_ASSIGN_OR_RETURN(std::string root, RootOf(connection, user_key, claim.second));
  parted.moved.insert(claim.first);
  parted.renamed.insert(claim.first);
  parted.renamed.insert(std::move(root));
  return {};
}

// Works the roots of an entity's names out anew from the bonds that are left between them.
Status SplitEntity(SqliteConnection& connection, std::int64_t user_key, const std::string& root,
                   PartedNames& parted) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            SelectNames(connection, kSelectNames, user_key, root));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Pair> bonds,
                            SelectPairs(connection, kSelectBonds, user_key, root));
  std::map<std::string, std::string> roots;
  for (const std::string& name : names) {
    roots.emplace(name, name);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [a, b] : bonds) {
      const auto at_a = roots.find(a);
      const auto at_b = roots.find(b);
      if (at_a == roots.end() || at_b == roots.end() || at_a->second == at_b->second) {
        continue;
      }
      const bool self = at_a->second == kSelfEntity || at_b->second == kSelfEntity;
      at_a->second = self ? std::string(kSelfEntity) : std::min(at_a->second, at_b->second);
      at_b->second = at_a->second;
      changed = true;
    }
  }
  for (const auto& [name, now] : roots) {
    parted.renamed.insert(now);
    if (now == root) {
      continue;
    }
    UMBRANET_RETURN_IF_ERROR(connection.Run(kMoveName, now, user_key, name));
    parted.moved.insert(name);
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> relations,
                              SelectNames(connection, kSelectClaimsBy, user_key, name));
    parted.moved.insert(relations.begin(), relations.end());
  }
  return {};
}

}  // namespace

Result<SqliteEntityMerges::Row*> SqliteEntityMerges::Load(const std::string& name,
                                                          const std::string& other) {
  const auto [at, fresh] = rows_.try_emplace({name, other});
  Row& row = at->second;
  if (!fresh) {
    return &row;
  }
  SqliteStatement stored = connection_.Prepare(kSelectMerge);
  stored.BindAll(user_key_, name, other);
  if (stored.Step()) {
    row.stored = true;
    row.interaction_id = stored.String(0);
    row.occurred_at = stored.Time(1);
    row.sequence = stored.Int(2);
    row.recorded_at = stored.Time(3);
    row.last_sequence = stored.Int(4);
    row.parted_through = stored.OptionalInt(5);
  }
  UMBRANET_RETURN_IF_ERROR(stored.status());
  return &row;
}

Result<bool> SqliteEntityMerges::Note(const ReflectionPlan& plan, const std::string& name,
                                      const std::string& other) {
  UMBRANET_ASSIGN_OR_RETURN(Row * row, Load(name, other));
  if (row->parted_through.has_value() && plan.sequence <= *row->parted_through) {
    return false;
  }
  const bool holds = row->stored && (!row->parted_through.has_value() ||
                                     row->last_sequence > *row->parted_through);
  const std::pair said(plan.occurred_at, plan.sequence);
  if (!holds || said < std::pair(row->occurred_at, row->sequence)) {
    row->interaction_id = plan.interaction_id;
    row->occurred_at = plan.occurred_at;
    row->sequence = plan.sequence;
    row->recorded_at = holds ? row->recorded_at : now_;
    row->changed = true;
  }
  if (!holds || plan.sequence > row->last_sequence) {
    row->last_sequence = plan.sequence;
    row->changed = true;
  }
  row->stored = true;
  return true;
}

Status SqliteEntityMerges::Flush() {
  for (auto& [names, row] : rows_) {
    if (!row.changed) {
      continue;
    }
    row.changed = false;
    UMBRANET_RETURN_IF_ERROR(connection_.Run(kSaveMerge, user_key_, names.first, names.second,
                                             row.interaction_id, row.occurred_at, row.sequence,
                                             row.recorded_at, row.last_sequence));
  }
  return {};
}

Result<PartedNames> PartNames(SqliteConnection& connection, std::int64_t user_key,
                              const std::string& name, const std::string& from, Timestamp now) {
  PartedNames parted;
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Pair> merges,
                            SelectPairs(connection, kSelectHolding, user_key, name));
  bool split = false;
  for (const Pair& merge : merges) {
    if (!from.empty() && merge.first != from && merge.second != from) {
      continue;
    }
    ++parted.merges;
    UMBRANET_RETURN_IF_ERROR(connection.Run(kPart, now, user_key, merge.first, merge.second));
    if (IsRelationName(merge.first)) {
      UMBRANET_RETURN_IF_ERROR(PartClaim(connection, user_key, merge, parted));
    } else {
      split = true;
    }
  }
  if (split) {
    UMBRANET_ASSIGN_OR_RETURN(const std::string root, RootOf(connection, user_key, name));
    UMBRANET_RETURN_IF_ERROR(SplitEntity(connection, user_key, root, parted));
  }
  return parted;
}

Result<std::vector<EntityMerge>> ReadMerges(SqliteConnection& connection, std::int64_t user_key,
                                            std::size_t limit) {
  SqliteStatement rows = connection.Prepare(kSelectLog);
  rows.BindAll(user_key, limit);
  std::vector<EntityMerge> merges;
  while (rows.Step()) {
    EntityMerge merge;
    merge.name = rows.String(0);
    merge.other = rows.String(1);
    merge.interaction_id = rows.String(2);
    merge.occurred_at = rows.Time(3);
    merge.recorded_at = rows.Time(4);
    if (rows.Int(6) == 0) {
      merge.parted_at = rows.OptionalTime(5);
    }
    merges.push_back(std::move(merge));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return merges;
}

Status EraseMerges(SqliteConnection& connection, std::int64_t user_key) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteLog, user_key));
  return connection.Run(kResetPartings, user_key);
}

}  // namespace umbranet
