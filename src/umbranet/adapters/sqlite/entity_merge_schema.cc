#include "umbranet/adapters/sqlite/entity_merge_schema.h"

namespace umbranet {
namespace {

// Which names were made one, and by whom. What was united before there was a log is written down as
// far as it can still be told: by the first use of each name.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE entity_merge(
  user_key INTEGER NOT NULL,
  name TEXT NOT NULL,            -- of two proper names the lesser, else the relation name
  other TEXT NOT NULL,
  interaction_id TEXT NOT NULL,  -- the first turn that said so and counts
  occurred_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  parted_at INTEGER,             -- an owner undid what turns said up to parted_through
  parted_through INTEGER,
  PRIMARY KEY(user_key, name, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_merge_by_other ON entity_merge(user_key, other);

INSERT INTO entity_merge(user_key, name, other, interaction_id, occurred_at, sequence, recorded_at,
                         last_sequence)
  SELECT n.user_key, min(n.name, n.root), max(n.name, n.root), coalesce(t.interaction_id, ''),
         n.first_at, n.first_sequence, n.first_at, n.last_sequence
  FROM entity_name n LEFT JOIN turn t ON t.user_key = n.user_key AND t.seq = n.first_sequence
  WHERE n.name <> n.root;
INSERT INTO entity_merge(user_key, name, other, interaction_id, occurred_at, sequence, recorded_at,
                         last_sequence)
  SELECT c.user_key, c.relation_name, c.name, coalesce(t.interaction_id, ''), c.first_at,
         c.first_sequence, c.first_at, n.last_sequence
  FROM entity_claim c
  JOIN entity_name n ON n.user_key = c.user_key AND n.name = c.relation_name
  LEFT JOIN turn t ON t.user_key = c.user_key AND t.seq = c.first_sequence
  WHERE true ON CONFLICT DO NOTHING;
)sql";

}  // namespace

std::vector<SqliteMigration> EntityMergeMigrations() {
  return {{.component = "entity_merges", .version = 1, .script = kVersion1}};
}

}  // namespace umbranet
