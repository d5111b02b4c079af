// Whatever a model answers: reading it ends, and what is planned of it can be written down and
// holds nothing that the user's words do not bear out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/base/utf8.h"
#include "umbranet/extraction/draft_plans.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/reflection/plan_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace umbranet;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ExtractionInput input;
  for (const char* said : {"My sister Ana moved to Porto yesterday.", "Yes, exactly."}) {
    Interaction turn;
    turn.interaction_id = "i" + std::to_string(input.turns.size());
    turn.user = {"default", "u"};
    turn.user_message = said;
    turn.assistant_response = "You live in Lisbon?";
    input.turns.push_back(turn);
  }
  const auto by_rules = RuleExtractor().Extract(input, Deadline::Never());
  const ReflectionAnswer answer = ReadReflectionAnswer(text, input.turns.size(), kAllAnswerParts);
  DraftPlanner planner(input, "model/m");
  for (std::size_t i = 0; i < input.turns.size(); ++i) {
    if (!answer.turns[i]) {
      continue;
    }
    ReflectionPlan plan = planner.PlanTurn(i, *answer.turns[i], (*by_rules)[i]);
    plan.job_id = "j";
    const bool writable = EncodePlan(plan).ok() || !IsValidUtf8(text);
    if (!writable || plan.user.user_id != "u") {
      std::abort();
    }
    for (const PlannedFact& fact : plan.facts) {
      if (fact.confidence <= 0 || fact.confidence > 1) {
        std::abort();
      }
    }
  }
  return 0;
}
