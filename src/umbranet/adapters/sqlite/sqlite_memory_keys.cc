#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"

#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectInForce =
    "SELECT coalesce(g.memory_key, a.user_key) FROM account a"
    " LEFT JOIN memory_generation g ON g.user_key = a.user_key AND g.state = 1"
    " WHERE a.tenant = ? AND a.user_id = ?";
constexpr std::string_view kSelectOther =
    "SELECT g.memory_key FROM account a"
    " JOIN memory_generation g ON g.user_key = a.user_key AND g.state = ?3"
    " WHERE a.tenant = ?1 AND a.user_id = ?2";
constexpr std::string_view kSelectAll =
    "SELECT user_key FROM account WHERE tenant = ?1 AND user_id = ?2"
    " UNION SELECT g.memory_key FROM account a JOIN memory_generation g ON g.user_key = a.user_key"
    " WHERE a.tenant = ?1 AND a.user_id = ?2 ORDER BY 1";
constexpr std::string_view kEndOthers =
    "UPDATE memory_generation SET state = 3 WHERE state IN (0, 2) AND user_key ="
    " (SELECT user_key FROM account WHERE tenant = ? AND user_id = ?)";

}  // namespace

Result<std::optional<std::int64_t>> FindMemory(SqliteConnection& connection, const UserKey& user,
                                               GenerationState state) {
  const bool in_force = state == GenerationState::kInForce;
  SqliteStatement found = connection.Prepare(in_force ? kSelectInForce : kSelectOther);
  if (in_force) {
    found.BindAll(user.tenant, user.user_id);
  } else {
    found.BindAll(user.tenant, user.user_id, state);
  }
  std::optional<std::int64_t> key;
  if (found.Step()) {
    key = found.Int(0);
  }
  UMBRANET_RETURN_IF_ERROR(found.status());
  return key;
}

Result<std::int64_t> InternMemory(SqliteConnection& connection, const UserKey& user) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> known,
                            FindMemory(connection, user, GenerationState::kInForce));
  return known.has_value() ? Result<std::int64_t>(*known) : InternAccount(connection, user);
}

Result<std::vector<std::int64_t>> MemoriesOf(SqliteConnection& connection, const UserKey& user) {
  SqliteStatement rows = connection.Prepare(kSelectAll);
  rows.BindAll(user.tenant, user.user_id);
  std::vector<std::int64_t> keys;
  while (rows.Step()) {
    keys.push_back(rows.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return keys;
}

Status EndOtherMemories(SqliteConnection& connection, const UserKey& user) {
  return connection.Run(kEndOthers, user.tenant, user.user_id);
}

}  // namespace umbranet
