#include "umbranet/adapters/rabbitmq/reflection_message.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <boost/json.hpp>

#include "umbranet/base/unique_id.h"
#include "umbranet/base/utf8.h"
#include "umbranet/domain/origin_name.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kIdBytesMax = 256;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kMetadataBytesMax = std::size_t{64} << 10U;
constexpr std::size_t kKeyUserBytesMax = 200;

Error Malformed(std::string_view what) {
  return InvalidArgument("reflection message: " + std::string(what));
}

json::parse_options ParseOptions() {
  json::parse_options options;
  options.max_depth = kDepthMax;
  return options;
}

// --- reading -----------------------------------------------------------------------------------

// Reads fields and remembers the first that is wrong. null is the same as nothing, since many
// writers of JSON spell an absent value so.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  // Of 1 to 256 bytes without control characters.
  std::string Identifier(std::string_view name) {
    std::string text = Text(name, kIdBytesMax);
    if (HasControlCharacters(text)) {
      Refuse(name, "contains a control character");
    }
    return text;
  }

  std::string Text(std::string_view name, std::size_t bytes_max) {
    const json::value* const value = Find(name);
    if (value == nullptr) {
      return {};
    }
    if (!value->is_string()) {
      Refuse(name, "is not a string");
      return {};
    }
    const json::string& text = value->get_string();
    if (text.size() > bytes_max) {
      Refuse(name, "is too long");
      return {};
    }
    return {text.data(), text.size()};
  }

  // RFC 3339; without an offset, as many writers leave it out, it is UTC.
  Timestamp Time(std::string_view name) {
    const std::string text = Text(name, kIdBytesMax);
    if (text.empty()) {
      return {};
    }
    auto time = ParseTimestamp(text);
    if (!time) {
      time = ParseTimestamp(text + "Z");
    }
    // An offset may lead out of the years that can be written.
    if (!time || !ParseTimestamp(FormatTimestamp(*time))) {
      Refuse(name, "is not a time by RFC 3339");
      return {};
    }
    return *time;
  }

  // A name, or a number as older producers write it: above 0 is high, 0 normal, below low.
  Priority ReadPriority(std::string_view name) {
    Priority priority = Priority::kNormal;
    const json::value* const value = Find(name);
    if (value == nullptr) {
      return priority;
    }
    if (value->is_int64()) {
      const std::int64_t number = value->get_int64();
      return number > 0 ? Priority::kHigh : number == 0 ? Priority::kNormal : Priority::kLow;
    }
    if (value->is_uint64()) {
      return Priority::kHigh;
    }
    if (!ParsePriority(Text(name, kIdBytesMax), priority)) {
      Refuse(name, "is none of high, normal, low");
    }
    return priority;
  }

  Origin ReadOrigin(std::string_view name) {
    const std::string text = Text(name, kIdBytesMax);
    for (const Origin origin : {Origin::kRecorded, Origin::kChat, Origin::kOfflineChat}) {
      if (text == OriginName(origin)) {
        return origin;
      }
    }
    if (!text.empty()) {
      Refuse(name, "is none of recorded, chat, offline_chat");
    }
    return Origin::kRecorded;
  }

  std::string Object(std::string_view name) {
    const json::value* const value = Find(name);
    if (value == nullptr) {
      return "{}";
    }
    if (!value->is_object()) {
      Refuse(name, "is not an object");
      return "{}";
    }
    std::string text = json::serialize(value->get_object());
    if (text.size() > kMetadataBytesMax) {
      Refuse(name, "is too long");
    }
    return text;
  }

  void Refuse(std::string_view name, std::string_view why) {
    if (refusal_.empty()) {
      refusal_ = std::string(name) + " " + std::string(why);
    }
  }

  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  const json::value* Find(std::string_view name) {
    const json::value* const value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  const json::object& object_;
  std::string refusal_;
};

std::string OrDefault(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : std::move(text);
}

IncomingJob ReadJob(Reader& reader) {
  IncomingJob job;
  Interaction& turn = job.turn;
  turn.user.tenant = OrDefault(reader.Identifier("tenant"), kDefaultTenant);
  turn.user.user_id = reader.Identifier("user_id");
  turn.session_id = OrDefault(reader.Identifier("session_id"), kDefaultSession);
  turn.speaker = OrDefault(reader.Identifier("speaker"), kDefaultSpeaker);
  const std::string job_id = reader.Identifier("job_id");
  turn.interaction_id = OrDefault(reader.Identifier("interaction_id"), job_id);
  turn.user_message = reader.Text("user_message", kTextBytesMax);
  turn.assistant_response = reader.Text("assistant_response", kTextBytesMax);
  turn.occurred_at = reader.Time("timestamp");
  turn.accepted_at = reader.Time("created_at");
  turn.priority = reader.ReadPriority("priority");
  turn.origin = reader.ReadOrigin("origin");
  turn.metadata = reader.Object("metadata");
  if (turn.user.user_id.empty()) {
    reader.Refuse("user_id", "is missing");
  }
  if (turn.interaction_id.empty()) {
    reader.Refuse("job_id", "is missing");
  }
  if (turn.user_message.empty()) {
    reader.Refuse("user_message", "is missing");
  }
  return job;
}

// --- writing -----------------------------------------------------------------------------------

bool IsTellable(const ReflectionJob& job, const Interaction& turn) {
  if (job.generation != 0 || turn.user_message.size() > kInlineBytesMax ||
      turn.assistant_response.size() > kInlineBytesMax || turn.metadata.size() > kInlineBytesMax) {
    return false;
  }
  for (const std::string* text :
       {&job.job_id, &turn.user.tenant, &turn.user.user_id, &turn.session_id, &turn.interaction_id,
        &turn.speaker, &turn.user_message, &turn.assistant_response}) {
    if (!IsValidUtf8(*text)) {
      return false;
    }
  }
  json::error_code error;
  const json::value metadata = json::parse(turn.metadata, error, {}, ParseOptions());
  return !error && metadata.is_object();
}

}  // namespace

std::optional<std::string> EncodeJob(const ReflectionJob& job, const Interaction& turn) {
  if (!IsTellable(job, turn)) {
    return std::nullopt;
  }
  json::object object{{"job_id", job.job_id},
                      {"interaction_id", turn.interaction_id},
                      {"tenant", turn.user.tenant},
                      {"user_id", turn.user.user_id},
                      {"session_id", turn.session_id},
                      {"speaker", turn.speaker},
                      {"user_message", turn.user_message},
                      {"assistant_response", turn.assistant_response},
                      {"priority", PriorityName(turn.priority)},
                      {"origin", OriginName(turn.origin)}};
  if (turn.occurred_at != Timestamp{}) {
    object["timestamp"] = FormatTimestamp(turn.occurred_at);
  }
  if (turn.accepted_at != Timestamp{}) {
    object["created_at"] = FormatTimestamp(turn.accepted_at);
  }
  // The caller's own JSON goes in as it is, since numbers may not survive being read and written.
  std::string message = json::serialize(object);
  message.pop_back();
  message += R"(,"metadata":)" + turn.metadata + "}";
  if (message.size() > kInlineBytesMax) {
    return std::nullopt;
  }
  return message;
}

std::string EncodeRing(const ReflectionJob& job) {
  json::object object;
  const std::pair<std::string_view, const std::string*> fields[] = {
      {"job_id", &job.job_id},
      {"interaction_id", &job.interaction_id},
      {"tenant", &job.user.tenant},
      {"user_id", &job.user.user_id}};
  for (const auto& [name, text] : fields) {
    if (!text->empty() && IsValidUtf8(*text)) {
      object[name] = *text;
    }
  }
  return json::serialize(object);
}

Result<IncomingJob> DecodeJob(std::string_view bytes) {
  if (bytes.size() > kMessageBytesMax) {
    return Malformed("longer than 8 MiB");
  }
  json::error_code error;
  const json::value document = json::parse(bytes, error, {}, ParseOptions());
  if (error) {
    return Malformed("not JSON");
  }
  if (!document.is_object()) {
    return Malformed("not a JSON object");
  }
  Reader reader(document.get_object());
  IncomingJob job = ReadJob(reader);
  if (!reader.refusal().empty()) {
    return Malformed(reader.refusal());
  }
  return job;
}

std::string RoutingKey(std::string_view user_id) {
  const bool plain = !user_id.empty() && user_id.size() <= kKeyUserBytesMax &&
                     std::all_of(user_id.begin(), user_id.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '-';
                     });
  return "reflection." +
         (plain ? std::string(user_id) : "h-" + Sha256Hex(user_id).substr(0, std::size_t{32}));
}

}  // namespace umbranet
