#include "umbranet/domain/interaction.h"

namespace umbranet {

std::string_view RoleName(Role role) {
  return role == Role::kUser ? "user" : "assistant";
}

std::string_view PriorityName(Priority priority) {
  switch (priority) {
    case Priority::kHigh:
      return "high";
    case Priority::kNormal:
      return "normal";
    case Priority::kLow:
      return "low";
  }
  return "normal";
}

bool ParsePriority(std::string_view name, Priority& priority) {
  for (const Priority candidate : {Priority::kHigh, Priority::kNormal, Priority::kLow}) {
    if (name == PriorityName(candidate)) {
      priority = candidate;
      return true;
    }
  }
  return false;
}

}  // namespace umbranet
