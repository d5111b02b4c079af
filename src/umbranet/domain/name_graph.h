// Which names a user's turns used, and which of them mean the same entity.
//
// Names with the same root are one entity: two proper names that a turn called one are united, and
// the least of them becomes the root, so the outcome does not depend on the order of the turns. A
// relation name ("sister") unites nothing, since two sisters share it: a turn that says whom it
// means makes a claim, and the name then stands for whoever was introduced under it last at the
// time that it is used, or before anyone was, for the first who will be. What an owner has parted
// stays parted against every turn that came before; a later one that says so anew unites again.
//
// Names and merges are what is stored; roots, claims and entities follow from them. Not to be
// changed by two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/entity_merge.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// One use of a name; the least is how it is shown.
struct NameUse {
  bool as_alias = false;
  Timestamp at{};
  std::int64_t sequence = 0;
  std::int64_t ordinal = 0;
  std::string display;

  auto operator<=>(const NameUse&) const = default;
};

struct KnownName {
  NameUse first;
  EntityType type = EntityType::kOther;
  NameUse typed;  // When its type was said first; without display.
  Timestamp last_at{};
  std::int64_t last_sequence = 0;
};

// What turns said of two names, and through which place in the journal it was undone.
struct NameMerge {
  std::string interaction_id;  // Of the first turn that said so.
  Timestamp occurred_at{};
  std::int64_t sequence = 0;
  Timestamp recorded_at{};
  std::int64_t last_sequence = 0;
  std::optional<Timestamp> parted_at;
  std::optional<std::int64_t> parted_through;

  [[nodiscard]] bool Holds() const { return !parted_through || last_sequence > *parted_through; }
};

// Both normalised; a relation name comes first, and otherwise the lesser one.
using NamePair = std::pair<std::string, std::string>;

struct NamedEntity {
  Entity entity;
  Timestamp last_at{};  // When it was mentioned last.
  std::int64_t last_sequence = 0;
};

class NameGraph {
 public:
  explicit NameGraph(UserKey user) : user_(std::move(user)) {}

  void TakeIn(const ReflectionPlan& plan, Timestamp now);
  // Undoes the merges of `name`, with `from` alone when it is not empty; how many there were.
  std::size_t Part(std::string_view name, std::string_view from, Timestamp now);
  // What an owner parted in another account of the same turns is parted here, whether a turn has
  // said yet that it is one or not.
  void TakeOverPartings(const NameGraph& other);
  // As they were stored.
  void PutName(const std::string& name, KnownName row);
  void PutMerge(const NamePair& names, NameMerge row);

  // What has become of the entities since the last call. To be called before anything is asked.
  struct Settled {
    bool moved = false;              // Names may mean other entities than before.
    std::set<std::string> changed;   // Roots of entities that came, are shown differently, or went.
    std::set<std::string> names;     // Whose row is another than before.
    std::set<NamePair> merges;       // The same.
    std::set<std::string> relinked;  // Names that are names of other entities than before.
  };

  Settled Settle();

  // The root of the entity that `name` (normalised) means at the time of a turn. A name that nobody
  // mentioned is its own root.
  [[nodiscard]] const std::string& Resolve(const std::string& name, Timestamp at,
                                           std::int64_t sequence) const;
  // Null when no turn mentioned it.
  [[nodiscard]] const NamedEntity* Find(const std::string& root) const;
  // What the entity is called, but for the word that stands for the user.
  [[nodiscard]] std::vector<std::string> CallNames(const std::string& root) const;
  // The roots of the entities that the name is a name of: several for a relation name.
  [[nodiscard]] std::vector<std::string> RootsOf(const std::string& name) const;
  // Newest first.
  [[nodiscard]] std::vector<EntityMerge> Log(std::size_t limit) const;

  [[nodiscard]] const std::map<std::string, NamedEntity>& entities() const { return entities_; }

  [[nodiscard]] const std::map<std::string, KnownName>& names() const { return names_; }

  [[nodiscard]] const std::map<NamePair, NameMerge>& merges() const { return merges_; }

 private:
  struct Claim {
    Timestamp first_at{};
    std::int64_t first_sequence = 0;
    std::string name;

    auto operator<=>(const Claim&) const = default;
  };

  std::string Mention(const ReflectionPlan& plan, std::string_view text, EntityType type,
                      bool as_alias, std::int64_t ordinal);
  void Note(const ReflectionPlan& plan, const std::string& name, const std::string& other,
            Timestamp now);
  [[nodiscard]] const std::string& RootOf(const std::string& name) const;
  void UniteNames();
  // What the name is a name of now.
  void Link(const std::string& name, Settled& settled);
  [[nodiscard]] NamedEntity MakeEntity(const std::string& root) const;

  UserKey user_;
  std::map<std::string, KnownName> names_;
  std::map<NamePair, NameMerge> merges_;

  std::map<std::string, std::string> roots_;               // Of every name.
  std::map<std::string, std::vector<Claim>> claims_;       // On relation names, in their order.
  std::map<std::string, std::vector<std::string>> links_;  // RootsOf every name, at Settle.
  std::map<std::string, std::set<std::string>> members_;   // Root -> the names it is shown by.
  std::map<std::string, NamedEntity> entities_;            // By root.

  bool restructured_ = false;      // Merges came or went since Settle.
  std::set<std::string> touched_;  // Names that were mentioned since.
  std::set<NamePair> noted_;       // Merges that turns told of, or that were undone, since.
};

}  // namespace umbranet
