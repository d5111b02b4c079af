#include "umbranet/adapters/postgres/postgres_accounts.h"

#include <string_view>

namespace umbranet {

namespace {

constexpr std::string_view kSelectKey =
    "SELECT user_key FROM account WHERE tenant = $1 AND user_id = $2";
constexpr std::string_view kInsert =
    "INSERT INTO account(tenant, user_id) VALUES($1, $2) ON CONFLICT DO NOTHING";

}  // namespace

Result<std::optional<std::int64_t>> FindAccount(PostgresConnection& connection,
                                                const UserKey& user) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows found,
                            connection.Query(kSelectKey, user.tenant, user.user_id));
  return found.empty() ? std::nullopt : std::optional(found[0].Int(0));
}

Result<std::int64_t> InternAccount(PostgresConnection& connection, const UserKey& user) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> known, FindAccount(connection, user));
  if (known.has_value()) {
    return *known;
  }
  // Whoever made it meanwhile has committed when the insert has waited for him.
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, user.tenant, user.user_id));
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> made, FindAccount(connection, user));
  if (!made.has_value()) {
    return Aborted(connection.name() + ": an account was made in a later snapshot");
  }
  return *made;
}

}  // namespace umbranet
