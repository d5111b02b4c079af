// Tier 4: how the user wants things done. Standing instructions ("always answer in metric units")
// and preferences
// ("I prefer window seats"). They are not found by similarity but kept on, or scoped by topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

enum class RuleKind : std::uint8_t { kInstruction = 0, kPreference = 1 };

struct Rule {
  std::string memory_id;
  UserKey user;
  RuleKind kind = RuleKind::kInstruction;
  std::string text;            // As the user would put it: "always answer in metric units".
  std::string scope;           // When it applies, in words ("code", "travel"); empty: always.
  std::string key;             // Normalised form: saying the same again finds the same rule.
  bool negative = false;       // never, avoid, dislike
  double confidence = 0.8;     // 0 to 1
  std::uint32_t evidence = 1;  // Turns that said it.
  Timestamp occurred_at{};     // The latest turn that said it.
  Timestamp recorded_at{};
  std::optional<Timestamp> withdrawn_at;     // The turn that took it back.
  std::optional<std::string> superseded_by;  // memory_id of the rule that contradicts it later.
  std::vector<SourceRef> sources;
};

}  // namespace umbranet
