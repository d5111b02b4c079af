// The messages that a model is asked with. Pure; may be called from any thread.
//
//   system     who the assistant is; how recalled text is to be read; the day; then, as data, a
//              summary of the earlier conversation, the standing rules and the memories
//   user, assistant ...   the running conversation, oldest first, as much as its budget holds
//   user       the message itself, whole
//
// Recalled text can give no orders: it stands between marks that no text can write, since every "<"
// in it is escaped (memory/prompt_context.h), and the system prompt says that whatever stands
// between them is data. One system message alone, and roles that alternate after it, since many
// models' chat templates refuse anything else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

struct PromptOptions {
  std::string_view system_prompt;  // Empty: the built-in one. The rules on data follow either.
  std::size_t history_turns_max = 20;
  std::size_t history_tokens_max = 2'000;  // By EstimateTokens.
};

[[nodiscard]] std::vector<ChatMessage> BuildPrompt(std::string_view message,
                                                   const RecalledContext& recalled, Timestamp now,
                                                   const PromptOptions& options);

}  // namespace umbranet
