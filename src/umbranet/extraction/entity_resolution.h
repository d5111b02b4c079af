#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/domain/fact.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// Which known entity a mention means. Names and aliases are compared whole, without case,
// diacritics and articles; nothing is guessed from likeness, so a nickname counts only once it was
// given as an alias. A description ("my sister") means the entity that was introduced by it, until
// another one is introduced in the same way: then it means neither.
//
// Immutable after construction but for Learn; not to be shared between threads while learning.
class EntityResolver {
 public:
  EntityResolver() = default;
  explicit EntityResolver(std::span<const Entity> known);

  // The known entity's name for `name`, or `name` itself when it is new. A mention that only
  // describes ("my sister") and means one known entity gives that entity's name.
  [[nodiscard]] std::string Resolve(std::string_view name) const;
  [[nodiscard]] bool IsKnown(std::string_view name) const;

  // Whether `alias` may be given to the entity `name`: no other entity bears it.
  [[nodiscard]] bool MayBear(std::string_view name, std::string_view alias) const;

  // What a plan introduces is known to the turns after it.
  void Learn(const PlannedEntity& entity);

  // The form in which names are compared: "Dr. José  Núñez" -> "dr jose nunez".
  [[nodiscard]] static std::string Normalise(std::string_view name);

 private:
  void Note(std::string_view form, std::string_view name);

  // Normalised name or alias -> the entity's name; empty when several bear it.
  std::unordered_map<std::string, std::string> names_;
};

}  // namespace umbranet
