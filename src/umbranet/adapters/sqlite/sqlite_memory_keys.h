// Whose memory a row of tiers 2 to 4 belongs to, and to which generation of it.
//
// The rows carry a memory key: the user's own key (sqlite_accounts.h), or that of a later
// generation. Functions work in the transaction of their connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/generation_state.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

// "JOIN account" of a row `r` of a tier, as `a`, and the generation that it is of. To be followed
// by a condition UMBRANET_STATE_OF_MEMORY = ?, where only one generation is meant.
#define UMBRANET_JOIN_OWNER(r)                          \
  " LEFT JOIN memory_generation g ON g.memory_key = " r \
  ".user_key"                                           \
  " JOIN account a ON a.user_key = coalesce(g.user_key, " r ".user_key)"
#define UMBRANET_STATE_OF_MEMORY "coalesce(g.state, 1)"

// The key of the user who owns a memory: what is kept once for all of his generations is under it.
#define UMBRANET_OWNER_OF(key) \
  "coalesce((SELECT user_key FROM memory_generation WHERE memory_key = " key "), " key ")"

// The key of the user's memory in that state; nothing when there is none.
Result<std::optional<std::int64_t>> FindMemory(SqliteConnection& connection, const UserKey& user,
                                               GenerationState state);

// The key of the memory in force; gives the user one when he has none.
Result<std::int64_t> InternMemory(SqliteConnection& connection, const UserKey& user);

// The keys of all of the user's generations, whatever their state; none when he was never heard of.
Result<std::vector<std::int64_t>> MemoriesOf(SqliteConnection& connection, const UserKey& user);

// Ends every generation of the user but the one in force: nobody finds it any more, and its rows
// may be removed.
Status EndOtherMemories(SqliteConnection& connection, const UserKey& user);

}  // namespace umbranet
