#include "umbranet/domain/fact_contradictions.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

enum class Matter : std::uint8_t { kTaste, kAge, kBirthday };

// What a fact takes a side on, and which side: facts of one matter with different sides contradict.
struct Claim {
  Matter matter = Matter::kTaste;
  std::string about;
  std::string side;
};

std::optional<Claim> ClaimOf(const Fact& fact) {
  const std::string value = NormalizeName(fact.object);
  switch (fact.predicate) {
    case Predicate::kLikes:
    case Predicate::kFavorite:
      return Claim{Matter::kTaste, value, fact.negated ? "against" : "for"};
    case Predicate::kDislikes:
      return Claim{Matter::kTaste, value, fact.negated ? "for" : "against"};
    case Predicate::kAge:
    case Predicate::kBirthday:
      if (!fact.negated) {
        return Claim{
            fact.predicate == Predicate::kAge ? Matter::kAge : Matter::kBirthday, {}, value};
      }
      return std::nullopt;
    default:
      return std::nullopt;  // One may have two jobs, homes or sisters.
  }
}

using Side = std::vector<const Fact*>;

void MarkAgainst(const Side& side, const Side& other, Contradictions& found) {
  for (const Fact* fact : side) {
    std::vector<std::string>& opposites = found[fact->memory_id];
    for (const Fact* opposite : other) {
      if (opposites.size() < kContradictionsMax) {
        opposites.push_back(opposite->memory_id);
      }
    }
  }
}

}  // namespace

Contradictions FindContradictions(std::span<const Fact> facts) {
  using Key = std::tuple<std::string, Matter, std::string>;
  std::map<Key, std::map<std::string, Side>> sides;
  for (const Fact& fact : facts) {
    const auto claim = ClaimOf(fact);
    if (claim && !fact.superseded_by && !fact.valid_to) {
      sides[{fact.subject_id, claim->matter, claim->about}][claim->side].push_back(&fact);
    }
  }
  Contradictions found;
  for (const auto& [key, by_side] : sides) {
    for (const auto& [side, of_side] : by_side) {
      for (const auto& [other_side, of_other] : by_side) {
        if (side != other_side) {
          MarkAgainst(of_side, of_other, found);
        }
      }
    }
  }
  return found;
}

}  // namespace umbranet
