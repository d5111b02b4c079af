#include "umbranet/extraction/entity_resolution.h"

#include "umbranet/base/text_analysis.h"

namespace umbranet {

EntityResolver::EntityResolver(std::span<const Entity> known) {
  for (const Entity& entity : known) {
    Note(entity.name, entity.name);
    for (const std::string& alias : entity.aliases) {
      Note(alias, entity.name);
    }
  }
}

std::string EntityResolver::Normalise(std::string_view name) {
  std::string normal;
  bool space = false;
  for (const char c : FoldCase(name)) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (!letter) {
      // An apostrophe is no border: "O'Neil" and "ONeil" are one.
      space = space || (c != '\'' && !normal.empty());
      continue;
    }
    if (space) {
      normal += ' ';
      space = false;
    }
    normal += c;
  }
  for (const std::string_view article : {"the ", "a ", "an "}) {
    if (normal.starts_with(article)) {
      return normal.substr(article.size());
    }
  }
  return normal;
}

void EntityResolver::Note(std::string_view form, std::string_view name) {
  std::string key = Normalise(form);
  if (key.empty()) {
    return;
  }
  const auto [entry, added] = names_.emplace(std::move(key), name);
  if (added || entry->second == name) {
    return;
  }
  // An entity's own name outranks what others are called.
  if (entry->first == Normalise(name)) {
    entry->second = std::string(name);
  } else if (entry->first != Normalise(entry->second)) {
    entry->second.clear();
  }
}

std::string EntityResolver::Resolve(std::string_view name) const {
  const auto found = names_.find(Normalise(name));
  return found == names_.end() || found->second.empty() ? std::string(name) : found->second;
}

bool EntityResolver::IsKnown(std::string_view name) const {
  const auto found = names_.find(Normalise(name));
  return found != names_.end() && !found->second.empty();
}

bool EntityResolver::MayBear(std::string_view name, std::string_view alias) const {
  const auto found = names_.find(Normalise(alias));
  if (found == names_.end()) {
    return true;
  }
  // What was only described so far may get its name; what has a name keeps its description alone.
  return found->second == name || Normalise(found->second) == found->first;
}

void EntityResolver::Learn(const PlannedEntity& entity) {
  Note(entity.name, entity.name);
  for (const std::string& alias : entity.aliases) {
    const std::string key = Normalise(alias);
    const auto found = names_.find(key);
    // "my sister", described until now, turns out to be Ana.
    if (found != names_.end() && Normalise(found->second) == key) {
      found->second = entity.name;
    } else {
      Note(alias, entity.name);
    }
  }
}

}  // namespace umbranet
