// Finding facts of the file, for the parts of SqliteSemanticMemory.
//
// Functions work in the transaction of their connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {

struct LocatedFact {
  std::int64_t head = 0;
  std::int64_t user_key = 0;  // The memory key.
  UserKey user;
};

// The fact that a memory id of the tenant means, in that generation; nothing when there is none.
Result<std::optional<LocatedFact>> LocateFact(SqliteConnection& connection, std::string_view tenant,
                                              std::string_view memory_id, GenerationState which);

MemoryItem ItemOfFact(Fact fact);
Result<std::optional<MemoryItem>> ReadFactItem(SqliteConnection& connection,
                                               const LocatedFact& located);

// The heads of all facts of a memory, by key.
Result<std::vector<std::int64_t>> ReadFactHeads(SqliteConnection& connection,
                                                std::int64_t memory_key);
// The first column of all rows.
Result<std::vector<std::int64_t>> ReadKeys(SqliteStatement rows);

}  // namespace umbranet
