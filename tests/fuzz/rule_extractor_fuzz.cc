// Whatever bytes a turn holds and whoever says it: there is one plan, its entities hold every
// subject and entity object of its facts, its texts are bounded, and the same turn gives the same
// plan again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/extraction/rule_extractor.h"

namespace {

void Require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

bool HasEntity(const umbranet::ReflectionPlan& plan, const std::string& name) {
  return std::any_of(plan.entities.begin(), plan.entities.end(),
                     [&name](const auto& entity) { return entity.name == name; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  umbranet::Interaction turn;
  turn.interaction_id = "t1";
  turn.user = {"default", "u"};
  turn.occurred_at = umbranet::FromUnixMillis(1'686'738'600'000);
  // Two turns of one session: what the first introduces, the second may correct.
  const std::size_t half = text.find('\0');
  turn.user_message = std::string(text.substr(0, half));
  umbranet::ExtractionInput input;
  input.turns.push_back(turn);
  if (half != std::string_view::npos) {
    turn.interaction_id = "t2";
    turn.speaker = "Nora";
    turn.user_message = std::string(text.substr(half + 1));
    input.turns.push_back(turn);
  }
  umbranet::RuleExtractor extractor;
  const auto plans = extractor.Extract(input, umbranet::Deadline::Never());
  Require(plans.ok() && plans->size() == input.turns.size());
  for (const auto& plan : *plans) {
    Require(plan.skipped_reason.empty() || plan.facts.empty());
    for (const auto& fact : plan.facts) {
      Require(!fact.object.empty() && fact.object.size() <= 400 && fact.text.size() <= 400);
      Require(HasEntity(plan, fact.subject));
      Require(!fact.object_is_entity || HasEntity(plan, fact.object));
    }
    for (const auto& rule : plan.rules) {
      Require(!rule.key.empty() && rule.text.size() <= 400);
    }
  }
  const auto again = extractor.Extract(input, umbranet::Deadline::Never());
  Require(again.ok() && *again == *plans);
  return 0;
}
