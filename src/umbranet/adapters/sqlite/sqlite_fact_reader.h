// Reads facts of tier 3 as they stand now, or as they stood at a time in the past.
//
// Works in the snapshot of its connection, on that connection's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_entity_names.h"
#include "umbranet/adapters/sqlite/sqlite_fact_slots.h"
#include "umbranet/adapters/sqlite/user_facts.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {

class SqliteFactReader {
 public:
  static constexpr std::size_t kAllWitnesses = std::size_t{1} << 31U;

  // A fact names at most `witnesses_max` of the turns that said it, the latest: what was said in a
  // thousand turns would cost a search more to read than everything else that it found. Its
  // evidence counts all of them.
  SqliteFactReader(SqliteConnection& connection, std::int64_t user_key, const UserKey& user,
                   std::optional<Timestamp> as_of = std::nullopt,
                   std::size_t witnesses_max = kAllWitnesses)
      : connection_(connection),
        user_key_(user_key),
        user_(user),
        as_of_(as_of),
        witnesses_max_(witnesses_max),
        resolver_(connection, user_key) {}

  // Nothing when there is no fact with this head, or was none by then.
  Result<std::optional<StoredFact>> Read(std::int64_t head);

 private:
  struct Past {
    std::optional<Timestamp> valid_to;
    std::optional<std::int64_t> superseded_by;
  };

  Status ReadWitnesses(StoredFact& stored);
  // What had become of the fact by as_of_.
  Status ReadPast(const FactSlot& slot, StoredFact& stored);

  SqliteConnection& connection_;
  const std::int64_t user_key_;
  const UserKey& user_;
  const std::optional<Timestamp> as_of_;
  const std::size_t witnesses_max_;
  SqliteEntityReader resolver_;
  std::map<FactSlot, std::map<std::int64_t, Past>> past_;  // By slot and head.
};

}  // namespace umbranet
