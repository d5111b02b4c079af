// Tier 3: who and what. Entities joined by facts that carry two times: when something was true in
// the world (valid_from, valid_to) and when it was learnt (recorded_at).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

enum class EntityType : std::uint8_t {
  kPerson,
  kPlace,
  kOrganization,
  kAnimal,
  kThing,
  kEvent,
  kActivity,
  kOther
};

// The closed list of what a fact may say. A store turns it into a relationship type, so text never
// does.
enum class Predicate : std::uint8_t {
  kName,  // is called
  kAge,
  kBirthday,
  kGender,
  kNationality,
  kOrigin,  // comes from, grew up in
  kLivesIn,
  kWorksAs,   // occupation
  kWorksAt,   // employer
  kStudies,   // subject, school
  kRelation,  // qualifier says which: sister, wife, friend, boss ...
  kRelationshipStatus,
  kHasPet,
  kOwns,
  kWants,
  kLikes,
  kDislikes,
  kFavorite,  // qualifier says of what: color, food, band ...
  kSkill,     // can, speaks, plays
  kHobby,     // does regularly
  kHealth,    // allergy, illness, diet
  kPhysical,  // looks, height, hair
  kBelief,    // religion, politics, opinion held
  kEvent,     // something that happened or will; valid_from is its time
  kPlan,      // intends to
  kVisited,
  kMember,  // of a team, club, band
  kState,   // any other "X is Y" of an entity or project; qualifier names the attribute
  kOther,
};

std::string_view PredicateName(Predicate predicate);  // snake case: "lives_in"
std::optional<Predicate> ParsePredicate(std::string_view name);
std::string_view EntityTypeName(EntityType type);
std::optional<EntityType> ParseEntityType(std::string_view name);

// True when an entity has one such value at a time, so that a newer value supersedes the older one.
bool IsFunctional(Predicate predicate);

// The user as an entity: every fact about the speaking user hangs on it.
inline constexpr std::string_view kSelfEntity = "user";

struct Entity {
  std::string entity_id;
  UserKey user;
  std::string name;  // As it is shown; kSelfEntity for the user.
  EntityType type = EntityType::kOther;
  std::vector<std::string> aliases;
};

struct Fact {
  std::string memory_id;
  UserKey user;
  std::string subject_id;  // entity_id
  std::string subject;     // its name
  Predicate predicate = Predicate::kOther;
  std::string qualifier;                 // Narrows the predicate: "sister", "color". May be empty.
  std::string object;                    // The value as text.
  std::optional<std::string> object_id;  // entity_id, when the value is an entity.
  bool negated = false;                  // "does not like": kept as a statement of its own.
  std::string text;                      // One readable sentence: "my sister Ana lives in Porto".
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_to;
  Timestamp occurred_at{};  // The time of the turn that said so.
  Timestamp recorded_at{};
  std::optional<std::string> superseded_by;  // memory_id
  double confidence = 0.8;                   // 0 to 1
  std::uint32_t evidence = 1;                // Turns that said it.
  std::vector<SourceRef> sources;
};

}  // namespace umbranet
