#include "umbranet/adapters/sqlite/consolidation_schema.h"

#include <string_view>

namespace umbranet {
namespace {

// user_key is a memory key in consolidated_episode (generation_schema.cc), and the owner's own in
// the other two. That a consolidated episode goes with its sources is left to triggers, so that it
// holds on every way on which an episode leaves or changes.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE consolidated_episode(
  consolidated_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  memory_id TEXT NOT NULL,
  session_id TEXT NOT NULL,      -- '' when its sources are of several
  from_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  model TEXT NOT NULL,
  text TEXT NOT NULL,
  terms TEXT NOT NULL,
  UNIQUE(user_key, from_at, memory_id)
) STRICT;
CREATE INDEX consolidated_episode_by_id ON consolidated_episode(memory_id);

CREATE TABLE consolidated_source(
  consolidated_key INTEGER NOT NULL,
  place INTEGER NOT NULL,
  episode_key INTEGER NOT NULL UNIQUE,
  PRIMARY KEY(consolidated_key, place)
) STRICT, WITHOUT ROWID;

-- What is not to be consolidated before then.
CREATE TABLE consolidation_left_alone(
  user_key INTEGER NOT NULL,
  memory_id TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  PRIMARY KEY(user_key, memory_id)
) STRICT, WITHOUT ROWID;

-- The key of the latest claim on a user is its token. Nobody may claim him before then.
CREATE TABLE consolidation_claim(
  claim_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL UNIQUE,
  until_at INTEGER NOT NULL,
  held INTEGER NOT NULL          -- somebody is at work on it; else he is only left alone
) STRICT;

CREATE TRIGGER consolidated_source_erased AFTER DELETE ON episode BEGIN
  DELETE FROM consolidated_episode WHERE consolidated_key =
    (SELECT consolidated_key FROM consolidated_source WHERE episode_key = OLD.episode_key);
END;
CREATE TRIGGER consolidated_source_changed AFTER UPDATE OF text ON episode
WHEN OLD.text <> NEW.text BEGIN
  DELETE FROM consolidated_episode WHERE consolidated_key =
    (SELECT consolidated_key FROM consolidated_source WHERE episode_key = OLD.episode_key);
END;
CREATE TRIGGER consolidated_episode_gone AFTER DELETE ON consolidated_episode BEGIN
  DELETE FROM consolidated_source WHERE consolidated_key = OLD.consolidated_key;
END;
)sql";

}  // namespace

std::vector<SqliteMigration> ConsolidationMigrations() {
  return {{.component = "consolidation", .version = 1, .script = kVersion1}};
}

}  // namespace umbranet
