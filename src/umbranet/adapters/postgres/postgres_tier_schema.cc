#include "umbranet/adapters/postgres/postgres_tier_schema.h"

namespace umbranet {
namespace {

// Tiers are numbered as in Tier, roles as in Role. Times are Unix milliseconds. Terms are stems
// joined by spaces. Ids are text and sort by their bytes, as the program sorts them; what people
// wrote is bytea, since it may hold NUL, which text cannot.
constexpr std::string_view kVersion1 = R"sql(
-- Which job has been applied to which tier.
CREATE TABLE tier_applied(
  user_key bigint NOT NULL,
  tier smallint NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  PRIMARY KEY(user_key, tier, job_id)
);

-- What an owner erased by hand: it stays away when its turn is reflected again.
CREATE TABLE erased_memory(
  user_key bigint NOT NULL,
  tier smallint NOT NULL,
  id text COLLATE "C" NOT NULL,
  interaction_id text COLLATE "C" NOT NULL,
  PRIMARY KEY(user_key, tier, id)
);

-- Never given twice, so that a user who was forgotten and came back is not taken for the former.
CREATE SEQUENCE episode_epoch;

-- One row for each user with episodes. Whoever writes a user's episodes or vectors holds its lock,
-- so a user's keys become visible in their order, and what is behind a key is all that is new.
CREATE TABLE episode_book(
  user_key bigint PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT nextval('episode_epoch'),  -- changes with an edit or an erasure
  last_episode bigint NOT NULL DEFAULT 0,
  last_vector bigint NOT NULL DEFAULT 0,
  user_documents bigint NOT NULL DEFAULT 0,
  user_terms bigint NOT NULL DEFAULT 0,
  assistant_documents bigint NOT NULL DEFAULT 0,
  assistant_terms bigint NOT NULL DEFAULT 0,
  indexed_to bigint NOT NULL DEFAULT 0,         -- episodes up to this key are in episode_term
  in_database boolean NOT NULL DEFAULT false    -- all are: the user is searched here
);

CREATE TABLE episode(
  episode_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_key bigint NOT NULL,
  session_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  ordinal integer NOT NULL,      -- 1000 * role + place among the turn's episodes of that role
  occurred_at bigint NOT NULL,
  role smallint NOT NULL,
  length integer NOT NULL,       -- terms
  importance double precision NOT NULL,
  memory_id text COLLATE "C" NOT NULL,
  interaction_id text NOT NULL,
  speaker bytea NOT NULL,
  event_times text NOT NULL,     -- "start end start end"
  text bytea NOT NULL,
  terms text NOT NULL
);
CREATE UNIQUE INDEX episode_by_id ON episode(memory_id);
CREATE INDEX episode_by_user ON episode(user_key, episode_key);
CREATE INDEX episode_by_time ON episode(user_key, occurred_at, sequence, ordinal, memory_id);
CREATE INDEX episode_by_turn ON episode(user_key, session_id, sequence);

-- The index of users too large for memory. A term belongs to its user, so one user's search never
-- touches another's rows; all that BM25 needs is in the index, which answers alone where the table
-- was vacuumed, so that is to be done often.
CREATE TABLE episode_term(
  user_key bigint NOT NULL,
  term text COLLATE "C" NOT NULL,
  role smallint NOT NULL,
  episode_key bigint NOT NULL,
  count integer NOT NULL,
  length integer NOT NULL,
  occurred_at bigint NOT NULL,
  PRIMARY KEY(user_key, term, role, episode_key) INCLUDE (count, length, occurred_at)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE embedding_space(
  space_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  space text COLLATE "C" NOT NULL UNIQUE   -- Embedder::space()
);

-- One for each episode, of the model that looked at it last. A vector that replaces another gets a
-- new key, so that what has changed since a key is found behind it.
CREATE TABLE episode_vector(
  episode_key bigint PRIMARY KEY,
  vector_key bigint GENERATED ALWAYS AS IDENTITY,
  user_key bigint NOT NULL,
  space_key bigint NOT NULL,
  role smallint NOT NULL,
  occurred_at bigint NOT NULL,
  packed bytea NOT NULL                    -- PackVector
);
CREATE INDEX episode_vector_by_user ON episode_vector(user_key, vector_key);

-- Its lock is held by whoever writes the user's rules.
CREATE TABLE rule_book(user_key bigint PRIMARY KEY);

-- What turns said about how things are to be done. Rules are worked out of it when they are read.
CREATE TABLE rule_statement(
  statement_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_key bigint NOT NULL,
  statement_id text COLLATE "C" NOT NULL,
  interaction_id text COLLATE "C" NOT NULL,
  occurred_at bigint NOT NULL,
  sequence bigint NOT NULL,
  ordinal integer NOT NULL,
  recorded_at bigint NOT NULL,
  kind smallint NOT NULL,
  negative boolean NOT NULL,
  withdraws boolean NOT NULL,
  confidence double precision NOT NULL,
  rule_key bytea NOT NULL,
  scope bytea NOT NULL,
  text bytea NOT NULL,
  edited_text bytea,
  edited_withdrawn_at bigint
);
CREATE UNIQUE INDEX rule_statement_by_id ON rule_statement(statement_id);
CREATE INDEX rule_statement_by_user
  ON rule_statement(user_key, occurred_at, sequence, interaction_id, ordinal);
)sql";

// For users who are searched here, see postgres_vectors.h; the indexes over it are made with the
// first vector of a space. The extension may be there already, in whatever schema is searched.
constexpr std::string_view kVectors1 = R"sql(
CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
ALTER TABLE episode_vector ADD COLUMN embedding vector;
CREATE INDEX episode_vector_unfilled
  ON episode_vector(user_key, vector_key) WHERE embedding IS NULL;
)sql";

}  // namespace

std::vector<PostgresMigration> PostgresTierMigrations() {
  return {{.component = "tiers", .version = 1, .script = kVersion1},
          {.component = "vectors", .version = 1, .script = kVectors1, .extension = "vector"}};
}

}  // namespace umbranet
