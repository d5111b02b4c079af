// An entry of the list that ranking makes, while it is being made. Internal to ranking.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "umbranet/domain/episode.h"
#include "umbranet/memory/ranking.h"

namespace umbranet {

// Says that one thing stands above another and as near to it as can be.
inline constexpr double kJustAbove = 1.0001;
inline constexpr double kJustBelow = 0.999;

// Of a half of a turn only what is compared is filled in until FillIn: most are never answered
// with, and copying their texts would cost more than ranking them.
struct RankingEntry {
  RankedItem ranked;
  std::shared_ptr<const Episode> half;  // Null: a fact.
  bool pending = false;
  double share = 0;
  double own_words = 0;                   // Of a fact: what its own words are worth.
  std::optional<std::size_t> stands_for;  // Of a fact: the number of the half whose place it takes.

  [[nodiscard]] bool OfUser() const { return half != nullptr && half->role == Role::kUser; }

  [[nodiscard]] const std::string& Id() const {
    return half == nullptr ? ranked.item.memory_id : half->memory_id;
  }
};

// Whether `a` goes before `b`. Ties fall to the later one, and the id makes the order the same on
// every backend.
[[nodiscard]] bool Better(const RankingEntry& a, const RankingEntry& b);

}  // namespace umbranet
