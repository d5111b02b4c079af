// The log of which names were made one entity, and what owners undid of it.
//
// A parting holds against every turn that the journal held a place for when it was made: reflecting
// one of them again, or for the first time, unites nothing. A later turn that says so anew unites
// the names again, and is logged.
//
// Everything here works in one transaction of its connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/entity_merge.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// Takes in what plans say. To be flushed before the transaction ends.
class SqliteEntityMerges {
 public:
  SqliteEntityMerges(SqliteConnection& connection, std::int64_t user_key, Timestamp now)
      : connection_(connection), user_key_(user_key), now_(now) {}

  // The plan says that the two (normalised) names mean one. False when an owner has parted them and
  // this turn is none that came later.
  Result<bool> Note(const ReflectionPlan& plan, const std::string& name, const std::string& other);
  Status Flush();

 private:
  struct Row {
    std::string interaction_id;
    Timestamp occurred_at{};
    std::int64_t sequence = 0;
    Timestamp recorded_at{};
    std::int64_t last_sequence = 0;
    std::optional<std::int64_t> parted_through;
    bool stored = false;
    bool changed = false;
  };

  Result<Row*> Load(const std::string& name, const std::string& other);

  SqliteConnection& connection_;
  const std::int64_t user_key_;
  const Timestamp now_;
  std::map<std::pair<std::string, std::string>, Row> rows_;
};

struct PartedNames {
  std::size_t merges = 0;         // How many were undone.
  std::set<std::string> moved;    // Names whose statements must be resolved again.
  std::set<std::string> renamed;  // Roots of entities that are called differently now.
};

// Undoes the merges of `name`, with `from` alone when it is not empty. Both are normalised.
Result<PartedNames> PartNames(SqliteConnection& connection, std::int64_t user_key,
                              const std::string& name, const std::string& from, Timestamp now);

// Newest first, at most `limit`.
Result<std::vector<EntityMerge>> ReadMerges(SqliteConnection& connection, std::int64_t user_key,
                                            std::size_t limit);

// Removes the user's log, but for partings whose turn the journal still holds: when his memory is
// worked out anew, what he undid must stay undone.
Status EraseMerges(SqliteConnection& connection, std::int64_t user_key);

}  // namespace umbranet
