// From what a language model said of a turn to the plan of the turn. Pure; any thread.
//
// Nothing is learnt from what the server or the assistant said itself:
// - A fact or rule must come with words of the user's, and these must stand in the user's half of
//   that very turn.
// - A fact whose value is only in what the assistant said counts when those words confirm it ("yes,
//   exactly") and the assistant's turn was the one before; what the assistant says in its answer to
//   the turn itself is not confirmed yet.
// - A fact whose value is only in what was known already is no news, and no evidence either.
// - A rule about instructions, prompts or the assistant's own nature is none.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/reflection_plan.h"
#include "umbranet/extraction/entity_resolution.h"
#include "umbranet/extraction/reflection_answer.h"
#include "umbranet/ports/extractor.h"

namespace umbranet {

// Whether `quote` was taken from `text`: its words stand there in their order, without regard to
// case and punctuation; parts that "..." divides may stand apart. False for a quote without words.
[[nodiscard]] bool IsQuoteFrom(std::string_view quote, std::string_view text);

// Whether a rule speaks of what governs the assistant itself rather than of how to help the user.
[[nodiscard]] bool IsAboutInstructions(std::string_view rule);

// Plans the turns of one request, in their order.
class DraftPlanner {
 public:
  // `input` must outlive it.
  DraftPlanner(const ExtractionInput& input, std::string_view model);

  // The plan of turn `index`. `by_rules` is the rules' plan of the same turn: its episodes hold the
  // words as they were said, and the times that the rules read in them.
  [[nodiscard]] ReflectionPlan PlanTurn(std::size_t index, const TurnDraft& draft,
                                        const ReflectionPlan& by_rules);

  // Facts and rules that had nothing to stand on.
  [[nodiscard]] std::size_t unfounded() const { return unfounded_; }

 private:
  void AddEpisodes(const TurnDraft& draft, const ReflectionPlan& by_rules, ReflectionPlan& plan);
  void AddEntities(const TurnDraft& draft, const Interaction& turn, ReflectionPlan& plan);
  void AddFacts(std::size_t index, const TurnDraft& draft, ReflectionPlan& plan);
  void AddReplaced(const FactDraft& draft, const PlannedFact& fact, ReflectionPlan& plan);
  void AddRules(const TurnDraft& draft, const Interaction& turn, ReflectionPlan& plan);

  // 0: it stands on nothing. Else the confidence that it may have at most.
  [[nodiscard]] double Foundation(std::size_t index, const FactDraft& draft) const;
  [[nodiscard]] const Interaction* TurnBefore(std::size_t index) const;
  [[nodiscard]] std::string NameOf(std::string_view name, const Interaction& turn) const;
  static void Mention(std::string_view name, EntityType type, ReflectionPlan& plan);

  const ExtractionInput& input_;
  const std::string model_;
  const std::vector<std::string> others_;  // Speakers by handle.
  EntityResolver entities_;
  std::size_t unfounded_ = 0;
};

}  // namespace umbranet
