#include "umbranet/adapters/sqlite/sqlite_accounts.h"

#include <string_view>

namespace umbranet {

namespace {

constexpr std::string_view kSelectKey =
    "SELECT user_key FROM account WHERE tenant = ? AND user_id = ?";
constexpr std::string_view kInsert = "INSERT INTO account(tenant, user_id) VALUES(?, ?)";
constexpr std::string_view kSelectUser = "SELECT tenant, user_id FROM account WHERE user_key = ?";

}  // namespace

Result<std::optional<std::int64_t>> FindAccount(SqliteConnection& connection, const UserKey& user) {
  SqliteConnection::KnownAccount* const known = connection.known_account();
  if (known != nullptr && known->key != 0 && known->user_id == user.user_id &&
      known->tenant == user.tenant) {
    return std::optional(known->key);
  }
  SqliteStatement found = connection.Prepare(kSelectKey);
  found.BindAll(user.tenant, user.user_id);
  std::optional<std::int64_t> key;
  if (found.Step()) {
    key = found.Int(0);
  }
  UMBRANET_RETURN_IF_ERROR(found.status());
  if (known != nullptr && key.has_value()) {
    *known = {user.tenant, user.user_id, *key};  // Once there, an account stays, with its key.
  }
  return key;
}

Result<std::int64_t> InternAccount(SqliteConnection& connection, const UserKey& user) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> known, FindAccount(connection, user));
  if (known.has_value()) {
    return *known;
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, user.tenant, user.user_id));
  return connection.LastInsertRowid();
}

Result<UserKey> ReadAccount(SqliteConnection& connection, std::int64_t user_key) {
  SqliteStatement found = connection.Prepare(kSelectUser);
  found.BindAll(user_key);
  UserKey user;
  const bool is_there = found.Step();
  if (is_there) {
    user = {found.String(0), found.String(1)};
  }
  UMBRANET_RETURN_IF_ERROR(found.status());
  if (!is_there) {
    return NotFound("sqlite: no user has the key " + std::to_string(user_key));
  }
  return user;
}

}  // namespace umbranet
