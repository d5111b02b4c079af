// Reads turns out of the files that people have: JSON lines, a ChatGPT data export, conversation
// files, and what "umbranet export" wrote, of which the turns are enough: the rest is worked out of
// them again.
//
// Pure over bytes: no network, no store. Every turn gets an interaction_id that depends on its
// content and place alone, unless the file names one, so that importing the same file again stores
// nothing twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "umbranet/base/result.h"

namespace umbranet {

enum class ImportFormat : std::uint8_t {
  kAuto,
  kJsonLines,     // One turn a line, with the fields of POST /v1/interactions.
  kChatGpt,       // conversations.json of a ChatGPT data export.
  kConversation,  // {"user_id", "turns": [{"session_id", "speaker", "timestamp", "user_message",
                  // ...}]}
};

std::optional<ImportFormat> ParseImportFormat(
    std::string_view name);  // auto, jsonl, chatgpt, conversation

struct ImportProblem {
  std::string where;  // "line 12", "conversation 3"
  std::string what;
};

struct ImportedTurns {
  ImportFormat format = ImportFormat::kAuto;
  std::vector<boost::json::object> turns;  // As POST /v1/interactions takes them, in order.
  std::vector<ImportProblem> problems;     // Entries that were left out, and why.
};

// `user_id` takes the place of whatever the file says; empty: the file must say it (a ChatGPT
// export never does). Fails when the bytes are of none of the formats; single bad entries are left
// out and reported.
Result<ImportedTurns> ReadTurns(std::string_view bytes, ImportFormat format,
                                std::string_view user_id);

}  // namespace umbranet
