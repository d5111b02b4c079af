// Works out facts from statements in the tables of tier 3, and keeps the index in step.
//
// A slot holds the statements of one subject, predicate and qualifier. Whoever adds, moves or
// removes a statement marks what it may touch; Settle then folds the marked slots again and writes
// down what changed, so that the tables always hold what FoldFactStatements makes of all
// statements.
//
// Works in one transaction of its connection, on that connection's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "umbranet/adapters/sqlite/fact_cache.h"
#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_entity_names.h"
#include "umbranet/adapters/sqlite/sqlite_text_index.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/fact_history.h"

namespace umbranet {

struct FactSlot {
  std::string subject_root;
  std::string predicate;
  std::string qualifier_name;

  auto operator<=>(const FactSlot&) const = default;
};

// A statement as it is folded, with what was made of it last.
struct StoredStatement {
  std::int64_t key = 0;
  FactStatement statement;
  std::optional<std::int64_t> head;
  std::optional<Timestamp> ended_at;
  std::optional<std::int64_t> superseded_by;
  bool indexed = false;
  bool edited_text = false;
};

// The statements of a slot, of one value only when `object_root` is given; those of turns after
// `until` are left out.
Result<std::vector<StoredStatement>> ReadSlot(SqliteConnection& connection, std::int64_t user_key,
                                              const FactSlot& slot,
                                              std::optional<std::string_view> object_root,
                                              Timestamp until);

class SqliteFactSlots {
 public:
  SqliteFactSlots(SqliteConnection& connection, const SqliteTextIndex& index, FactCache& cache,
                  std::int64_t user_key, const UserKey& user)
      : connection_(connection),
        index_(index),
        cache_(cache),
        user_key_(user_key),
        user_(user),
        resolver_(connection, user_key) {}

  // A statement of this value was put into the slot or taken out of it.
  void Touch(const FactSlot& slot, const std::string& object_root, bool reaches_other_values);
  // The facts with this entity are to be found by other names than before.
  Status TouchNamesOf(const std::string& root);

  // A fact's own text has changed.
  void TouchText(std::int64_t head) { to_index_.insert(head); }

  // Resolves the statements that use `name` again and moves them where they belong now.
  Status MoveStatementsOf(const std::string& name);

  // Ends by raising the revision of the user's facts and telling the cache which it touched.
  Status Settle();

  // Takes a head out of the index, before its row goes.
  Status Unindex(std::int64_t head);

  SqliteEntityReader& resolver() { return resolver_; }

 private:
  struct Touched {
    bool whole = false;
    std::set<std::string> object_roots;
  };

  Status SettleSlot(const FactSlot& slot, const Touched& touched);
  Status Fold(const std::vector<StoredStatement>& statements, const Touched& touched);
  Status Index(std::int64_t head);

  SqliteConnection& connection_;
  const SqliteTextIndex& index_;
  FactCache& cache_;
  const std::int64_t user_key_;
  const UserKey& user_;
  SqliteEntityReader resolver_;
  std::map<FactSlot, Touched> touched_;
  std::set<std::int64_t> to_index_;
  std::set<std::int64_t> revised_;  // Facts that read differently than before.
};

}  // namespace umbranet
