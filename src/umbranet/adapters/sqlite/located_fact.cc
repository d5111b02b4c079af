#include "umbranet/adapters/sqlite/located_fact.h"

#include <utility>

#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectByStatement =
    "SELECT s.head, s.user_key, a.user_id FROM fact_statement s" UMBRANET_JOIN_OWNER("s")
    " WHERE s.statement_id = ? AND a.tenant = ? AND s.head IS NOT NULL"
    " AND " UMBRANET_STATE_OF_MEMORY " = ?";
constexpr std::string_view kSelectHeads =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " ORDER BY statement_key";

}  // namespace

Result<std::optional<LocatedFact>> LocateFact(SqliteConnection& connection, std::string_view tenant,
                                              std::string_view memory_id, GenerationState which) {
  std::optional<LocatedFact> located;
  if (!memory_id.starts_with(kFactPrefix)) {
    return located;
  }
  SqliteStatement row = connection.Prepare(kSelectByStatement);
  row.BindAll(memory_id.substr(kFactPrefix.size()), tenant, which);
  if (row.Step()) {
    located = {row.Int(0), row.Int(1), {std::string(tenant), row.String(2)}};
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return located;
}

MemoryItem ItemOfFact(Fact fact) {
  MemoryItem item;
  item.memory_id = std::move(fact.memory_id);
  item.user = std::move(fact.user);
  item.tier = Tier::kSemantic;
  item.text = std::move(fact.text);
  item.occurred_at = fact.occurred_at;
  item.valid_from = fact.valid_from;
  item.valid_to = fact.valid_to;
  item.superseded_by = std::move(fact.superseded_by);
  item.sources = std::move(fact.sources);
  return item;
}

Result<std::optional<MemoryItem>> ReadFactItem(SqliteConnection& connection,
                                               const LocatedFact& located) {
  SqliteFactReader facts(connection, located.user_key, located.user);
  UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> stored, facts.Read(located.head));
  return stored.has_value() ? std::optional(ItemOfFact(std::move(stored->fact))) : std::nullopt;
}

Result<std::vector<std::int64_t>> ReadFactHeads(SqliteConnection& connection,
                                                std::int64_t memory_key) {
  SqliteStatement rows = connection.Prepare(kSelectHeads);
  rows.BindAll(memory_key);
  return ReadKeys(std::move(rows));
}

Result<std::vector<std::int64_t>> ReadKeys(SqliteStatement rows) {
  std::vector<std::int64_t> keys;
  while (rows.Step()) {
    keys.push_back(rows.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return keys;
}

}  // namespace umbranet
