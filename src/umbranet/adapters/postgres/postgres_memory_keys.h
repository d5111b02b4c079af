// Whose memory a row of tiers 2 and 4 belongs to, and to which generation of it.
//
// The rows carry a memory key: the user's own key (postgres_accounts.h), or that of a later
// generation. Which one is in force stands in the account, and nowhere else: who puts another one
// in force changes that row and ends the user's leases in one transaction. Functions work in the
// transaction of their connection, on its thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/generation_state.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/semantic_generations.h"

namespace umbranet {

// A table of one row at most, m(memory_key, owner_key): the memory of tenant $1 and user $2.
#define UMBRANET_MEMORY_IN_FORCE                                                            \
  "(SELECT coalesce(a.memory_key, a.user_key) AS memory_key, a.user_key AS owner_key FROM " \
  "account a WHERE a.tenant = $1 AND a.user_id = $2) m"
#define UMBRANET_MEMORY_IN_SHADOW                                        \
  "(SELECT s.memory_key, a.user_key AS owner_key FROM account a"         \
  " JOIN memory_generation s ON s.user_key = a.user_key AND s.state = 0" \
  " WHERE a.tenant = $1 AND a.user_id = $2) m"

// "JOIN account" of a row `r` of a tier, as `a`, and the generation that it is of, as `g`; and the
// condition that it is in force, or in the shadow.
#define UMBRANET_JOIN_ACCOUNT_OF(r)                     \
  " LEFT JOIN memory_generation g ON g.memory_key = " r \
  ".user_key"                                           \
  " JOIN account a ON a.user_key = coalesce(g.user_key, " r ".user_key)"
#define UMBRANET_ROW_IS_IN_FORCE(r) r ".user_key = coalesce(a.memory_key, a.user_key)"
#define UMBRANET_ROW_IS_IN_SHADOW "g.state = 0"

struct PostgresMemory {
  std::int64_t memory_key = 0;
  std::int64_t owner_key = 0;  // The account's: what is kept once for all generations is under it.
  bool has_others = false;     // There are, or were, other generations.
};

// Nothing when the user has none in that state.
Result<std::optional<PostgresMemory>> FindMemory(PostgresConnection& connection,
                                                 const UserKey& user, GenerationState which);

// The memory that plans are applied to. Gives the user an account when he has none. A shadow stays
// one until the transaction ends; kAborted: there is none.
Result<PostgresMemory> MemoryToApplyTo(PostgresConnection& connection, const UserKey& user,
                                       GenerationState which);

// The keys of all of a user's generations, whatever their state, the least first: his own.
Result<std::vector<std::int64_t>> MemoriesOf(PostgresConnection& connection,
                                             std::int64_t owner_key);

// Ends every generation of the user but the one in force: nobody finds it any more, and its rows
// may be removed. Waits for whoever applies plans to one.
Status EndOtherMemories(PostgresConnection& connection, const UserKey& user);

Error NotBeingRebuilt();

// For a tier that is kept elsewhere. Any thread; the pool must outlive it.
class PostgresMemoryKeys final : public MemoryKeys {
 public:
  explicit PostgresMemoryKeys(PostgresPool& pool) : pool_(pool) {}

  Result<std::int64_t> InForce(const UserKey& user, Deadline deadline) override;
  Result<std::optional<std::int64_t>> Shadow(const UserKey& user, Deadline deadline) override;
  Status NoteChange(const UserKey& user, Deadline deadline) override;

 private:
  PostgresPool& pool_;
};

}  // namespace umbranet
