#include "umbranet/adapters/sqlite/generation_schema.h"

#include <string_view>

namespace umbranet {
namespace {

// Rows of tiers 2 to 4 carry a memory key where they say user_key. It is the user's own until there
// is a second generation, whose key begins far above all of those. Ids are made of what was said
// and by whom, so the same ones are in every generation of a user.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE memory_generation(
  memory_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  state INTEGER NOT NULL,             -- GenerationState
  extractor TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  through_sequence INTEGER NOT NULL,  -- it has all turns up to here; of one in force it is not kept
  turns INTEGER NOT NULL DEFAULT 0,
  fallbacks INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX memory_generation_by_user ON memory_generation(user_key, state);
INSERT INTO sqlite_sequence(name, seq) VALUES('memory_generation', 1099511627776);

DROP INDEX episode_by_id;
CREATE UNIQUE INDEX episode_by_id ON episode(memory_id, user_key);
DROP INDEX fact_statement_by_id;
CREATE UNIQUE INDEX fact_statement_by_id ON fact_statement(statement_id, user_key);
DROP INDEX rule_statement_by_id;
CREATE UNIQUE INDEX rule_statement_by_id ON rule_statement(statement_id, user_key);

-- Whether an owner has changed the text.
ALTER TABLE episode ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;
)sql";

}  // namespace

std::vector<SqliteMigration> GenerationMigrations() {
  return {{.component = "generations", .version = 1, .script = kVersion1}};
}

}  // namespace umbranet
