#include "umbranet/adapters/postgres/consolidation_schema.h"

#include <string_view>

namespace umbranet {
namespace {

// That a consolidated episode goes with its sources is left to triggers, so that it holds on every
// way on which an episode leaves or changes. Whoever writes them holds the lock of the user's
// episode_book, as whoever writes episodes does.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE consolidated_episode(
  consolidated_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_key bigint NOT NULL,
  memory_id text COLLATE "C" NOT NULL,
  session_id text COLLATE "C" NOT NULL,   -- '' when its sources are of several
  from_at bigint NOT NULL,
  until_at bigint NOT NULL,
  made_at bigint NOT NULL,
  model text NOT NULL,
  text bytea NOT NULL,
  terms text[] COLLATE "C" NOT NULL
);
-- One that was made of the same in another generation of the user's memory has the same id.
CREATE UNIQUE INDEX consolidated_episode_by_id ON consolidated_episode(memory_id, user_key);
CREATE INDEX consolidated_episode_by_user
  ON consolidated_episode(user_key, from_at, memory_id);

CREATE TABLE consolidated_source(
  consolidated_key bigint NOT NULL
    REFERENCES consolidated_episode(consolidated_key) ON DELETE CASCADE,
  place integer NOT NULL,
  episode_key bigint NOT NULL UNIQUE,
  PRIMARY KEY(consolidated_key, place)
);

-- What is not to be consolidated before then.
CREATE TABLE consolidation_left_alone(
  user_key bigint NOT NULL,
  memory_id text COLLATE "C" NOT NULL,
  until_at bigint NOT NULL,
  PRIMARY KEY(user_key, memory_id)
);

-- Never given twice, so that no claim is taken for another.
CREATE SEQUENCE consolidation_token;

-- Nobody may claim the user before then.
CREATE TABLE consolidation_claim(
  user_key bigint PRIMARY KEY,
  token bigint NOT NULL DEFAULT nextval('consolidation_token'),
  until_at bigint NOT NULL
);

CREATE FUNCTION consolidated_sources_erased() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM consolidated_episode c USING consolidated_source s, gone g
    WHERE c.consolidated_key = s.consolidated_key AND s.episode_key = g.episode_key;
  RETURN NULL;
END
$body$;
CREATE FUNCTION consolidated_source_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM consolidated_episode c USING consolidated_source s
    WHERE c.consolidated_key = s.consolidated_key AND s.episode_key = OLD.episode_key;
  RETURN NULL;
END
$body$;
CREATE TRIGGER consolidated_sources_erased AFTER DELETE ON episode
  REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION consolidated_sources_erased();
CREATE TRIGGER consolidated_source_changed AFTER UPDATE OF text ON episode
  FOR EACH ROW WHEN (OLD.text IS DISTINCT FROM NEW.text)
  EXECUTE FUNCTION consolidated_source_changed();
)sql";

}  // namespace

std::vector<PostgresMigration> PostgresConsolidationMigrations() {
  return {{.component = "consolidation", .version = 1, .script = kVersion1, .extension = {}}};
}

}  // namespace umbranet
