// Users as small numbers, so that keys and indexes do not carry tenant and user id with every row.
//
// A key is given once and never again to anybody else, also after the user was forgotten, so stale
// rows and index terms cannot meet a new owner.
#pragma once

#include <cstdint>
#include <optional>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

// Nothing when the user was never heard of. Locks nothing.
Result<std::optional<std::int64_t>> FindAccount(PostgresConnection& connection,
                                                const UserKey& user);

// Gives the user a key when he has none. Locks the account's row only when it is made.
Result<std::int64_t> InternAccount(PostgresConnection& connection, const UserKey& user);

}  // namespace umbranet
