#include "umbranet/domain/fact.h"

#include <array>
#include <utility>

namespace umbranet {
namespace {

constexpr std::array kPredicateNames = {
    std::pair{Predicate::kName, std::string_view("name")},
    std::pair{Predicate::kAge, std::string_view("age")},
    std::pair{Predicate::kBirthday, std::string_view("birthday")},
    std::pair{Predicate::kGender, std::string_view("gender")},
    std::pair{Predicate::kNationality, std::string_view("nationality")},
    std::pair{Predicate::kOrigin, std::string_view("origin")},
    std::pair{Predicate::kLivesIn, std::string_view("lives_in")},
    std::pair{Predicate::kWorksAs, std::string_view("works_as")},
    std::pair{Predicate::kWorksAt, std::string_view("works_at")},
    std::pair{Predicate::kStudies, std::string_view("studies")},
    std::pair{Predicate::kRelation, std::string_view("relation")},
    std::pair{Predicate::kRelationshipStatus, std::string_view("relationship_status")},
    std::pair{Predicate::kHasPet, std::string_view("has_pet")},
    std::pair{Predicate::kOwns, std::string_view("owns")},
    std::pair{Predicate::kWants, std::string_view("wants")},
    std::pair{Predicate::kLikes, std::string_view("likes")},
    std::pair{Predicate::kDislikes, std::string_view("dislikes")},
    std::pair{Predicate::kFavorite, std::string_view("favorite")},
    std::pair{Predicate::kSkill, std::string_view("skill")},
    std::pair{Predicate::kHobby, std::string_view("hobby")},
    std::pair{Predicate::kHealth, std::string_view("health")},
    std::pair{Predicate::kPhysical, std::string_view("physical")},
    std::pair{Predicate::kBelief, std::string_view("belief")},
    std::pair{Predicate::kEvent, std::string_view("event")},
    std::pair{Predicate::kPlan, std::string_view("plan")},
    std::pair{Predicate::kVisited, std::string_view("visited")},
    std::pair{Predicate::kMember, std::string_view("member")},
    std::pair{Predicate::kState, std::string_view("state")},
    std::pair{Predicate::kOther, std::string_view("other")},
};

constexpr std::array kEntityTypeNames = {
    std::pair{EntityType::kPerson, std::string_view("person")},
    std::pair{EntityType::kPlace, std::string_view("place")},
    std::pair{EntityType::kOrganization, std::string_view("organization")},
    std::pair{EntityType::kAnimal, std::string_view("animal")},
    std::pair{EntityType::kThing, std::string_view("thing")},
    std::pair{EntityType::kEvent, std::string_view("event")},
    std::pair{EntityType::kActivity, std::string_view("activity")},
    std::pair{EntityType::kOther, std::string_view("other")},
};

template <typename Table, typename Value>
std::string_view NameIn(const Table& table, Value value) {
  for (const auto& [candidate, name] : table) {
    if (candidate == value) {
      return name;
    }
  }
  return "other";
}

template <typename Value, typename Table>
std::optional<Value> ValueIn(const Table& table, std::string_view wanted) {
  for (const auto& [candidate, name] : table) {
    if (name == wanted) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view PredicateName(Predicate predicate) {
  return NameIn(kPredicateNames, predicate);
}

std::optional<Predicate> ParsePredicate(std::string_view name) {
  return ValueIn<Predicate>(kPredicateNames, name);
}

std::string_view EntityTypeName(EntityType type) {
  return NameIn(kEntityTypeNames, type);
}

std::optional<EntityType> ParseEntityType(std::string_view name) {
  return ValueIn<EntityType>(kEntityTypeNames, name);
}

bool IsFunctional(Predicate predicate) {
  switch (predicate) {
    case Predicate::kName:
    case Predicate::kAge:
    case Predicate::kBirthday:
    case Predicate::kGender:
    case Predicate::kLivesIn:
    case Predicate::kWorksAs:
    case Predicate::kWorksAt:
    case Predicate::kRelationshipStatus:
    case Predicate::kFavorite:
    case Predicate::kState:
      return true;
    default:
      return false;
  }
}

}  // namespace umbranet
