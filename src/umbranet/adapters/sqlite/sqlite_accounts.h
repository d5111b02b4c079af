// Users as small numbers, so that keys and indexes do not carry tenant and user id with every row.
//
// A key is given once and never again to anybody else, also after the user was forgotten, so stale
// rows and index terms cannot meet a new owner. Each function works in the transaction of its
// connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

// Nothing when the user was never heard of.
Result<std::optional<std::int64_t>> FindAccount(SqliteConnection& connection, const UserKey& user);

// Gives the user a key when he has none.
Result<std::int64_t> InternAccount(SqliteConnection& connection, const UserKey& user);

// kNotFound when no user has this key.
Result<UserKey> ReadAccount(SqliteConnection& connection, std::int64_t user_key);

}  // namespace umbranet
