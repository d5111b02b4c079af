#include "umbranet/adapters/openai/chat_completion_codec.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace umbranet {
namespace {

namespace json = boost::json;

// Holds a chunk of a stream without touching the heap.
constexpr std::size_t kParseBytes = 4096;
constexpr std::size_t kReasonBytesMax = 32;

std::string_view RoleText(ChatRole role) {
  switch (role) {
    case ChatRole::kSystem:
      return "system";
    case ChatRole::kAssistant:
      return "assistant";
    case ChatRole::kUser:
      break;
  }
  return "user";
}

void AppendString(std::string& out, std::string_view text) {
  out += json::serialize(json::string_view(text.data(), text.size()));
}

const json::value* Find(const json::object& object, std::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value = Find(object, name);
  if (value == nullptr) {
    return "";
  }
  if (const json::string* text = value->if_string()) {
    return std::string(text->data(), text->size());
  }
  // Some servers give their codes as numbers.
  return value->is_number() ? json::serialize(*value) : "";
}

std::optional<std::uint64_t> Count(const json::object& object, std::string_view name) {
  const json::value* value = Find(object, name);
  if (value == nullptr || !value->is_number()) {
    return std::nullopt;
  }
  boost::system::error_code error;
  const auto count = value->to_number<std::uint64_t>(error);
  return error ? std::nullopt : std::optional<std::uint64_t>(count);
}

// A string, or the list of parts that some servers send in its place.
void AppendContent(const json::value& content, std::string& out) {
  if (const json::string* text = content.if_string()) {
    out.append(text->data(), text->size());
  } else if (const json::array* parts = content.if_array()) {
    for (const json::value& part : *parts) {
      if (const json::object* object = part.if_object()) {
        out += Text(*object, "text");
      }
    }
  }
}

bool HoldsSomething(const json::object& object, std::string_view name) {
  const json::value* value = Find(object, name);
  if (value == nullptr || value->is_null()) {
    return false;
  }
  if (const json::array* list = value->if_array()) {
    return !list->empty();
  }
  const json::string* text = value->if_string();
  return text == nullptr || !text->empty();
}

// Reasons are short names; whatever else a server puts there is repeated nowhere.
std::string FinishReason(const json::object& choice) {
  std::string reason = Text(choice, "finish_reason");
  const bool is_name = reason.size() <= kReasonBytesMax &&
                       std::all_of(reason.begin(), reason.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return is_name ? reason : "other";
}

void ReadChoice(const json::object& choice, CompletionPart& part) {
  part.has_choice = true;
  part.finish_reason = FinishReason(choice);
  for (const std::string_view name : {"delta", "message"}) {
    const json::value* value = Find(choice, name);
    const json::object* message = value == nullptr ? nullptr : value->if_object();
    if (message == nullptr) {
      continue;
    }
    if (const json::value* content = Find(*message, "content")) {
      AppendContent(*content, part.text);
    }
    part.refused = part.refused || HoldsSomething(*message, "refusal");
    part.tool_call = part.tool_call || HoldsSomething(*message, "tool_calls") ||
                     HoldsSomething(*message, "function_call");
  }
}

ServerError ReadErrorObject(const json::object& object) {
  return {Text(object, "message"), Text(object, "type"), Text(object, "code"),
          Text(object, "param")};
}

std::optional<ServerError> FindError(const json::object& root) {
  const json::value* value = Find(root, "error");
  if (value != nullptr && value->is_object()) {
    return ReadErrorObject(value->get_object());
  }
  if (value != nullptr && value->is_string()) {
    return ServerError{Text(root, "error"), "", "", ""};
  }
  return std::nullopt;
}

void AppendAnswerForm(std::string& out, const AnswerSchema& wanted, AnswerForm form) {
  if (form == AnswerForm::kSchema) {
    out += R"(,"response_format":{"type":"json_schema","json_schema":{"name":)";
    AppendString(out, wanted.name);
    out += R"(,"strict":true,"schema":)";
    out += wanted.schema;
    out += "}}";
  } else if (form == AnswerForm::kObject) {
    out += R"(,"response_format":{"type":"json_object"})";
  }
}

}  // namespace

std::string WriteCompletionRequest(const CompletionRequest& request, std::string_view model,
                                   bool stream, const CompletionDialect& dialect) {
  std::size_t size = 256;
  for (const ChatMessage& message : request.messages) {
    size += message.content.size() + message.content.size() / 16 + 64;
  }
  std::string out;
  out.reserve(size);
  out += "{\"model\":";
  AppendString(out, model);
  out += ",\"messages\":[";
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    out += i == 0 ? "{\"role\":\"" : ",{\"role\":\"";
    out += RoleText(request.messages[i].role);
    out += "\",\"content\":";
    AppendString(out, request.messages[i].content);
    out += '}';
  }
  out += ']';
  if (request.tokens_max) {
    out += dialect.max_completion_tokens ? ",\"max_completion_tokens\":" : ",\"max_tokens\":";
    out += std::to_string(*request.tokens_max);
  }
  if (request.temperature && dialect.temperature) {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), ",\"temperature\":%.3f", *request.temperature);
    out += number.data();
  }
  if (request.answer_schema) {
    AppendAnswerForm(out, *request.answer_schema, dialect.answer_form);
  }
  if (stream) {
    out += ",\"stream\":true";
    if (dialect.stream_usage) {
      out += ",\"stream_options\":{\"include_usage\":true}";
    }
  }
  out += '}';
  return out;
}

Result<CompletionPart> ReadCompletionPart(std::string_view text) {
  std::array<unsigned char, kParseBytes> memory;  // NOLINT: the parser fills what it uses.
  json::monotonic_resource resource(memory.data(), memory.size());
  boost::system::error_code error;
  const json::value root =
      json::parse(json::string_view(text.data(), text.size()), error, &resource);
  if (error || !root.is_object()) {
    return Error{ErrorCode::kBadGateway,
                 "openai: the answer is not the JSON of a completion; check OPENAI_BASE_URL"};
  }
  const json::object& object = root.get_object();
  CompletionPart part;
  part.error = FindError(object);
  if (const json::value* usage = Find(object, "usage"); usage != nullptr && usage->is_object()) {
    part.prompt_tokens = Count(usage->get_object(), "prompt_tokens");
    part.completion_tokens = Count(usage->get_object(), "completion_tokens");
  }
  const json::value* choices = Find(object, "choices");
  if (choices != nullptr && choices->is_array() && !choices->get_array().empty()) {
    if (const json::object* choice = choices->get_array()[0].if_object()) {
      ReadChoice(*choice, part);
    }
  }
  return part;
}

std::optional<ServerError> ReadServerError(std::string_view text) {
  boost::system::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !root.is_object()) {
    return std::nullopt;
  }
  const json::object& object = root.get_object();
  if (std::optional<ServerError> found = FindError(object)) {
    return found;
  }
  ServerError flat = ReadErrorObject(object);
  if (flat.message.empty()) {
    flat.message = Text(object, "detail");
  }
  if (flat.message.empty()) {
    return std::nullopt;
  }
  return flat;
}

}  // namespace umbranet
