#include "umbranet/app/import_formats.h"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/domain/origin_name.h"

namespace umbranet {
namespace {

namespace json = boost::json;

Error Unreadable(std::string message) {
  return InvalidArgument("import: " + std::move(message));
}

std::string_view Text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    return {};
  }
  return {value->get_string().data(), value->get_string().size()};
}

// Gives turns ids that depend on what they say and where. Identical turns of one file are told
// apart by counting them, which comes out the same the next time.
class TurnIds {
 public:
  void Name(json::object& turn) {
    if (turn.contains("interaction_id")) {
      return;
    }
    const std::string content = NameUuidV5(
        {"import", Text(turn, "user_id"), Text(turn, "session_id"), Text(turn, "timestamp"),
         Text(turn, "speaker"), Text(turn, "user_message"), Text(turn, "assistant_response")});
    const std::size_t repeat = seen_[content]++;
    turn["interaction_id"] =
        repeat == 0 ? content : NameUuidV5({"repeat", content, std::to_string(repeat)});
  }

 private:
  std::map<std::string, std::size_t> seen_;
};

void Add(ImportedTurns& out, TurnIds& ids, json::object turn, std::string where,
         std::string_view user_id) {
  if (!user_id.empty()) {
    turn["user_id"] = user_id;
  }
  if (Text(turn, "user_id").empty()) {
    out.problems.push_back(
        {std::move(where), "names no user_id; say whose turns they are with --user"});
    return;
  }
  if (Text(turn, "user_message").empty()) {
    out.problems.push_back({std::move(where), "has no user_message"});
    return;
  }
  ids.Name(turn);
  out.turns.push_back(std::move(turn));
}

// A line of an export becomes what POST /v1/interactions takes. False: it holds no turn.
bool TakeExported(json::object& line) {
  const std::string type(Text(line, "type"));
  if (type.empty()) {
    return true;  // Not of an export.
  }
  if (type != "interaction") {
    return false;
  }
  boost::system::error_code error;
  json::value metadata = json::parse(Text(line, "metadata"), error);
  if (!error && metadata.is_object()) {
    line["metadata"] = std::move(metadata);
  } else {
    line.erase("metadata");
  }
  // An answer without a model quoted what was remembered; handed in again it would be taken for
  // something new.
  if (Text(line, "origin") == OriginName(Origin::kOfflineChat)) {
    line.erase("assistant_response");
  }
  for (const std::string_view unknown : {"type", "accepted_at", "reflection", "origin"}) {
    line.erase(unknown);
  }
  return true;
}

ImportedTurns ReadJsonLines(std::string_view bytes, std::string_view user_id) {
  ImportedTurns out;
  out.format = ImportFormat::kJsonLines;
  TurnIds ids;
  for (std::size_t number = 1; !bytes.empty(); ++number) {
    const std::size_t end = bytes.find('\n');
    const std::string_view line = bytes.substr(0, end);
    bytes = end == std::string_view::npos ? std::string_view{} : bytes.substr(end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    std::string where = "line " + std::to_string(number);
    boost::system::error_code error;
    json::value value = json::parse(line, error);
    if (error || !value.is_object()) {
      out.problems.push_back({std::move(where), "is not a JSON object"});
      continue;
    }
    if (TakeExported(value.get_object())) {
      Add(out, ids, std::move(value.get_object()), std::move(where), user_id);
    }
  }
  return out;
}

Result<ImportedTurns> ReadConversation(const json::object& file, std::string_view user_id) {
  const json::value* turns = file.if_contains("turns");
  if (turns == nullptr || !turns->is_array()) {
    return Unreadable("the file has no list of turns");
  }
  ImportedTurns out;
  out.format = ImportFormat::kConversation;
  TurnIds ids;
  std::size_t number = 0;
  for (const json::value& entry : turns->get_array()) {
    std::string where = "turn " + std::to_string(++number);
    if (!entry.is_object()) {
      out.problems.push_back({std::move(where), "is not a JSON object"});
      continue;
    }
    json::object turn;
    turn["user_id"] = Text(file, "user_id");
    for (const std::string_view field :
         {"session_id", "speaker", "timestamp", "user_message", "assistant_response"}) {
      if (const std::string_view value = Text(entry.get_object(), field); !value.empty()) {
        turn[field] = value;
      }
    }
    Add(out, ids, std::move(turn), std::move(where), user_id);
  }
  return out;
}

// One message of a ChatGPT conversation; empty text when it is a system message, a tool call or an
// image.
struct ChatGptMessage {
  std::string role;
  std::string text;
  double created = 0;
};

ChatGptMessage ReadMessage(const json::object& node) {
  ChatGptMessage out;
  const json::value* message = node.if_contains("message");
  if (message == nullptr || !message->is_object()) {
    return out;
  }
  const json::object& body = message->get_object();
  if (const json::value* author = body.if_contains("author"); author && author->is_object()) {
    out.role = Text(author->get_object(), "role");
  }
  if (const json::value* created = body.if_contains("create_time"); created) {
    out.created = created->is_double()  ? created->get_double()
                  : created->is_int64() ? static_cast<double>(created->get_int64())
                                        : 0;
  }
  const json::value* content = body.if_contains("content");
  const json::value* parts =
      content && content->is_object() ? content->get_object().if_contains("parts") : nullptr;
  if (parts != nullptr && parts->is_array()) {
    for (const json::value& part : parts->get_array()) {
      if (part.is_string() && !part.get_string().empty()) {
        out.text += (out.text.empty() ? "" : "\n") + std::string(part.get_string());
      }
    }
  }
  return out;
}

// The branch that the user last saw, oldest message first: from current_node up through the
// parents.
std::vector<ChatGptMessage> CurrentBranch(const json::object& conversation) {
  std::vector<ChatGptMessage> branch;
  const json::value* mapping = conversation.if_contains("mapping");
  if (mapping == nullptr || !mapping->is_object()) {
    return branch;
  }
  const json::object& nodes = mapping->get_object();
  std::string at(Text(conversation, "current_node"));
  // A cycle in a damaged export must not hold us: no branch is longer than the number of nodes.
  for (std::size_t steps = 0; !at.empty() && steps <= nodes.size(); ++steps) {
    const json::value* node = nodes.if_contains(at);
    if (node == nullptr || !node->is_object()) {
      break;
    }
    ChatGptMessage message = ReadMessage(node->get_object());
    if (!message.text.empty() && (message.role == "user" || message.role == "assistant")) {
      branch.push_back(std::move(message));
    }
    at = std::string(Text(node->get_object(), "parent"));
  }
  std::reverse(branch.begin(), branch.end());
  return branch;
}

std::string TimeOf(double unix_seconds) {
  constexpr double kLatest = 253'402'300'799.0;  // The end of the year 9999.
  const double seconds = std::clamp(unix_seconds, 0.0, kLatest);
  return FormatTimestamp(FromUnixMillis(static_cast<std::int64_t>(seconds * 1000)));
}

void AddChatGptConversation(ImportedTurns& out, TurnIds& ids, const json::object& conversation,
                            const std::string& where, std::string_view user_id) {
  std::string_view session = Text(conversation, "conversation_id");
  if (session.empty()) {
    session = Text(conversation, "id");
  }
  const std::vector<ChatGptMessage> branch = CurrentBranch(conversation);
  for (std::size_t i = 0; i < branch.size(); ++i) {
    if (branch[i].role != "user") {
      continue;
    }
    json::object turn;
    turn["session_id"] = session.empty() ? "chatgpt " + where : std::string(session);
    turn["user_message"] = branch[i].text;
    if (branch[i].created > 0) {
      turn["timestamp"] = TimeOf(branch[i].created);
    }
    std::string answer;
    for (std::size_t next = i + 1; next < branch.size() && branch[next].role != "user"; ++next) {
      answer += (answer.empty() ? "" : "\n\n") + branch[next].text;
    }
    if (!answer.empty()) {
      turn["assistant_response"] = answer;
    }
    Add(out, ids, std::move(turn), where, user_id);
  }
}

Result<ImportedTurns> ReadChatGpt(const json::array& conversations, std::string_view user_id) {
  if (user_id.empty()) {
    return Unreadable("a ChatGPT export does not say whose it is; add --user NAME");
  }
  ImportedTurns out;
  out.format = ImportFormat::kChatGpt;
  TurnIds ids;
  std::size_t number = 0;
  for (const json::value& conversation : conversations) {
    std::string where = "conversation " + std::to_string(++number);
    if (!conversation.is_object() || !conversation.get_object().contains("mapping")) {
      out.problems.push_back({std::move(where), "has no mapping of messages"});
      continue;
    }
    AddChatGptConversation(out, ids, conversation.get_object(), where, user_id);
  }
  return out;
}

}  // namespace

std::optional<ImportFormat> ParseImportFormat(std::string_view name) {
  if (name == "auto") {
    return ImportFormat::kAuto;
  }
  if (name == "jsonl") {
    return ImportFormat::kJsonLines;
  }
  if (name == "chatgpt") {
    return ImportFormat::kChatGpt;
  }
  if (name == "conversation") {
    return ImportFormat::kConversation;
  }
  return std::nullopt;
}

Result<ImportedTurns> ReadTurns(std::string_view bytes, ImportFormat format,
                                std::string_view user_id) {
  if (bytes.starts_with("\xef\xbb\xbf")) {
    bytes.remove_prefix(3);
  }
  if (format == ImportFormat::kJsonLines) {
    return ReadJsonLines(bytes, user_id);
  }
  boost::system::error_code error;
  const json::value file = json::parse(bytes, error);
  if (!error && file.is_array() && format != ImportFormat::kConversation) {
    return ReadChatGpt(file.get_array(), user_id);
  }
  if (!error && file.is_object() && file.get_object().contains("turns") &&
      format != ImportFormat::kChatGpt) {
    return ReadConversation(file.get_object(), user_id);
  }
  if (format == ImportFormat::kAuto) {
    ImportedTurns lines = ReadJsonLines(bytes, user_id);
    if (!lines.turns.empty()) {
      return lines;
    }
  }
  return Unreadable(
      "the file is none of: JSON lines with one turn each, a ChatGPT conversations.json, a "
      "conversation file with a list of turns" +
      (error ? " (JSON: " + error.message() + ")" : std::string()));
}

}  // namespace umbranet
