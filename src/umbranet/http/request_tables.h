// The fields of every request body, in one place. The OpenAPI document is held against these
// tables by a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "umbranet/http/json_fields.h"

namespace umbranet {

inline constexpr std::int64_t kIdBytesMax = 256;
inline constexpr std::int64_t kMetadataBytesMax = 64 * 1024;
inline constexpr std::int64_t kBatchItemsMax = 1'000;
inline constexpr std::int64_t kRecallLimitDefault = 10;
inline constexpr std::int64_t kRecallLimitMax = 100;
inline constexpr std::int64_t kTokenBudgetDefault = 2'000;
inline constexpr std::int64_t kTokenBudgetMax = 100'000;
inline constexpr std::int64_t kPageLimitDefault = 100;
inline constexpr std::int64_t kPageLimitMax = 1'000;

extern const ObjectTable kChatTable;
extern const ObjectTable kTurnTable;
extern const ObjectTable kTurnBatchTable;
extern const ObjectTable kRecallTable;
extern const ObjectTable kMemoryPatchTable;
extern const ObjectTable kUnmergeTable;
extern const ObjectTable kDeadFilterTable;
extern const ObjectTable kRetryTable;
extern const ObjectTable kModesTable;
extern const ObjectTable kRebuildTable;
extern const ObjectTable kRebuildSwapTable;

// All of them.
std::span<const ObjectTable* const> RequestTables();

}  // namespace umbranet
