#include "umbranet/http/request_tables.h"

#include <array>
#include <string_view>

#include "umbranet/http/router.h"

namespace umbranet {
namespace {

constexpr auto kTextBytesMax = static_cast<std::int64_t>(kTurnBodyBytesMax);
constexpr std::int64_t kTimestampBytesMax = 64;

constexpr std::array<std::string_view, 3> kPriorities = {"high", "normal", "low"};
constexpr std::array<std::string_view, 4> kTiers = {"short_term", "episodic", "semantic",
                                                    "procedural"};
constexpr std::array<std::string_view, 3> kReflectedTierNames = {"episodic", "semantic",
                                                                 "procedural"};

constexpr FieldTable Identifier(std::string_view name, bool required = false) {
  return {name, FieldKind::kIdentifier, required, 1, kIdBytesMax};
}

constexpr FieldTable Text(std::string_view name, bool required, std::int64_t min) {
  return {name, FieldKind::kText, required, min, kTextBytesMax};
}

constexpr FieldTable Time(std::string_view name) {
  return {name, FieldKind::kTimestamp, false, 1, kTimestampBytesMax};
}

constexpr FieldTable Integer(std::string_view name, std::int64_t min, std::int64_t max) {
  return {name, FieldKind::kInteger, false, min, max};
}

constexpr FieldTable kPriority = {"priority", FieldKind::kChoice, false, 1, 16, kPriorities};
constexpr FieldTable kMetadata = {"metadata", FieldKind::kObject, false, 0, kMetadataBytesMax};

constexpr std::array kChatFields = {
    Identifier("user_id", true),
    Text("message", true, 1),
    Identifier("session_id"),
    FieldTable{"stream", FieldKind::kBoolean},
    kPriority,
    kMetadata,
};

constexpr std::array kTurnFields = {
    Identifier("user_id", true),
    Text("user_message", true, 1),
    Text("assistant_response", false, 0),
    Identifier("session_id"),
    Identifier("speaker"),
    Time("timestamp"),
    kPriority,
    kMetadata,
    Identifier("interaction_id"),
};

constexpr std::array kRecallFields = {
    Identifier("user_id", true),
    Text("query", true, 1),
    Integer("limit", 1, kRecallLimitMax),
    FieldTable{"tiers", FieldKind::kChoices, false, 1, kTiers.size(), kTiers},
    Integer("token_budget", 1, kTokenBudgetMax),
    Time("as_of"),
    Identifier("session_id"),
    FieldTable{"explain", FieldKind::kBoolean},
};

constexpr std::array kMemoryPatchFields = {
    Text("text", false, 1),
    Time("valid_to"),
};

constexpr std::array kDeadFilterFields = {
    Identifier("user_id"),
    FieldTable{"tier", FieldKind::kChoice, false, 1, 16, kReflectedTierNames},
    FieldTable{"error_contains", FieldKind::kText, false, 1, kIdBytesMax},
};

}  // namespace

const ObjectTable kChatTable = {"ChatRequest", kChatFields};
const ObjectTable kTurnTable = {"Turn", kTurnFields};
const ObjectTable kRecallTable = {"RecallRequest", kRecallFields};
const ObjectTable kMemoryPatchTable = {"MemoryPatch", kMemoryPatchFields};
const ObjectTable kDeadFilterTable = {"DeadLetterFilter", kDeadFilterFields};

namespace {

constexpr std::array kUnmergeFields = {
    FieldTable{"name", FieldKind::kText, true, 1, kIdBytesMax},
    FieldTable{"from", FieldKind::kText, false, 1, kIdBytesMax},
};

constexpr std::array kTurnBatchFields = {
    FieldTable{"items", FieldKind::kObjects, true, 1, kBatchItemsMax, {}, &kTurnTable},
};

constexpr std::array kModesFields = {
    FieldTable{"memory_fast_mode", FieldKind::kBoolean},
    FieldTable{"reflection_queue_enabled", FieldKind::kBoolean},
    Integer("fast_mode_percent", 0, 100),
};

constexpr std::array kRebuildFields = {
    FieldTable{"rules", FieldKind::kBoolean},
    Identifier("model"),
    Integer("turns_max", 1, kPageLimitMax),
};

constexpr std::array<std::string_view, 2> kGenerations = {"shadow", "former"};

constexpr std::array kRebuildSwapFields = {
    FieldTable{"to", FieldKind::kChoice, true, 1, 16, kGenerations},
};

constexpr std::array kRetryFields = {
    FieldTable{"filter", FieldKind::kObject, false, 0, 0, {}, &kDeadFilterTable},
};

}  // namespace

const ObjectTable kUnmergeTable = {"Unmerge", kUnmergeFields};
const ObjectTable kTurnBatchTable = {"TurnBatch", kTurnBatchFields};
const ObjectTable kRetryTable = {"DeadLetterRetry", kRetryFields};
const ObjectTable kModesTable = {"ModesPatch", kModesFields};
const ObjectTable kRebuildTable = {"RebuildRequest", kRebuildFields};
const ObjectTable kRebuildSwapTable = {"RebuildSwap", kRebuildSwapFields};

std::span<const ObjectTable* const> RequestTables() {
  static constexpr std::array kAll = {&kChatTable,       &kTurnTable,        &kTurnBatchTable,
                                      &kRecallTable,     &kMemoryPatchTable, &kUnmergeTable,
                                      &kDeadFilterTable, &kRetryTable,       &kModesTable,
                                      &kRebuildTable,    &kRebuildSwapTable};
  return kAll;
}

}  // namespace umbranet
