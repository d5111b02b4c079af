// The JSON of the chat completions API, written and read. Pure functions; any thread.
// https://platform.openai.com/docs/api-reference/chat
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// How a server can be held to a form: by its schema, to an object of any form, or not at all.
enum class AnswerForm : std::uint8_t { kSchema, kObject, kAny };

// Parameters that not every server of this API takes. They are left out or renamed once a server
// has refused them.
struct CompletionDialect {
  bool stream_usage = true;            // stream_options.include_usage
  bool max_completion_tokens = false;  // Rather than max_tokens.
  bool temperature = true;
  AnswerForm answer_form = AnswerForm::kSchema;  // Of response_format, where a form is asked for.
};

std::string WriteCompletionRequest(const CompletionRequest& request, std::string_view model,
                                   bool stream, const CompletionDialect& dialect);

// What a server says went wrong, in a refusal's body or inside a stream. All may be empty.
struct ServerError {
  std::string message;
  std::string type;
  std::string code;
  std::string parameter;
};

// What one answer, or one chunk of a streamed one, holds.
struct CompletionPart {
  std::string text;
  std::string finish_reason;  // Empty until the answer ends.
  std::optional<std::uint64_t> prompt_tokens;
  std::optional<std::uint64_t> completion_tokens;
  bool has_choice = false;
  bool refused = false;    // The model declined in the field that is there for it.
  bool tool_call = false;  // It wants to call a tool, though none was offered.
  std::optional<ServerError> error;
};

// Reads a whole answer (`message`) or a chunk (`delta`) alike. kBadGateway: it is neither.
Result<CompletionPart> ReadCompletionPart(std::string_view json);

// Nothing when `json` holds no error in any of the forms in use.
std::optional<ServerError> ReadServerError(std::string_view json);

}  // namespace umbranet
