// Chooses candidates among the turns that wait for reflection, as the episodic tier chooses among
// those that it holds. Internal to ranking. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/memory/pending_turns.h"
#include "umbranet/memory/question.h"
#include "umbranet/memory/turn_scores.h"

namespace umbranet {

// Matching turns that are candidates at most, the best by BM25; their neighbours come on top. A
// backlog may be ten times as long.
inline constexpr std::size_t kPendingCandidatesMax = 200;

// Halves that the episodic tier has brought. Views into its candidates.
class HeldHalves {
 public:
  void Add(const Episode& half) { of_role_[Place(half.role)].insert(half.interaction_id); }

  [[nodiscard]] bool Contains(const Episode& half) const {
    return of_role_[Place(half.role)].contains(half.interaction_id);
  }

 private:
  static std::size_t Place(Role role) { return role == Role::kUser ? 0 : 1; }

  std::array<std::unordered_set<std::string_view>, 2> of_role_;
};

// Counts the halves of `pending` that are not `held` already and were said by `as_of` into the
// statistics of `episodes`, and gives those that can score: of the best matching turns and of what
// a match lends something to (the turn before and the two behind in the session). `pending` has
// the newest first.
[[nodiscard]] std::vector<ScoredHalf> ChoosePending(const Question& question,
                                                    const std::vector<PendingTurnRef>& pending,
                                                    std::optional<Timestamp> as_of,
                                                    const HeldHalves& held,
                                                    EpisodesFound& episodes);

}  // namespace umbranet
