// Which names a user's turns used, and which of them mean the same entity.
//
// Names with the same root are one entity: two proper names that a turn called one are united, and
// the least of them becomes the root, so the outcome does not depend on the order of the turns. A
// relation name ("sister") unites nothing, since two sisters share it: a turn that says whom it
// means makes a claim, and the name then stands for whoever was introduced under it last at the
// time that it is used, or before anyone was, for the first who will be. What an owner has parted
// (sqlite_entity_merges.h) stays parted.
//
// Both classes work in one transaction of their connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// The name of the entity that a name means, at the time of a turn.
class SqliteEntityReader {
 public:
  SqliteEntityReader(SqliteConnection& connection, std::int64_t user_key)
      : connection_(connection), user_key_(user_key) {}

  // `name` is normalised. A name that nobody mentioned is its own root.
  Result<std::string> Resolve(const std::string& name, Timestamp occurred_at,
                              std::int64_t sequence);
  // The entity as it is shown. The id is made of the root.
  Result<const Entity*> Read(const UserKey& user, const std::string& root);
  // What the entity is called, but for the word that stands for the user.
  Result<std::vector<std::string>> NamesOf(const UserKey& user, const std::string& root);

 private:
  struct Claim {
    Timestamp first_at{};
    std::int64_t first_sequence = 0;
    std::string name;

    auto operator<=>(const Claim&) const = default;
  };

  Result<std::string> RootOf(const std::string& name);
  Result<const std::vector<Claim>*> ClaimsOn(const std::string& relation_name);
  Result<Entity> Load(const UserKey& user, const std::string& root);

  SqliteConnection& connection_;
  const std::int64_t user_key_;
  std::map<std::string, std::string> roots_;
  std::map<std::string, std::vector<Claim>> claims_;
  std::map<std::string, Entity> entities_;
};

// Takes in the names of plans.
class SqliteEntityNames {
 public:
  SqliteEntityNames(SqliteConnection& connection, std::int64_t user_key, Timestamp now)
      : connection_(connection), user_key_(user_key), merges_(connection, user_key, now) {}

  Status TakeIn(const ReflectionPlan& plan);
  // Writes what is still kept in memory. To be called before anybody resolves.
  Status Flush();

  // Names that may mean another entity than before: statements that use them must be resolved
  // again.
  [[nodiscard]] const std::set<std::string>& moved() const { return moved_; }

  // Roots of entities that are called differently than before: what is found by their names must be
  // indexed again.
  [[nodiscard]] const std::set<std::string>& renamed() const { return renamed_; }

 private:
  // One use of a name; the least is how it is shown.
  struct Use {
    bool as_alias = false;
    Timestamp at{};
    std::int64_t sequence = 0;
    std::int64_t ordinal = 0;
    std::string display;

    auto operator<=>(const Use&) const = default;
  };

  struct Name {
    std::string root;
    Use first;
    EntityType type = EntityType::kOther;
    Use typed;  // When; without display.
    Timestamp last_at{};
    std::int64_t last_sequence = 0;
    bool claimed = false;
    bool stored = false;
    bool changed = false;
  };

  Result<Name*> Load(const std::string& name);
  Status Store(const std::string& name, Name& row);
  Result<std::string> Mention(const ReflectionPlan& plan, std::string_view text, EntityType type,
                              bool as_alias, std::int64_t ordinal);
  Status Unite(const std::string& a, const std::string& b);
  Status Claim(const ReflectionPlan& plan, const std::string& relation_name,
               const std::string& name);
  Status MarkRenamed(const std::string& name, const std::string& root);

  SqliteConnection& connection_;
  const std::int64_t user_key_;
  SqliteEntityMerges merges_;
  std::map<std::string, Name> names_;
  std::set<std::string> moved_;
  std::set<std::string> renamed_;
};

// Entities of the user, most recently mentioned first, at most `limit`.
Result<std::vector<Entity>> ReadEntities(SqliteConnection& connection, std::int64_t user_key,
                                         const UserKey& user, std::size_t limit);

Status EraseEntityNames(SqliteConnection& connection, std::int64_t user_key);

}  // namespace umbranet
