// A turn of a conversation: what a user said and what the assistant answered. The journal holds
// every accepted turn once and unchanged; all other memory is worked out from it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"

namespace umbranet {

// Whose memory it is. Part of every key in every store: users of two tenants never meet. The tenant
// comes from the API key alone; without keys it is kDefaultTenant.
struct UserKey {
  std::string tenant;
  std::string user_id;  // 1 to 256 bytes of UTF-8 without control characters; otherwise any text.

  auto operator<=>(const UserKey&) const = default;
};

inline constexpr std::string_view kDefaultTenant = "default";
inline constexpr std::string_view kDefaultSession = "default";
inline constexpr std::string_view kDefaultSpeaker = "User";
inline constexpr std::string_view kAssistantSpeaker = "Assistant";  // Of the assistant's half.

enum class Role : std::uint8_t { kUser = 0, kAssistant = 1 };

enum class Priority : std::uint8_t { kHigh = 0, kNormal = 1, kLow = 2 };

// Where the assistant's half came from, since the server must not learn from its own echo.
enum class Origin : std::uint8_t {
  kRecorded = 0,  // Made elsewhere and handed in.
  kChat = 1,      // Answered here by a language model that had recalled memories before it.
  kOfflineChat =
      2,  // Answered here without a model, by quoting memories: nothing in the answer is new.
};

struct Interaction {
  std::string interaction_id;  // Unique within (tenant, user).
  UserKey user;
  std::string session_id = std::string(kDefaultSession);
  std::string speaker =
      std::string(kDefaultSpeaker);  // Who says user_message; "User" when it is the user.
  Timestamp occurred_at{};           // The turn's own time; "yesterday" is resolved against it.
  Timestamp accepted_at{};           // When it became durable here.
  // When its answering began, if that was here: a user who is forgotten from then on is not to be
  // remembered by it. Not kept.
  Timestamp asked_at{};
  std::string user_message;
  std::string assistant_response;  // May be empty.
  Priority priority = Priority::kNormal;
  Origin origin = Origin::kRecorded;
  std::string metadata = "{}";  // The caller's JSON object, kept as text and never interpreted.
  std::int64_t sequence =
      0;  // Place in the journal, rising in the order of acceptance. Set by the journal.
};

// What the forgetting of its user is compared with, since nothing of before it comes back;
// Timestamp{} for a turn that is new to everybody.
inline Timestamp KnownSince(const Interaction& turn) {
  return turn.asked_at != Timestamp{} ? turn.asked_at : turn.accepted_at;
}

// A half of a turn: what a memory names as its source.
struct SourceRef {
  std::string interaction_id;
  Role role = Role::kUser;

  auto operator<=>(const SourceRef&) const = default;
};

std::string_view RoleName(Role role);
std::string_view PriorityName(Priority priority);
// False when `name` is none of high, normal, low.
bool ParsePriority(std::string_view name, Priority& priority);

}  // namespace umbranet
